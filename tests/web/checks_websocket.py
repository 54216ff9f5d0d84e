"""W: the WebSocket as a link, with the protocol of PyPI `websockets`, with npm's `ws`, and with frames by hand."""

import json
import shutil
import subprocess
from pathlib import Path

from event_peer import EventPeer
from frames import frame
from harness import Skipped, check, expect, expect_equal
from raw_websocket import (ACCEPT, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawWebSocket)
from websocket_link import HandshakeRefused, WebSocketLink

ROOT = Path(__file__).resolve().parents[2]
HELLO = b"GLASSLINE2" + frame('{"type":"hello","name":"raw"}')


@check("W E", "PyPI websockets: the event dialect inside, beside members over TCP, with the same order")
def event_dialect(bench):
    with bench.server() as server:
        web, plain = server.event("web", link=WebSocketLink), server.event("plain")
        expect_equal(web.welcome["name"], "web")
        for number in range(20):
            (web, plain)[number % 2].said("lobby", f"message {number}")
        for peer in (web, plain):
            peer.barrier()
        orders = [[(event["seq"], event["text"]) for event in peer.messages("lobby")] for peer in (web, plain)]
        expect_equal(orders[0], orders[1])
        expect_equal(len(orders[0]), 20)
        long = "long " * 3276
        web.said("lobby", long)
        expect_equal(plain.wait("message", text=long)["from"], "web")
        expect_equal(plain.ask("whois", "whois", name="web")["link"], "plaintext")
        web.send("bye")
        web.wait("bye")


@check("W E1", "payload is a stream: frames of the dialect and messages need not agree")
def stream(bench):
    with bench.server() as server:
        raw = RawWebSocket(server.address)
        for byte in HELLO:  # a message for each byte
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


def fault(clauses, title, *sent, code):
    """A check that frames are answered with a close of this code, and that others are left alone."""
    def function(bench):
        with bench.server() as server:
            other = server.event("other")
            for prefix in ([], [HELLO]):
                raw = RawWebSocket(server.address)
                for data in prefix:
                    raw.send(BINARY, data)
                for arguments, options in sent:
                    raw.send(*arguments, **options)
                expect_equal(raw.close_code(), code, f"the close, {'a member' if prefix else 'before hello'}")
                raw.read_to_end()
            other.barrier()
    function.__name__ = "fault_" + "".join(letter if letter.isalnum() else "_" for letter in title)
    check(clauses, title)(function)


def sent(*arguments, **options):
    return arguments, options


# Numbers are those of the cases of Autobahn's test suite.
fault("W", "2.5: a ping of 126 bytes", sent(PING, b"x" * 126), code=1002)
for bit in (1, 2, 4):
    fault("W", f"3.x: reserved bit {bit}", sent(BINARY, b"x", reserved=bit), code=1002)
for opcode in (3, 7, 11, 15):
    fault("W", f"4.x: reserved opcode {opcode}", sent(opcode, b"x"), code=1002)
fault("W", "5.1: a ping in fragments", sent(PING, b"x", is_last=False), code=1002)
fault("W", "5.9: a continuation of nothing", sent(CONTINUATION, b"x"), code=1002)
fault("W", "5.18: a message within a message", sent(BINARY, b"G", is_last=False), sent(BINARY, b"L"), code=1002)
fault("W", "1.1: text in place of binary", sent(TEXT, b"hello"), code=1003)
fault("W", "7.3.2: a close of one byte", sent(CLOSE, b"x"), code=1002)
fault("W", "7.5.1: a reason that is not UTF-8", sent(CLOSE, b"\x03\xe8\xce\xba\xe1\xbd\xff"), code=1007)
for wrong in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
    fault("W", f"7.9: close code {wrong}", sent(CLOSE, wrong.to_bytes(2, "big")), code=1002)
fault("W", "a frame without a mask", sent(BINARY, b"GLASSLINE2", is_masked=False), code=1002)
fault("W", "9.x: a message of 2^63 bytes", sent(BINARY, b"x", length=1 << 63), code=1002)


@check("W", "7.1, 7.7: a close is answered with its code, without one with none")
def closes(bench):
    with bench.server() as server:
        for code in (None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            raw = RawWebSocket(server.address)
            raw.send(CLOSE, b"" if code is None else code.to_bytes(2, "big") + "gone ☕".encode())
            expect_equal(raw.close_code(), "none" if code is None else code, f"close {code}")
            raw.read_to_end()


@check("W", "2.x: pings of 0 and 125 bytes come back as pongs in order; pongs are ignored")
def pings(bench):
    with bench.server() as server:
        raw = RawWebSocket(server.address)
        payloads = [b"", bytes(range(125)), b"third"]
        raw.send(PONG, b"nobody asked")
        for payload in payloads:
            raw.send(PING, payload)
        expect_equal([raw.receive() for _ in payloads], [(PONG, payload) for payload in payloads])


@check("W", "endless fragments of nothing end, and others do not notice")
def endless_fragments(bench):
    with bench.server() as server:
        other, raw = server.event("other"), RawWebSocket(server.address)
        raw.send(BINARY, HELLO)
        raw.receive()
        raw.send(BINARY, b"", is_last=False)
        for _ in range(2000):
            raw.send(CONTINUATION, b"", is_last=False)
        other.barrier()
        raw.send(PING, b"still here")
        while True:
            opcode, payload = raw.receive()
            if opcode == PONG:
                break
        expect_equal(payload, b"still here")


@check("W", "inside a WebSocket only the event dialect: others are refused in its terms")
def only_events(bench):
    with bench.server() as server:
        for opening in (b"5         alice", b"GLASSNOISE\x01\x00", b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.1\r\n\r\n",
                        b"hello"):
            raw = RawWebSocket(server.address)
            raw.send(BINARY, opening)
            code = raw.close_code()
            expect(code not in ("cut", "none"), f"a close with a code after {opening!r}", code)
            raw.read_to_end()


@check("W", "the handshake: accept value of RFC 6455, no extension; version, key and method are checked")
def handshake(bench):
    with bench.server() as server:
        raw = RawWebSocket(server.address, **{"Sec-WebSocket-Extensions": "permessage-deflate",
                                              "Sec-WebSocket-Protocol": "chat"})
        expect(raw.head.startswith("HTTP/1.1 101 "), "101", raw.head)
        fields = {name.lower(): value.strip() for name, _, value in
                  (line.partition(":") for line in raw.head.split("\r\n")[1:])}
        expect_equal(fields["sec-websocket-accept"], ACCEPT)
        expect_equal([name for name in fields if name in ("sec-websocket-extensions", "sec-websocket-protocol")], [])
        for changed, statuses in (({"Sec-WebSocket-Version": "8"}, {426}), ({"Sec-WebSocket-Key": "short"}, {400}),
                                  ({"Sec-WebSocket-Key": None}, {400}), ({"Upgrade": None}, {400, 426})):
            head = RawWebSocket(server.address, **changed).head
            expect(int(head.split()[1]) in statuses, f"{statuses} for {changed}", head)


@check("W", "a WebSocket needs an Origin that equals scheme and Host")
def origins(bench):
    with bench.server() as server:
        host = "%s:%d" % server.address

        def opened(origin, named=host):
            try:
                EventPeer(server.address, "eve", link=lambda sock: WebSocketLink(sock, named, origin)).close()
                return 101
            except HandshakeRefused as refused:
                return refused.response.status_code
        for origin in (f"http://{host}", None):  # no browser leaves it out
            expect_equal(opened(origin), 101, f"origin {origin}")
        for origin in ("http://evil.example", f"https://{host}", "http://127.0.0.1:1", "null", f"http://{host}.evil.example",
                       "http://127.0.0.1", f"http://{host}/"):
            expect_equal(opened(origin), 403, f"origin {origin}")
        expect_equal(opened("http://rebound.example:1", "rebound.example:1"), 421, "a rebound name")


@check("W", "npm ws: hello, messages in fragments, pings, closes, text")
def npm_ws(bench):
    if not (node := shutil.which("node")) or not (ROOT / "target/node/node_modules/ws").is_dir():
        raise Skipped("node or its package ws is missing: npm ci (tests/web/README.md)")
    with bench.server() as server:
        plain = server.event("plain")
        ran = subprocess.run([node, ROOT / "tests/web/clients/ws_client.mjs", "ws://%s:%d/ws" % server.address],
                             capture_output=True, text=True, timeout=20)
        expect(ran.returncode == 0, "a client that is content", ran.stdout[-800:] + ran.stderr[-800:])
        facts = json.loads(ran.stdout)
        expect_equal(facts, {"extensions": "", "welcome": "node", "said": "from ws, in fragments", "pong": "ping 1",
                             "close": 4000, "text": 1003})
        expect_equal(plain.wait("message")["text"], "from ws, in fragments")
