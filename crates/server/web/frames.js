/** Frames of the event dialect (spec/protocol.md, T1, T2, E1) and the WebSocket that carries their bytes. */

/** First bytes of a connection: they select the event dialect (D). */
const OPENING = 'GLASSLINE2';
/** Bytes of a header: the payload's length in ASCII digits, padded with spaces. */
const HEADER_BYTES = 10;
export const PAYLOAD_BYTES_MAX = 102400;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Length of a text in bytes of UTF-8. @param {string} text */
export const byteLength = (text) => encoder.encode(text).length;

/** Encodes a request. @param {object} request */
export function encodeFrame(request) {
  const json = JSON.stringify(request);
  return encoder.encode(String(byteLength(json)).padEnd(HEADER_BYTES) + json);
}

/** Bytes that are no frame or no event: the connection is of no use any more. */
export class FrameError extends Error {}

/**
 * Fields that the page relies on in each event (spec/events.schema.json): a text, a number (`#`), a time (`@`), or a list of
 * texts or of what stands in the brackets; with `?` it may be absent. An event without them would stop every later drawing.
 */
const FIELDS = {
  __proto__: null,
  welcome: 'name token rooms[_state]',
  _state: 'room seq# count#',
  message: 'room seq# at@ from text',
  history: 'room messages[_said]',
  _said: 'seq# at@ from text',
  direct: 'from to text at@?',
  joined: 'room names[] count# seq#?',
  left: 'room names[] count#',
  members: 'room names[] count#',
  renamed: 'from to',
  whois: 'name since@ idle_s# dialect link rooms[] away?',
  rooms: 'rooms[_size] count#',
  _size: 'room count#',
  away: 'name text?',
  act: 'by act who? until@? text?',
  gap: 'room from# to#',
  error: 'code text',
  notice: 'text',
  bye: 'text',
};

const isText = (value) => typeof value === 'string';
const KINDS = {
  '': isText,
  '#': (value) => Number.isSafeInteger(value) && value >= 0,
  '@': (value) => isText(value) && !Number.isNaN(Date.parse(value)),
  '[': (value, of) => Array.isArray(value) && value.every((one) => (of ? hasFields(one, of) : isText(one))),
};

/** Returns whether a value has the fields of a type; of one that the page does not know nothing is asked (E1). */
function hasFields(value, type) {
  return value instanceof Object && [...(FIELDS[type] ?? '').matchAll(/(\w+)([#@[]?)(\w*)\]?(\??)/g)]
    .every(([, name, kind, of, isOptional]) => (isOptional && value[name] === undefined) || KINDS[kind](value[name], of));
}

/** Reader of frames, whose bytes arrive in pieces of any size. */
export class FrameReader {
  #bytes = new Uint8Array(0);

  /** Takes bytes and returns the events that they complete. @param {Uint8Array} bytes @throws {FrameError} */
  push(bytes) {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    const events = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const start = at + HEADER_BYTES;
      const end = start + payloadLength(all.subarray(at, start));
      if (end > all.length) break;
      events.push(decodePayload(all.subarray(start, end)));
      at = end;
    }
    this.#bytes = all.slice(at);
    return events;
  }
}

function payloadLength(header) {
  const [, digits] = /^ *([0-9]+) *$/.exec(String.fromCharCode(...header)) ?? [];
  if (digits === undefined || Number(digits) > PAYLOAD_BYTES_MAX) throw new FrameError('a header is no length');
  return Number(digits);
}

function decodePayload(payload) {
  try {
    const event = JSON.parse(decoder.decode(payload));
    if (isText(event.type) && isText(event.ref ?? '') && hasFields(event, event.type)) return event;
  } catch {
    // Reported below.
  }
  throw new FrameError('a frame is no event');
}

/** One connection at a time. Of one that was closed or replaced nothing is reported any more. */
export class Link {
  #url;
  #handlers;
  /** @type {WebSocket | null} */
  #socket = null;

  /** @param {{opened(): void, received(events: object[]): void, closed(): void}} handlers */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
  }

  open() {
    this.close();
    const socket = new WebSocket(this.#url);
    const reader = new FrameReader();
    const whileCurrent = (handle) => (event) => this.#socket === socket && handle(event);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = whileCurrent(() => {
      socket.send(encoder.encode(OPENING));
      this.#handlers.opened();
    });
    socket.onmessage = whileCurrent(({ data }) => this.#receive(reader, data));
    socket.onclose = whileCurrent(() => this.#lose());
  }

  /** Drops the connection, without a report. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  write(request) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeFrame(request));
  }

  /** Bytes that the browser could not pass on yet: over its flood limit the server stops reading. */
  get bufferedBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  #receive(reader, data) {
    try {
      this.#handlers.received(reader.push(new Uint8Array(data)));
    } catch (error) {
      // Neither a frame nor an event that the page understands: the connection is of no use.
      console.error(error);
      this.#lose();
    }
  }

  #lose() {
    this.close();
    this.#handlers.closed();
  }
}
