"""W: the WebSocket with clients of other people: PyPI `websockets` and npm's `ws`. Frames by hand, and the cases of
Autobahn's test suite, are in `checks_web.py` of tests/peers."""

import json
import shutil
import subprocess

from event_peer import EventPeer
from harness import Skipped, check, expect, expect_equal
from paths import NODE_MODULES, ROOT
from websocket_link import HandshakeRefused, WebSocketLink


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
    if not (node := shutil.which("node")) or not (NODE_MODULES / "ws").is_dir():
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
