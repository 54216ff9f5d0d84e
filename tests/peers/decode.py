"""What frames say, read from slices of connections: one more reader beside the tap and Wireshark.

Reads JSON Lines `{"connection": N, "direction": "to_server", "bytes": "hex"}`, each a slice in the
order in which it passed, and prints a line for each frame as `describe` makes it.
"""

import json
import sys

import frames

OPENING = b"GLASSLINE2"
GOODBYE = b"/exit"
SAID = ("type", "from", "to", "room", "text")  # what is compared, where it is a string


class Direction(frames.FrameStream):
    """One direction of a connection: the peers' reader of frames, fed with bytes in place of a socket."""

    def __init__(self):
        self.buffer = bytearray()
        self.number = 0

    def take(self, word):
        """Takes bytes that stand where a header would begin; False while they are not all there."""
        if not self.buffer.startswith(word):
            return False
        del self.buffer[:len(word)]
        return True


class Connection:
    def __init__(self):
        self.sides = {"to_server": Direction(), "to_client": Direction()}
        self.dialect = None
        self.client = None
        self.pair = None

    def feed(self, direction, data):
        """Yields (direction, number, what it says) for each frame that the slice completes."""
        side = self.sides[direction]
        side.buffer += data
        if self.dialect is None:
            start = bytes(side.buffer[:len(OPENING)])
            if start[:1].isdigit():  # D1: the first byte decides
                self.dialect = "tutorial"
            elif start != OPENING:
                return
            else:
                self.dialect = "event"
                side.take(OPENING)
                yield self.numbered(side, direction, {"type": "opening"})
        while True:
            leaves = self.dialect == "tutorial" and direction == "to_server" and side.buffer[:1] == b"/"
            if leaves:
                if not side.take(GOODBYE):
                    return
                yield self.numbered(side, direction, {"type": "bye", "from": self.client})
                continue
            payload = side.take_frame()
            if payload is None:
                return
            said = self.tutorial(direction, payload) if self.dialect == "tutorial" else self.event(direction, payload)
            yield self.numbered(side, direction, said)

    @staticmethod
    def numbered(side, direction, said):
        side.number += 1
        return direction, side.number, said

    def tutorial(self, direction, payload):
        """The client's first frame is its name (T3), the server sends pairs (T4)."""
        words = payload.decode()
        if direction == "to_server":
            if self.client is None:
                self.client = words
                return {"type": "name", "from": words}
            return {"type": "text", "from": self.client, "text": words}
        if self.pair is None:
            self.pair = words
            return {"type": "name", "from": words}
        name, self.pair = self.pair, None
        return {"type": "text", "from": name, "text": words}

    def event(self, direction, payload):
        said = json.loads(payload)
        if (direction, said["type"]) in (("to_server", "hello"), ("to_client", "welcome")):
            self.client = said.get("name", self.client)
        if direction == "to_server":
            said.setdefault("from", self.client)
        return {field: said[field] for field in SAID if isinstance(said.get(field), str)}


def describe(connection, direction, number, said):
    said = {field: said[field] for field in SAID if said.get(field) is not None}
    return json.dumps({"connection": connection, "direction": direction, "frame": number, **said}, ensure_ascii=False)


def main():
    connections = {}
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    for line in sys.stdin:
        part = json.loads(line)
        connection = connections.setdefault(part["connection"], Connection())
        for frame in connection.feed(part["direction"], bytes.fromhex(part["bytes"])):
            print(describe(part["connection"], *frame))


if __name__ == "__main__":
    main()
