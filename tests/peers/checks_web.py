"""W: the WebSocket, frame by frame. Numbers are those of the cases of Autobahn's test suite; those about compression
(12, 13) and about the UTF-8 of text messages (6) do not apply: there is none, and text is refused. Checks without a
number are of what that suite does not have."""

import json

from frames import Ended, frame
from harness import check, expect, expect_equal
from raw_websocket import ACCEPT, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawWebSocket, encoded

MESSAGE_MAX = 1 << 20  # bytes of a message, the headers of its fragments included (W5)
HEADER_MAX = 14  # bytes of a header of a client


class Member(RawWebSocket):
    """A member of the event dialect inside. What a client of Autobahn's has echoed is here a `ping` that is answered."""

    def __init__(self, server, number):
        super().__init__(server.address)
        server.peers.append(self)
        self.said, self.pongs, self.code = b"", [], None
        name = "case-" + number.replace(".", "-")
        self.send(BINARY, b"GLASSLINE2" + frame(json.dumps({"type": "hello", "name": name})))
        self.read_until(lambda: b'"welcome"' in self.said)

    def read_until(self, holds):
        while not holds():
            opcode, payload = self.receive()
            if opcode == BINARY:
                self.said += payload
            elif opcode == PONG:
                self.pongs.append(payload)
            else:
                expect_equal(opcode, CLOSE)
                self.code = int.from_bytes(payload[:2], "big") if payload else "none"
                return

    def is_answered(self, ref):
        self.read_until(lambda: f'"ref":"{ref}"'.encode() in self.said)
        return self.code is None

    def send_in(self, data, step):
        """Bytes in pieces, each a segment of its own as far as the kernel permits."""
        for start in range(0, len(data), step):
            self.send_raw(data[start:start + step])


def question(ref, size=0):
    """A request that is answered with this ref, as a frame of the dialect of at least so many bytes."""
    return frame(json.dumps({"type": "ping", "ref": ref}).ljust(size - 10))


def stream(ref, size):
    """Frames of the dialect of so many bytes together or a few more, the last of them the question."""
    filler = question("filler", 50_000)
    whole = max(size - 1, 0) // len(filler)
    return filler * whole + question(ref, size - whole * len(filler))


def fragments(data, size):
    """A message in fragments of so many bytes."""
    pieces = [data[start:start + size] for start in range(0, len(data), size)] or [b""]
    last = len(pieces) - 1
    return [encoded(BINARY if at == 0 else CONTINUATION, piece, is_last=at == last) for at, piece in enumerate(pieces)]


def section(clauses, title, cases):
    """A check of cases: a number and the bytes to send, or more of them; then `code` closes, or `ref` is answered."""
    def function(bench):
        with bench.server() as server:
            other = server.event("other")
            for number, sent, *expected in cases:
                for pieces in ways(sent):
                    run_case(Member(server, number), number, pieces, expected[0] if expected else None)
            other.barrier()
    function.__name__ = "section_" + title.split()[0].replace(".", "_")
    check(clauses, title)(function)


def ways(sent):
    """Pieces in which a case is sent: all at once, frame by frame, and byte by byte where it is short."""
    whole = b"".join(sent)
    return [[whole], sent] + ([[bytes([byte]) for byte in whole]] if len(whole) < 2_000 else [])


def run_case(member, number, pieces, wanted):
    """Sends pieces; `wanted` is the code of the close that answers them, or the pongs of a connection that goes on."""
    is_closed = isinstance(wanted, int)
    try:
        for piece in pieces:
            member.send_raw(piece)
    except Ended:
        # What follows the end may meet a closed socket.
        expect(is_closed, f"case {number}: goes on", member.code)
    if is_closed:
        member.read_until(lambda: False)
        expect_equal(member.code, wanted, f"case {number}: close")
        member.read_to_end()
    else:
        member.send(BINARY, question("after"))
        expect(member.is_answered("after"), f"case {number}: goes on", member.code)
        expect_equal(member.pongs, wanted or [], f"case {number}: pongs")
        member.close()


LENGTHS = (0, 125, 126, 127, 128, 65_535, 65_536, 65_536)
section("W5 W8", "1.1.1 to 1.1.8: text messages of every length are closed with 1003", [
    (f"1.1.{at + 1}", [encoded(TEXT, b"*" * length)], 1003) for at, length in enumerate(LENGTHS)])


@check("W4 W5", "1.2.1 to 1.2.8: binary messages of every form of length")
def lengths(bench):
    with bench.server() as server:
        for at, length in enumerate(LENGTHS):
            member, data = Member(server, f"1.2.{at + 1}"), stream("1", max(length, 60))
            for message in (data[:length], data[length:]):
                member.send_in(encoded(BINARY, message), 997 if at == 7 else 1 << 20)
            expect(member.is_answered("1"), f"case 1.2.{at + 1}", member.code)


PINGS = [bytes([at]) for at in range(10)]
section("W6", "2.1 to 2.11: pings and pongs", [
    ("2.1", [encoded(PING)], [b""]),
    ("2.2", [encoded(PING, b"Hello, world!")], [b"Hello, world!"]),
    ("2.3", [encoded(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")], [b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"]),
    ("2.4", [encoded(PING, b"\xfe" * 125)], [b"\xfe" * 125]),
    ("2.5", [encoded(PING, b"\xfe" * 126)], 1002),
    ("2.6", [encoded(PING, b"\xfe" * 125)], [b"\xfe" * 125]),
    ("2.7", [encoded(PONG)]),
    ("2.8", [encoded(PONG, b"unsolicited pong payload")]),
    ("2.9", [encoded(PONG, b"unsolicited"), encoded(PING, b"ping payload")], [b"ping payload"]),
    ("2.10", [encoded(PING, payload) for payload in PINGS], PINGS),
    ("2.11", [encoded(PING, payload) for payload in PINGS], PINGS),
])
section("W8", "3.1 to 3.7: reserved bits are closed with 1002", [
    ("3.1", [encoded(BINARY, b"x", reserved=1)], 1002),
    ("3.2", [encoded(BINARY, question("1")), encoded(BINARY, b"x", reserved=2), encoded(PING)], 1002),
    ("3.3", [encoded(BINARY, question("1")), encoded(BINARY, b"x", reserved=3), encoded(PING)], 1002),
    ("3.4", [encoded(BINARY, question("1")), encoded(BINARY, b"x", reserved=4), encoded(PING)], 1002),
    ("3.5", [encoded(BINARY, b"\x00\xff", reserved=5)], 1002),
    ("3.6", [encoded(PING, b"x", reserved=6)], 1002),
    ("3.7", [encoded(CLOSE, b"", reserved=7)], 1002),
])
section("W8", "4.1.1 to 4.2.5: reserved opcodes are closed with 1002", [
    (f"4.{1 + opcode // 8}.{opcode % 8 - 2}", [*before, encoded(opcode, payload), encoded(PING)], 1002)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    for before, payload in (([], b""), ([encoded(BINARY, question("1"))], b"reserved opcode payload"))])
HALVES = question("1")[:20], question("1")[20:]
FIRST, LAST = encoded(BINARY, HALVES[0], is_last=False), encoded(CONTINUATION, HALVES[1])
FIVE = fragments(question("1"), 10)
section("W4 W6 W8", "5.1 to 5.20: fragments, with control frames between them", [
    ("5.1", [encoded(PING, b"x", is_last=False), encoded(CONTINUATION, b"y")], 1002),
    ("5.2", [encoded(PONG, b"x", is_last=False), encoded(CONTINUATION, b"y")], 1002),
    *[(number, [FIRST, LAST]) for number in ("5.3", "5.4", "5.5")],
    *[(number, [FIRST, encoded(PING, b"between"), LAST], [b"between"]) for number in ("5.6", "5.7", "5.8")],
    *[(number, [encoded(CONTINUATION, b"x"), encoded(BINARY, question("1"))], 1002) for number in ("5.9", "5.10", "5.11")],
    *[(number, [encoded(CONTINUATION, b"x", is_last=False), encoded(BINARY, question("1"))], 1002)
      for number in ("5.12", "5.13", "5.14")],
    ("5.15", [FIRST, LAST, encoded(CONTINUATION, b"x", is_last=False), encoded(BINARY, question("1"))], 1002),
    ("5.16", [encoded(CONTINUATION, b"x", is_last=False), FIRST, LAST] * 2, 1002),
    ("5.17", [encoded(CONTINUATION, b"x"), FIRST, LAST] * 2, 1002),
    ("5.18", [FIRST, encoded(BINARY, HALVES[1])], 1002),
    *[(number, [FIVE[0], FIVE[1], encoded(PING, b"pongme 1!"), *FIVE[2:-1], encoded(PING, b"pongme 2!"), FIVE[-1]],
       [b"pongme 1!", b"pongme 2!"]) for number in ("5.19", "5.20")],
])


def close(code, reason=b""):
    return encoded(CLOSE, code.to_bytes(2, "big") + reason)


OK = close(1000)
section("W7 W8", "7.1.1 to 7.5.1: ends, their reasons, and what follows them", [
    ("7.1.1", [encoded(BINARY, question("1")), OK], 1000),
    ("7.1.2", [OK, OK], 1000),
    ("7.1.3", [OK, encoded(PING)], 1000),
    ("7.1.4", [OK, encoded(BINARY, question("1"))], 1000),
    ("7.1.5", [FIRST, OK, LAST], 1000),
    ("7.1.6", [encoded(BINARY, stream("1", 256 * 1024)), OK, encoded(PING)], 1000),
    ("7.3.2", [encoded(CLOSE, b"\x03")], 1002),
    ("7.3.3", [OK], 1000),
    ("7.3.4", [close(1000, b"Hello World!")], 1000),
    ("7.3.5", [close(1000, b"*" * 123)], 1000),
    ("7.3.6", [close(1000, b"*" * 124)], 1002),
    ("7.5.1", [close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")], 1007),
])
section("W7", "7.7.1 to 7.7.13: codes that may be sent are answered", [
    (f"7.7.{at + 1}", [close(code)], code)
    for at, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999))])
section("W8", "7.9.1 to 7.13.2: codes that may not be sent are closed with 1002", [
    *[(f"7.9.{at + 1}", [close(code)], 1002)
      for at, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999))],
    ("7.13.1", [close(5000)], 1002),
    ("7.13.2", [close(65_535)], 1002),
])


@check("W7", "7.3.1: a close without a code is answered without one")
def close_without_code(bench):
    with bench.server() as server:
        member = Member(server, "7.3.1")
        member.send(CLOSE)
        expect_equal(member.close_code(), "none")
        member.read_to_end()


LONGEST = stream("1", MESSAGE_MAX - HEADER_MAX)
section("W5 W8", "9.2.1 to 9.4.9: long messages, whole and in fragments, up to the limit", [
    ("9.2.1", [encoded(BINARY, stream("1", 64 * 1024))]),
    ("9.2.2", [encoded(BINARY, stream("1", 256 * 1024))]),
    ("9.2.3", [encoded(BINARY, LONGEST)]),
    ("9.2.4", [encoded(BINARY, LONGEST + b" ")], 1009),
    ("9.2.5", [encoded(BINARY, b"", length=8 << 20)], 1009),
    ("9.2.6", [encoded(BINARY, b"", length=16 << 20)], 1009),
    *[(f"9.4.{at + 1}", fragments(stream("1", 200_000), size))
      for at, size in enumerate((64, 256, 1024, 4096, 16_384, 65_536, 262_144))],
    ("9.4.8", fragments(LONGEST, 1 << 16), 1009),
    ("9.4.9", [encoded(BINARY, b"", is_last=False)] + [encoded(CONTINUATION, b"", is_last=False)] * (MESSAGE_MAX // 6), 1009),
])


@check("W4", "9.6.1 to 9.6.6, 10.1.1: a long message in small segments, and one in small fragments")
def chopped(bench):
    with bench.server() as server:
        for at, step in enumerate((64, 128, 256, 512, 1024, 2048)):
            member = Member(server, f"9.6.{at + 1}")
            member.send_in(encoded(BINARY, stream("1", 128 * 1024)), step)
            expect(member.is_answered("1"), f"case 9.6.{at + 1}", member.code)
        member = Member(server, "10.1.1")
        for data in fragments(stream("1", 65_536), 1300):
            member.send_raw(data)
        expect(member.is_answered("1"), "case 10.1.1", member.code)


@check("W4", "9.8.1 to 9.8.6: a thousand messages, one after the other")
def round_trips(bench):
    with bench.server() as server:
        for at, size in enumerate((0, 16, 64, 256, 1024, 4096)):
            member = Member(server, f"9.8.{at + 1}")
            for ref in range(1000):
                member.send(BINARY, question(f"{ref}", size))
                expect(member.is_answered(f"{ref}"), f"case 9.8.{at + 1}, message {ref}", member.code)
                member.said = b""


# A length that has another form than the shortest, and one of 64 bits.
LONG_FORM = bytes([0x82, 0xFE, 0, 5]) + bytes(4) + b"hello"
TOO_LARGE = encoded(BINARY, b"x", length=1 << 63)
UNMASKED = encoded(BINARY, b"GLASSLINE2", is_masked=False)
section("W5 W8", "masks and lengths: a frame without a mask, a longer form of a length, 2^63 bytes", [
    ("unmasked", [UNMASKED], 1002), ("long-form", [LONG_FORM], 1002), ("too-large", [TOO_LARGE], 1002)])


@check("W3 W8", "before `hello` errors have the same codes")
def before_hello(bench):
    with bench.server() as server:
        other = server.event("other")
        for sent, code in ((encoded(PING, b"x" * 126), 1002), (encoded(TEXT, b"hello"), 1003), (UNMASKED, 1002),
                           (encoded(CONTINUATION, b"x"), 1002), (close(999), 1002), (close(1000, b"\xff"), 1007),
                           (encoded(BINARY, b"", length=2 << 20), 1009), (TOO_LARGE, 1002)):
            raw = RawWebSocket(server.address)
            raw.send_raw(sent)
            expect_equal(raw.close_code(), code, f"the close after {sent[:20]!r}")
            raw.read_to_end()
        other.barrier()


@check("W4 W6", "payload is a stream: frames of the dialect and messages need not agree")
def stream_of_messages(bench):
    with bench.server() as server:
        raw = RawWebSocket(server.address)
        for byte in b"GLASSLINE2" + frame('{"type":"hello","name":"raw"}'):  # a message for each byte
            raw.send(BINARY, bytes([byte]))
        opcode, payload = raw.receive()
        expect_equal(opcode, BINARY)
        expect(b'"welcome"' in payload, "a welcome", payload)
        two = frame('{"type":"ping","ref":"1"}') + frame('{"type":"ping","ref":"2"}')
        raw.send(BINARY, two[:7], is_last=False)  # one message of three fragments, an empty one among them
        raw.send(CONTINUATION, b"", is_last=False)
        raw.send(PING, b"between")
        raw.send(CONTINUATION, two[7:])
        seen = {PONG: b"", BINARY: b""}
        while b'"2"' not in seen[BINARY]:
            opcode, payload = raw.receive()
            seen[opcode] += payload
        expect_equal(seen[PONG], b"between")
        expect(b'"1"' in seen[BINARY], "both pongs of the dialect", seen)


@check("W C", "inside a WebSocket only the event dialect: others are refused in its terms")
def only_events(bench):
    with bench.server() as server:
        for opening in (b"5         alice", b"GLASSNOISE\x01\x00", b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.1\r\n\r\n",
                        b"hello"):
            raw = RawWebSocket(server.address)
            raw.send(BINARY, opening)
            opcode, payload = raw.receive()
            expect(opcode == BINARY and b'"not_an_event"' in payload, f"an error of the dialect after {opening!r}", payload)
            expect_equal(raw.close_code(), 1000, f"the close after {opening!r}")
            raw.read_to_end()


@check("W1 W3", "the handshake: accept value of RFC 6455, no extension; version, key and Upgrade are checked")
def handshake(bench):
    with bench.server() as server:
        raw = RawWebSocket(server.address, **{"Sec-WebSocket-Extensions": "permessage-deflate",
                                              "Sec-WebSocket-Protocol": "chat"})
        expect(raw.head.startswith("HTTP/1.1 101 "), "101", raw.head)
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in raw.head.split("\r\n")[1:])}
        expect_equal(fields["sec-websocket-accept"], ACCEPT)
        expect_equal([name for name in fields if name in ("sec-websocket-extensions", "sec-websocket-protocol")], [])
        for changed, status in (({"Sec-WebSocket-Version": "8"}, "426"), ({"Sec-WebSocket-Key": "short"}, "400"),
                                ({"Sec-WebSocket-Key": None}, "400"), ({"Upgrade": None}, "426")):
            expect_equal(RawWebSocket(server.address, **changed).head.split()[1], status, f"the status for {changed}")
