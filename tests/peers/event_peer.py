"""A small client of the event dialect (E1 to E7), written from the clauses.

    with EventPeer(("127.0.0.1", 1234), "eve") as eve:
        eve.say("lobby", "hello")
        print(eve.wait("message"))
"""

import itertools
import json
import time

from frames import PATIENCE, Ended, FrameStream, Late, frame, new_id

MAGIC = b"GLASSLINE2"
EVENT_BYTES_MAX = 102_400


class Refused(Exception):
    """The server answered `hello` with an `error`; `event` holds it."""

    def __init__(self, event):
        super().__init__(json.dumps(event))
        self.event = event


class EventPeer(FrameStream):
    """`seen` keeps every event that ever came. With `name=None` nothing is sent but the ten bytes, without `magic` nothing at all."""

    def __init__(self, address, name=None, receive_buffer=None, magic=True, source=None, link=None, **hello):
        super().__init__(address, receive_buffer, source, link)
        self.seen = []
        self.welcome = None
        self.name = None
        self._refs = itertools.count(1)
        if magic:
            self.send_raw(MAGIC)
        if name is not None:
            try:
                self.hello(name, **hello)
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def hello(self, name, timeout=PATIENCE, **fields):
        """Opens the conversation (E2). The first event that comes must be the answer."""
        self.send("hello", name=name, **fields)
        answer = self.recv(timeout)
        if answer["type"] == "error":
            raise Refused(answer)
        if answer["type"] != "welcome":
            raise AssertionError(f"the answer to hello is {answer}")
        self.welcome, self.name = answer, answer.get("name")
        return answer

    def send(self, kind, **fields):
        self.send_object({"type": kind, **fields})

    def send_object(self, value):
        self.send_raw(frame(json.dumps(value, ensure_ascii=False)))

    def say(self, room, text, **fields):
        """Sends a message without waiting, gives its id."""
        fields.setdefault("id", new_id())
        self.send("send", room=room, text=text, **fields)
        return fields["id"]

    def recv(self, timeout=PATIENCE):
        payload = self.read_frame(timeout)
        if len(payload) > EVENT_BYTES_MAX:
            raise AssertionError(f"an event of {len(payload)} bytes (E1)")
        event = json.loads(payload)
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise AssertionError(f"not an event: {payload!r}")
        self.seen.append(event)
        return event

    def wait(self, kind, timeout=PATIENCE, **fields):
        """The next event of this type with these fields; what comes before it is only kept in `seen`."""
        deadline = time.monotonic() + timeout
        start = len(self.seen)
        while True:
            try:
                event = self.recv(deadline - time.monotonic())
            except (Late, Ended) as error:
                raise type(error)(f"waiting for {kind} {fields or ''}: {error}; "
                                  f"saw {self.seen[start:][-12:]}") from None
            if event["type"] == kind and all(event.get(key) == value for key, value in fields.items()):
                return event

    def wait_named(self, kind, name, timeout=PATIENCE):
        """The first `joined` or `left` event, past or to come, that names this person."""
        for event in self.seen:
            if event["type"] == kind and name in event["names"]:
                return event
        deadline = time.monotonic() + timeout
        while True:
            event = self.wait(kind, deadline - time.monotonic())
            if name in event["names"]:
                return event

    def barrier(self, timeout=PATIENCE):
        """Pings, and gives the events that came before the pong (E5)."""
        ref = f"barrier-{next(self._refs)}"
        start = len(self.seen)
        self.send("ping", ref=ref)
        self.wait("pong", timeout, ref=ref)
        return self.seen[start:-1]

    def ask(self, kind, answer, **fields):
        """A request with a ref, and the event of type `answer` that carries the ref back (E5)."""
        ref = f"ask-{next(self._refs)}"
        self.send(kind, ref=ref, **fields)
        return self.wait(answer, ref=ref)

    def said(self, room, text, **fields):
        """Sends a message and waits for the acknowledgement (E4), which its ref distinguishes from another's message of the same id."""
        ref = fields.setdefault("ref", f"said-{next(self._refs)}")
        self.say(room, text, **fields)
        return self.wait("message", ref=ref)

    def page(self, room="lobby", **fields):
        """A page of the history (E8)."""
        return self.ask("history", "history", room=room, **fields)

    def messages(self, room=None):
        return [event for event in self.seen
                if event["type"] == "message" and room in (None, event.get("room"))]
