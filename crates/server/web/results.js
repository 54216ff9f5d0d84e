/** Results of a search in a room, with a jump to each. */
import { byId, element, setText, showPieces } from './dom.js';
import { counted, moment } from './format.js';
import { piecesOf, rangesOf } from './links.js';
import { who } from './message.js';

/** Messages of one page of results. */
const PAGE_MESSAGES = 50;
/** Characters shown before the first hit of a long text. */
const BEFORE_HIT = 60;
const EXCERPT_CHARS = 400;

export class Results {
  #requests;
  #jump;
  #query = '';
  #room = null;
  #before;
  #count = 0;
  /** Counts searches: an answer to an earlier one is not shown. */
  #search = 0;

  /**
   * @param {import('./requests.js').Requests} requests
   * @param {(room: import('./room.js').Room, seq: number) => void} jump
   */
  constructor(requests, jump) {
    this.#requests = requests;
    this.#jump = jump;
    byId('close-results').onclick = () => this.close();
    byId('more-results').onclick = () => this.#page(this.#colourOf);
  }

  #colourOf = () => 0;

  get isOpen() {
    return !byId('results-pane').hidden;
  }

  /** Searches a room for a text. */
  async search(room, query, colourOf) {
    this.#search += 1;
    this.#room = room;
    this.#query = query;
    this.#colourOf = colourOf;
    this.#before = undefined;
    this.#count = 0;
    byId('results').replaceChildren();
    byId('results-pane').hidden = false;
    document.body.classList.add('searching');
    await this.#page();
  }

  close() {
    byId('results-pane').hidden = true;
    document.body.classList.remove('searching');
    byId('search').value = '';
  }

  async #page() {
    const search = this.#search;
    byId('more-results').hidden = true;
    setText(byId('results-note'), 'searching');
    const answer = this.#room.kind === 'direct' ? this.#local() : await this.#requests.ask({
      type: 'search', room: this.#room.name, query: this.#query, limit: PAGE_MESSAGES,
      ...(this.#before !== undefined && { before: this.#before }),
    });
    if (search === this.#search) this.#show(answer);
  }

  /** Direct messages are not stored: what the page has is all there is. */
  #local() {
    const messages = this.#room.entries.filter(({ kind, text }) => kind === 'message' && rangesOf(this.#query, text).length > 0);
    return { type: 'history', messages: messages.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })), more: false };
  }

  #show(answer) {
    if (answer?.type !== 'history') {
      const why = answer?.code === 'no_history' ? 'This server keeps no history, so there is nothing to search.' : answer?.text;
      return setText(byId('results-note'), why ?? 'You are offline: the server cannot search now.');
    }
    const newestFirst = [...answer.messages].reverse();
    byId('results').append(...newestFirst.map((said) => this.#result(said)));
    this.#count += newestFirst.length;
    this.#before = answer.messages[0]?.seq ?? this.#before;
    const hasMore = answer.more === true && newestFirst.length > 0;
    byId('more-results').hidden = !hasMore;
    const found = this.#count === 0 ? 'Nothing found' : `${counted(this.#count, 'message')}, the newest first`;
    const sealed = this.#room.isSealed ? ' Sealed messages are not searched: the server cannot read them.' : '';
    setText(byId('results-note'), `${found}${answer.more && !hasMore ? '; the server stopped early' : ''}.${sealed}`);
  }

  #result(said) {
    const body = element('bdi', { class: 'body', dir: 'auto' });
    // A link within a button could not be followed: results are plain, with the hits marked.
    const pieces = piecesOf(excerptOf(said.text, this.#query), { query: this.#query });
    showPieces(body, pieces.map(({ text, found }) => ({ text, found })));
    return element('li', {}, [element('button', { type: 'button', class: 'result', 'data-seq': said.seq, onclick: () => this.#jump(this.#room, said.seq) }, [
      who(said.from, this.#colourOf),
      element('time', { datetime: said.at, text: moment(Date.parse(said.at), Date.now()) }),
      body,
    ])]);
  }
}

/** Part of a long text around its first hit. */
function excerptOf(text, query) {
  if (text.length <= EXCERPT_CHARS) return text;
  const hit = rangesOf(query, text)[0]?.start ?? 0;
  const start = Math.max(0, hit - BEFORE_HIT);
  return `${start > 0 ? '…' : ''}${text.slice(start, start + EXCERPT_CHARS)}…`;
}
