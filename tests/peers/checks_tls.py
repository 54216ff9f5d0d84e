"""C, D: TLS links, with the `ssl` module of Python's standard library (OpenSSL)."""

import ssl
import time

from event_peer import EventPeer
from frames import PROMPT, Ended, FrameStream, frame
from harness import check, expect, expect_equal
from tutorial_peer import TutorialPeer, pairs_in

CLIENT_HELLO = b"\x16\x03\x01\x00\x05hello"
UNEXPECTED_MESSAGE = b"\x15\x03\x03\x00\x02\x02\x0a"
PROTOCOL_VERSION = b"\x15\x03\x03\x00\x02\x02\x46"


def tls(sock, highest=ssl.TLSVersion.TLSv1_3):
    """The socket, protected. A stream without the announced end is an error (C5)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = highest
    return context.wrap_socket(sock, suppress_ragged_eofs=False)


@check("C1 D", "both dialects inside TLS 1.3; whois tells the link of each")
def dialects(bench):
    with bench.server() as server:
        eve = server.event("eve", link=tls)
        tom, plain = server.tutorial("tom", link=tls), server.event("plain")
        expect_equal(eve.sock.version(), "TLSv1.3")
        tom.say("from afar")
        expect_equal(eve.wait("message")["text"], "from afar")
        long = "long " * 3276
        eve.say("lobby", long)
        expect_equal(tom.next_said().said, long)
        for name, link in (("eve", "tls"), ("tom", "tls"), ("plain", "plaintext")):
            whois = plain.ask("whois", "whois", name=name)
            expect_equal((whois["link"], whois.get("key")), (link, None))


@check("C5", "the server announces its end behind `bye`; a client that does not was cut off")
def ends(bench):
    with bench.server() as server:
        eve = server.event("eve", link=tls)
        eve.send("bye")
        eve.wait("bye")
        try:
            rest = eve.sock.recv(1)
        except ssl.SSLError as error:
            rest = error
        expect_equal(rest, b"", "a close_notify")
        # A close of the socket alone announces nothing.
        server.event("cut", link=tls).close()
        server.wait_text(r'name="cut".*reason="truncated"', "err")


@check("C1 C6", "TLS 1.2 is refused with an alert; others are unmoved")
def old_version(bench):
    with bench.server() as server:
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        try:
            FrameStream(server.address, link=lambda sock: tls(sock, ssl.TLSVersion.TLSv1_2))
            refused = "no refusal"
        except ssl.SSLError as error:
            refused = error.reason
        expect_equal(refused, "TLSV1_ALERT_PROTOCOL_VERSION")
        mouth.say("unmoved")
        ear.wait("message", text="unmoved")
        server.wait_text(r'reason="handshake_failed"', "err")


@check("D", "a link inside a link is refused inside it")
def nested(bench):
    with bench.server() as server:
        inner = server.bare(link=tls)
        inner.send_raw(CLIENT_HELLO)
        expect_equal(inner.read_to_end(), UNEXPECTED_MESSAGE)
        inner = server.bare(link=tls)
        inner.send_raw(b"GLASSNOISE")
        expect(inner.read_to_end().endswith(b"\n"), "a line of text", "none")


@check("D", "with --require tls plaintext is refused in its own dialect, and Noise with a line")
def required(bench):
    with bench.server("--require", "tls") as server:
        old = TutorialPeer(server.address)
        old.send_raw(frame("old"))
        said, whole = pairs_in(old.read_to_end())
        expect(whole and said[-1].is_word and "TLS" in said[-1].said, "a `*` pair that names TLS", said)
        eve = EventPeer(server.address)
        error = eve.recv()
        expect_equal((error["type"], error["code"]), ("error", "link_required"))
        eve.read_to_end()
        noise = server.bare()
        noise.send_raw(b"GLASSNOISE")
        expect(b"TLS" in noise.read_to_end(), "a line that names TLS", "none")
        server.event("eve", link=tls).barrier()
    with bench.server("--require", "noise") as server:
        refused = server.bare()
        refused.send_raw(CLIENT_HELLO)
        expect_equal(refused.read_to_end(), PROTOCOL_VERSION)


@check("C7 D2", "a handshake that stops half-way has the 10 s of D2")
def half_way(bench):
    with bench.server() as server:
        start = time.monotonic()
        silent = server.bare()
        silent.send_raw(b"\x16\x03\x01\x02\x00\x01")
        try:
            silent.read_to_end()
        except Ended:
            pass
        expect(9 < time.monotonic() - start < 10 + PROMPT, "a close after 10 s", f"{time.monotonic() - start:.1f} s")
        server.wait_text(r'reason="no_name_in_time"', "err")
