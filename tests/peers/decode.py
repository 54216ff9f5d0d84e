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


class WebSocket:
    """The content of the messages in one direction of a WebSocket (RFC 6455, 5.2), behind a head of HTTP."""

    def __init__(self):
        self.buffer = bytearray()
        self.is_open = False

    def content(self, data):
        self.buffer += data
        if not self.is_open:
            head, found, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            if not found:
                return b""
            self.is_open, self.buffer = True, bytearray(rest)
        content = bytearray()
        while (frame := self.take()) is not None:
            opcode, payload = frame
            if opcode < 8:  # the others control the link
                content += payload
        return bytes(content)

    def take(self):
        """Opcode and payload of the next whole frame, without its mask."""
        if len(self.buffer) < 2:
            return None
        length, at = self.buffer[1] & 0x7F, 2
        if length > 125:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(self.buffer[2:2 + size], "big"), 2 + size
        is_masked = self.buffer[1] & 0x80
        mask = bytes(self.buffer[at:at + 4]) if is_masked else bytes(4)
        at += 4 if is_masked else 0
        if len(self.buffer) < at + length:
            return None
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.buffer[at:at + length]))
        opcode = self.buffer[0] & 0x0F
        del self.buffer[:at + length]
        return opcode, payload


class Connection:
    def __init__(self):
        self.websocket = None
        self.sides = {"to_server": Direction(), "to_client": Direction()}
        self.dialect = None
        self.client = None
        self.pair = None

    def feed(self, direction, data):
        """Yields (direction, number, what it says) for each frame that the slice completes."""
        side = self.sides[direction]
        if self.websocket:
            data = self.websocket[direction].content(data)
        side.buffer += data
        if self.dialect is None and not self.websocket and side.buffer[:4] == b"GET ":
            self.websocket = {direction: WebSocket() for direction in self.sides}
            head, side.buffer = bytes(side.buffer), bytearray()
            side.buffer += self.websocket[direction].content(head)
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
