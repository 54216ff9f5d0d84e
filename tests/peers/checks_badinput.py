"""What bad input gets: refused with a named reason, and nobody else is moved (T2, T7, T8, D, E6)."""

import re
import time

from event_peer import MAGIC, EventPeer, Refused
from frames import PATIENCE, Late, frame
from harness import check, expect, expect_equal
from pure import next_real, settle_pure

BAD_HEADERS = {
    "too long": b"9999999999",
    "minus": b"-5        ",
    "plus": b"+5        ",
    "underscore": b"1_0       ",
    "empty": b" " * 10,
    "Arabic digits": "٥٥٥٥٥".encode(),
    "NULs": b"\x00" * 10,
    "tab before": b"\t5        ",
    "tab after": b"5\t        ",
    "two numbers": b"5 5       ",
    "NUL after": b"5\x00        ",
    "fullwidth digit": "５       ".encode(),
    "hexadecimal": b"0x5       ",
    "fraction": b"5.0       ",
}
REASON = r"header|length|digit|dialect|too long|too large|limit|number|bytes|prefix|refus|not "


class Witnesses:
    """Two members whose conversation must go on as if nothing had happened."""

    def __init__(self, server):
        self.ear, self.mouth = server.tutorial("ear"), server.tutorial("mouth")
        self.said = 0

    def unmoved(self, after):
        self.said += 1
        self.mouth.say(f"unmoved {self.said}")
        expect_equal(self.ear.next_said().said, f"unmoved {self.said}", f"what is heard after {after}")

    def joined_by(self, server, names):
        """Further members, all announced before they misbehave (an announcement takes its time, T11)."""
        peers = [server.tutorial(name) for name in names]
        for name in names:
            self.ear.until_named(name)
        return peers


@check("T2 D1", "as first bytes, a header that is none is refused with a reason; others are unmoved")
def bad_first_header(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        for label, header in BAD_HEADERS.items():
            logged = len(server.err)
            unregistered = server.bare()
            unregistered.send_raw(header)
            answer = unregistered.read_to_end().decode("utf-8", "replace")
            if not re.search(REASON, answer, re.I):
                server_says(server, logged, label)
            witnesses.unmoved(label)
        expect(server.running(), "a running server", "it ended")


def server_says(server, logged, label):
    """A log line about it, after the first `logged` characters."""
    try:
        server.wait_text(rf"\A(.|\n){{{logged}}}(.|\n)*?({REASON})", "err")
    except Exception:
        expect(False, f"a reason for refusing {label}: to the client, or one log line", server.err[logged:])


@check("T2 T7", "as a member's header, each is refused with a word and the connection ends; others are unmoved")
def bad_later_header(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        names = [f"bad{number}" for number in range(len(BAD_HEADERS))]
        for peer, (label, header) in zip(witnesses.joined_by(server, names), BAD_HEADERS.items()):
            peer.send_raw(header)
            try:
                peer.wait_word(REASON)
            except Exception as error:
                expect(False, f"a `*` pair with the reason for refusing {label}", error)
            peer.read_to_end()
            witnesses.unmoved(label)
        for name in names:
            witnesses.ear.until_left(name)


@check("T2", "under --pure bad headers end their own connection only, without a word")
def bad_header_pure(bench):
    with bench.server("--pure") as server:
        ear, mouth = (server.tutorial(name, settle=False) for name in ("ear", "mouth"))
        settle_pure([ear, mouth])
        for number, header in enumerate(BAD_HEADERS.values()):
            peer = server.tutorial(f"bad{number}", settle=False)
            peer.say("in")
            expect_equal(next_real(ear).name, b"bad%d" % number)
            peer.send_raw(header)
            rest = peer.read_to_end()
            expect(b"*         " not in rest, "no words under --pure", rest)
            mouth.say("unmoved")
            expect_equal(next_real(ear).text, b"unmoved")


@check("T2", "a header that counts characters instead of bytes gets a word that says so")
def characters_counted(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        peer = server.tutorial("counter")
        text = "naïve ünïcode"
        peer.send_raw(b"%-10d" % len(text) + text.encode() + frame("next"))
        try:
            peer.wait_word(r"header|bytes|utf-?8")
        except Exception as error:
            expect(False, "a `*` pair that says what is wrong", error)
        received = witnesses.ear.next_said().said
        expect(text.startswith(received), "at most the part that the header counted", received)
        witnesses.unmoved("a header that counts characters")


BAD_NAMES = {
    "not UTF-8": b"\xff\xfe",
    "empty": b"",
    "33 characters": b"n" * 33,
    "66 bytes": "二".encode() * 22,
    "ESC": b"a\x1b[2Jb",
    "CR LF": b"a\r\nb",
    "newline": b"a\nb",
    "tab": b"a\tb",
    "NUL": b"a\x00b",
    "C1": "a\x9bb".encode(),
    "U+202E": "abc\u202edef".encode(),
    "U+2066": "abc\u2066def".encode(),
    "zero-width joiner": "ad\u200dmin".encode(),
    "zero-width space": "ad\u200bmin".encode(),
    "byte order mark": "\ufeffadmin".encode(),
    "Cyrillic а beside admin": "аdmin".encode(),
}


@check("T8 T7", "bad names are refused with a word and a close; nobody is shown them")
def bad_names(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        server.tutorial("admin")
        witnesses.ear.until_named("admin")
        for label, name in BAD_NAMES.items():
            unregistered = server.unregistered()
            unregistered.send_raw(frame(name))
            try:
                unregistered.wait_word(r".")
            except Exception as error:
                expect(False, f"a `*` pair with the reason for refusing a name: {label}", error)
            unregistered.read_to_end()
            expect(not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066\u200b\u200d]", "".join(unregistered.words())),
                   f"a reason without raw control characters ({label})", unregistered.words())
            witnesses.unmoved(f"a name: {label}")
        server.tutorial("last")
        witnesses.ear.until_named("last")  # what was announced of the refused ones has come by now
        announcements = [text for text in witnesses.ear.words() if re.search("joined|left", text)]
        expect(not re.search(r"nnn|二|а|abc|a.?b\b", " ".join(announcements)), "no announcement of a refused name", announcements)
        expect(not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066\u200b\u200d]", server.err),
               "no raw control character in the log", ascii(server.err[-600:]))


@check("T8 E2", "the event dialect refuses the same names with an error, and closes")
def bad_names_event(bench):
    with bench.server() as server:
        server.event("admin")
        for label, name in BAD_NAMES.items():
            if label == "not UTF-8":
                continue  # no JSON text can hold it
            peer = EventPeer(server.address)
            server.peers.append(peer)
            try:
                came = peer.hello(name.decode())
            except Refused as refused:
                expect(isinstance(refused.event.get("code"), str) and isinstance(refused.event.get("text"), str),
                       "an error with code and text", refused.event)
                peer.read_to_end()
                continue
            expect(False, f"an error for a name: {label}", came)
        # An outright take-over of a name, case aside, gives another name or an error, never the same one.
        for name in ("admin", "ADMIN"):
            try:
                given = server.event(name).name
                expect(given.lower() != "admin", "another name", given)
            except Refused as refused:
                expect_equal(refused.event["code"], "name_taken")


@check("E6", "broken events get an error and the connection stays")
def broken_events(bench):
    with bench.server() as server:
        eve, ear = server.event("eve"), server.event("ear")
        for payload in (b"not json", b"[]", b'"text"', b"{}", b'{"type":5}', b'{"type":"send","room":"lobby","text":"\xff"}',
                        b'{"type":"send"', b"null", b"[" * 5000):
            eve.send_raw(frame(payload))
            error = eve.wait("error")
            expect(isinstance(error.get("code"), str) and error.get("text"), "an error with code and text", error)
        eve.say("lobby", "still here")
        expect_equal(ear.wait("message")["text"], "still here")


@check("E1 T7", "an event frame without a proper header, or far too long, ends the connection; others are unmoved")
def bad_event_header(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        for number, header in enumerate((b"9999999999", b"-5        ", b" " * 10, b"GLASSLINE2")):
            peer = server.event(f"bad{number}")
            peer.send_raw(header)
            peer.read_to_end()
            unregistered = server.bare()
            unregistered.send_raw(MAGIC + header)
            unregistered.read_to_end()
            witnesses.unmoved(repr(header))


@check("D2", "a silent connection and one that drips bytes are cut at 10 s; meanwhile others talk")
def handshake_deadline(bench):
    with bench.server() as server:
        witnesses = Witnesses(server)
        start = time.monotonic()
        silent = [server.bare() for _ in range(100)]
        slow, late = server.bare(), server.bare()
        slow.send_raw(b"5")
        late.send_raw(MAGIC + b"9")
        try:
            silent[0].recv_chunk(9 - (time.monotonic() - start))
            expect(False, "an open connection for 9 s", "bytes")
        except Late:
            pass
        slow.send_raw(b" ")
        late.send_raw(b"9")
        witnesses.unmoved("a hundred silent connections")
        for peer in (*silent, slow, late):
            peer.read_to_end(10 + PATIENCE - (time.monotonic() - start))
        expect(time.monotonic() - start > 9.5, "the cut at 10 s, not before", f"{time.monotonic() - start:.1f} s")
        witnesses.unmoved("the cut")
