/**
 * Frames of the event dialect (spec/protocol.md, T1, T2 and E1) and the WebSocket that carries
 * them. A binary message holds the same bytes as TCP; its bounds mean nothing.
 */

/** First bytes of a connection: they select the event dialect (D). */
const OPENING = 'GLASSLINE2';
/** Bytes of a frame's header: the payload's length in ASCII digits, padded with spaces. */
const HEADER_BYTES = 10;
/** Most bytes of a payload (E1). */
export const PAYLOAD_BYTES_MAX = 102400;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Length of a text on the wire, in bytes of UTF-8.
 * @param {string} text
 */
export function byteLength(text) {
  return encoder.encode(text).length;
}

/**
 * Encodes a request as one frame.
 * @param {object} request
 * @returns {Uint8Array}
 */
export function encodeFrame(request) {
  const payload = encoder.encode(JSON.stringify(request));
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame.set(encoder.encode(String(payload.length).padEnd(HEADER_BYTES, ' ')));
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Bytes that are no frame or no event: the connection cannot be used further. */
export class FrameError extends Error {}

/** Reader of frames, whose bytes may arrive in pieces of any size. */
export class FrameReader {
  #bytes = new Uint8Array(0);

  /**
   * Takes received bytes and returns the events that they complete, in order.
   * @param {Uint8Array} bytes
   * @returns {object[]}
   * @throws {FrameError} if the bytes are no frames
   */
  push(bytes) {
    this.#bytes = this.#bytes.length === 0 ? bytes : joined(this.#bytes, bytes);
    const events = [];
    let at = 0;
    while (this.#bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + payloadLength(this.#bytes.subarray(at, at + HEADER_BYTES));
      if (end > this.#bytes.length) break;
      events.push(decodePayload(this.#bytes.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    // A copy, so that a few bytes do not keep a large message in memory.
    this.#bytes = this.#bytes.slice(at);
    return events;
  }
}

function joined(left, right) {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Returns the length that a header states; spaces may stand on either side of it (T2). */
function payloadLength(header) {
  const match = /^ *([0-9]+) *$/.exec(String.fromCharCode(...header));
  if (!match) throw new FrameError('a header is not a number of bytes');
  const length = Number(match[1]);
  if (length > PAYLOAD_BYTES_MAX) throw new FrameError(`a frame announces ${length} bytes`);
  return length;
}

function decodePayload(payload) {
  let event;
  try {
    event = JSON.parse(decoder.decode(payload));
  } catch {
    throw new FrameError('a frame is not JSON in UTF-8');
  }
  if (event === null || typeof event !== 'object' || typeof event.type !== 'string') {
    throw new FrameError('a frame is not an event');
  }
  return event;
}

/**
 * One connection at a time to the server. Of a connection that was closed or replaced nothing is
 * reported any more.
 */
export class Link {
  #url;
  #handlers;
  /** @type {WebSocket | null} */
  #socket = null;

  /**
   * @param {string} url address of the WebSocket
   * @param {{opened: () => void, received: (events: object[]) => void,
   *          closed: (why: string) => void}} handlers
   */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
  }

  /** Connects anew; a connection that is still there is dropped. */
  open() {
    this.close();
    const socket = new WebSocket(this.#url);
    const reader = new FrameReader();
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    const whileCurrent = (handle) => (event) => {
      if (this.#socket === socket) handle(event);
    };
    socket.onopen = whileCurrent(() => {
      socket.send(encoder.encode(OPENING));
      this.#handlers.opened();
    });
    socket.onmessage = whileCurrent((message) => this.#receive(reader, message.data));
    socket.onclose = whileCurrent((event) => this.#lose(event.reason || 'the connection was closed'));
  }

  /** Drops the connection, without a report. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** @param {object} request */
  write(request) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeFrame(request));
  }

  /** Bytes that the browser could not pass on yet: a server over its flood limit stops reading. */
  get bufferedBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  #receive(reader, data) {
    try {
      if (typeof data === 'string') throw new FrameError('a message is text');
      this.#handlers.received(reader.push(new Uint8Array(data)));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#lose(`the server does not speak the event dialect: ${error.message}`);
    }
  }

  #lose(why) {
    this.close();
    this.#handlers.closed(why);
  }
}
