/** Results of a search in a room, with a jump to each. */
import { bdi, byId, element, setText, textElement } from './dom.js';
import { counted, moment } from './format.js';
import { piecesOf, rangesOf } from './links.js';

/** Messages that a search finds at most (L). */
const LIMIT = 200;
/** Characters shown of a long text, from a little before its first hit. */
const EXCERPT_CHARS = 400;

/** Searches a room for a text. @param {import('./page.js').Page} page @param {import('./room.js').Room} room */
export async function search(page, room, query) {
  const note = byId('results-note');
  byId('results').replaceChildren();
  byId('results-pane').hidden = false;
  setText(note, 'searching');
  const answer = await page.requests.ask({ type: 'search', room: room.name, query, limit: LIMIT });
  // Another search may have begun meanwhile.
  if (byId('search').value !== query) return undefined;
  if (answer?.type !== 'history') return setText(note, answer?.text ?? 'you are offline');
  const { messages, more } = answer;
  byId('results').append(...messages.reverse().map((said) => resultElement(page, room, query, said)));
  const sealed = room.isSealed ? '; sealed messages are not searched, the server cannot read them' : '';
  return setText(note, (messages.length === 0 ? 'nothing found' : `${counted(messages.length, 'message')}${more ? ' and older ones' : ''}, newest first`) + sealed);
}

function resultElement(page, room, query, { seq, from, at, text }) {
  const start = text.length > EXCERPT_CHARS ? Math.max(0, rangesOf(query, text)[0]?.start - 60) || 0 : 0;
  // A link within a button could not be followed: only hits are marked.
  const pieces = piecesOf(text.slice(start, start + EXCERPT_CHARS), { query }).map(({ text, found }) => ({ text, found }));
  const button = element('button', { class: 'result' }, [
    element('strong', { class: `name-${page.chat.colours.of(from)}` }, [bdi(from)]), element('time', { text: moment(Date.parse(at), page.now) }), textElement(pieces)]);
  button.onclick = () => page.jump(room, seq);
  return element('li', {}, [button]);
}
