// A client of the event dialect over npm's `ws`: `ws_client.mjs URL` prints one JSON object of what it saw.

import { createRequire } from "node:module";

const { WebSocket } = createRequire(new URL("../../../target/node/", import.meta.url))("ws");
const url = process.argv[2];
const seen = {};

/** Returns one frame of the dialect: its length in ten bytes, then the event (T1, E1). */
function frame(event) {
  const payload = Buffer.from(JSON.stringify(event));
  return Buffer.concat([Buffer.from(String(payload.length).padEnd(10)), payload]);
}

/** Takes the whole frames out of the bytes that came; returns their events and the rest. */
function take(bytes) {
  const events = [];
  for (;;) {
    const end = 10 + Number(bytes.subarray(0, 10).toString().trim());
    if (bytes.length < 10 || bytes.length < end) return [events, bytes];
    events.push(JSON.parse(bytes.subarray(10, end)));
    bytes = bytes.subarray(end);
  }
}

/** Opens a connection; `next(type)` waits for the next event of a type. */
function open() {
  const socket = new WebSocket(url, { origin: new URL(url.replace("ws", "http")).origin });
  let held = Buffer.alloc(0);
  const events = [];
  let wake = () => {};
  socket.on("message", (data, isBinary) => {
    if (!isBinary) throw new Error("a text message of the server");
    const [taken, rest] = take(Buffer.concat([held, data]));
    held = rest;
    events.push(...taken);
    wake();
  });
  const next = async (type) => {
    for (;;) {
      const at = events.findIndex((event) => event.type === type);
      if (at >= 0) return events.splice(0, at + 1).at(-1);
      await new Promise((done) => (wake = done));
    }
  };
  return { socket, next, opened: once(socket, "open"), closed: once(socket, "close") };
}

function once(emitter, kind) {
  return new Promise((done, fail) => {
    emitter.once(kind, (...values) => done(values));
    emitter.once("error", fail);
  });
}

const talk = open();
await talk.opened;
seen.extensions = talk.socket.extensions;
const hello = Buffer.concat([Buffer.from("GLASSLINE2"), frame({ type: "hello", name: "node" })]);
talk.socket.send(hello.subarray(0, 4), { fin: false });
talk.socket.send(hello.subarray(4));
seen.welcome = (await talk.next("welcome")).name;
const said = frame({ type: "send", room: "lobby", text: "from ws, in fragments", id: "0".repeat(31) + "1" });
for (const [at, byte] of said.entries()) talk.socket.send(Buffer.of(byte), { fin: at === said.length - 1 });
seen.said = (await talk.next("message")).text;
const pong = once(talk.socket, "pong");
talk.socket.ping("ping 1");
seen.pong = (await pong)[0].toString();
talk.socket.close(4000, "done");
seen.close = (await talk.closed)[0];

const text = open();
await text.opened;
text.socket.send("text");
seen.text = (await text.closed)[0];

console.log(JSON.stringify(seen));
