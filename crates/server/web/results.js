/** Results of a search in a room, with a jump to each. */
import { byId, element, setText, textElement } from './dom.js';
import { counted, moment } from './format.js';
import { piecesOf, rangesOf } from './links.js';
import { who } from './message.js';

const PAGE_MESSAGES = 50;
/** Characters of a long text, and those before its first hit. */
const EXCERPT_CHARS = 400;
const BEFORE_HIT = 60;

export class Results {
  #page;
  /** @type {{room: import('./room.js').Room, query: string, before?: number}} */
  #search;

  /** @param {import('./page.js').Page} page */
  constructor(page) {
    this.#page = page;
    byId('more-results').onclick = () => this.#load(this.#search);
  }

  /** Searches a room for a text. */
  start(room, query) {
    this.#search = { room, query };
    byId('results').replaceChildren();
    byId('results-pane').showPopover();
    this.#load(this.#search);
  }

  async #load(search) {
    const { room, query, before } = search;
    byId('more-results').hidden = true;
    setText(byId('results-note'), 'searching');
    const answer = await this.#page.requests.ask({ type: 'search', room: room.name, query, limit: PAGE_MESSAGES, ...(before && { before }) });
    if (search === this.#search) this.#show(answer, search);
  }

  #show(answer, search) {
    const { room, query } = search;
    const note = byId('results-note');
    if (answer?.type !== 'history') return setText(note, answer?.text ?? 'you are offline: the server cannot search now');
    const { messages, more } = answer;
    byId('results').append(...messages.reverse().map((said) => this.#result(room, query, said)));
    search.before = messages.at(-1)?.seq;
    byId('more-results').hidden = !more || messages.length === 0;
    const count = byId('results').children.length;
    const sealed = room.isSealed ? '; sealed messages are not searched, the server cannot read them' : '';
    setText(note, `${count === 0 ? 'nothing found' : `${counted(count, 'message')}, the newest first`}${sealed}`);
  }

  #result(room, query, { seq, from, at, text }) {
    const start = text.length > EXCERPT_CHARS ? Math.max(0, (rangesOf(query, text)[0]?.start ?? 0) - BEFORE_HIT) : 0;
    // A link within a button could not be followed: only hits are marked.
    const pieces = piecesOf(text.slice(start, start + EXCERPT_CHARS), { query }).map(({ text, found }) => ({ text, found }));
    const button = element('button', { type: 'button', class: 'result', 'data-result': seq }, [
      who(from, (name) => this.#page.chat.colours.of(name)),
      element('time', { datetime: at, text: moment(Date.parse(at), Date.now()) }),
      textElement(pieces),
    ]);
    button.onclick = () => this.#page.jump(room, seq);
    return element('li', {}, [button]);
  }
}
