"""T8, T10, O1: names that deceive, names that look alike, and texts that hold an operator token."""

import random
import re
import unicodedata
import zlib

from event_peer import Refused
from frames import PATIENCE, new_id
from harness import check, expect, expect_equal
from operating import act, no_act, operated

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32
POINTING = re.compile(r"\bARROWS?\b|ARROWHEAD|ASTERI|SEXTILE")
BLANK = re.compile(r"\b(FILLER|(SUB|CON)?JOINER|NON-JOINER|INVISIBLE|WIDTH|SELECTOR(-\d+)?|FULL BLANK|PATTERN BLANK|NULL)\b")
# Emoji in which an arrow is a detail, signs and marks of scripts in which nothing is drawn like one, and punctuation that fills gaps.
HARMLESS = re.compile(r"BOW AND|HEART WITH|ENVELOPE WITH|MOBILE PHONE|CUNEIFORM|^ARABIC|GAP FILLER|LINE FILLER|SPACE FILLER|^KANGXI")


def token(bits):
    """A generated operator token (O1)."""
    def digits(value, count):
        return "".join(DIGITS[value >> 5 * at & 31] for at in reversed(range(count)))
    return "glop_" + digits(bits, 26) + digits(zlib.crc32(bits.to_bytes(16, "big")) & (1 << 30) - 1, 6)


def taken(peer, names):
    """Those of many names that the server gives to a member that asks for them."""
    for number, name in enumerate(names):
        peer.send("rename", name=name, ref=str(number))
    came = peer.barrier()
    return [event["to"] for event in came if event["type"] == "renamed" and event.get("ref")]


@check("T8", "no character that Unicode names an arrow, an asterisk or a blank stands in a name")
def deceiving_characters(bench):
    named = [(chr(code), unicodedata.name(chr(code), "")) for code in range(0x110000)]
    bad = [c for c, name in named
           if (POINTING.search(name) or BLANK.search(name) or unicodedata.category(c) == "Cf")
           and not HARMLESS.search(name) and not c.isspace()]
    expect(len(bad) > 800, "hundreds of characters", len(bad))
    with bench.server() as server:
        eve = server.event("eve")
        for form in ("alice{}", "alice{}you", "{}"):
            for start in range(0, len(bad), 200):
                names = [form.format(c) for c in bad[start:start + 200]]
                expect_equal([ascii(name) for name in taken(eve, names)], [], f"names of the form {form} that are taken")


@check("T8", "names like a direct message, the server's own or nothing are refused; those of scripts, emoji and words are not")
def deceiving_names(bench):
    bad = ("you", "YOU", "уоu", "(you)", "alice>you", "alice->you", "alice»you", "aliceᐅyou", "bob > hi", "*", "a*", "★", "bob\u0301\u0301\u0301\u0301",
           "alice\u1039", "alice\u200d", "\u200calice", "علی\u200c", "a\ufe0f", "👩\u200d👧", "alice\u3164", "\U0001d159", "alice\U000e0041")
    good = ("علی\u200cرضا", "ශ\u0dca\u200dරී", "❤\ufe0f", "👍🏽", "🇩🇪", "ကျော်", "ᐅᑭᐅᖅ", "สมชาย", "c++", "thank_you", "youth", "O'Brien", "김철수")
    with bench.server() as server:
        eve = server.event("eve")
        expect_equal([ascii(name) for name in taken(eve, bad)], [], "bad names that are taken")
        expect_equal(taken(eve, good), list(good), "good names that are taken")


@check("T10 E2", "a look-alike within one script gets a number, its owner is shown why; across scripts it is refused")
def look_alikes(bench):
    with bench.server() as server:
        for name in ("Erna", "admin", "tom", "علیرضا"):
            server.event(name)
        for asked, given in (("Ema", "Ema-2"), ("Erna", "Erna-3"), ("ema", "ema-4"), ("علی\u200cرضا", "علی\u200cرضا-2")):
            peer = server.event(asked)
            expect_equal(peer.name, given)
            expect(given in peer.wait("notice")["text"], "why the name is another", peer.seen)
            tutor = server.tutorial(asked, settle=False)
            said = tutor.wait_word(r"-\d+\b").said
            # Its number is free again once it has left, which is announced if its arrival was.
            named = re.search(rf"{re.escape(asked)}-\d+", said)[0]
            peer.wait_named("joined", named)
            tutor.close()
            peer.wait_named("left", named)
        eve = server.event("eve")
        for name in ("аdmin", "АDМІN", "ADМIN", "ТОМ", "Тom", "tоm"):
            try:
                expect(False, f"an error for {name}", server.event(name).name)
            except Refused as refused:
                expect_equal(refused.event["code"], "name_taken", name)
        expect_equal(taken(eve, ("аdmin", "ТОМ", "Ema", "erna")), [], "names taken by `rename`")


@check("O1", "nothing of the form of an operator token is said, right or wrong, on any server; only op compares")
def published_tokens(bench):
    bits = random.Random(7)
    secret = token(bits.getrandbits(128))
    others = [token(bits.getrandbits(128)) for _ in range(20)]
    mistyped = secret[:12] + ("0" if secret[12] != "0" else "1") + secret[13:]
    texts = [secret, secret.upper(), f"it is {secret}.", secret[:25], mistyped, *others]
    plain = ["glop_", "glop_short", "a token begins with glop_ and has 32 digits"]
    with operated(bench, token=secret) as server, bench.server() as other_server:
        for where in (server, other_server):
            eve, ear = where.event("eve"), where.tutorial("ear")
            for text in texts:
                for kind, fields in (("send", {"room": "lobby", "id": new_id()}), ("direct", {"to": "eve", "id": new_id()}), ("away", {})):
                    expect_equal(eve.ask(kind, "error", text=text, **fields)["code"], "bad_field", f"{kind} {text}")
            for text in plain:
                eve.said("lobby", text)
                expect_equal(ear.next_said().said, text)
            expect(not any(secret[5:20] in pair.said.lower() for pair in ear.received), "nothing of it heard", ear.received)
        eve = server.event("eva")
        no_act(eve, "not_operator", f"op {others[0]}")
        no_act(eve, "not_operator", f"op {mistyped}")
        act(eve, f"op {secret.upper()}")
        for line in (f"motd {others[1]}", f"kick ear {others[1]}", f"mute ear 1h {others[1]}"):
            no_act(eve, "bad_field", line)


@check("O1 L", "wrong tokens count by address, however many connections they come over")
def guesses_by_address(bench):
    secret = token(1 << 77)
    with operated(bench, token=secret) as server:
        for number in range(12):
            peer = server.event(f"guest{number}")
            no_act(peer, "not_operator", f"op {token(number)}")
        late = server.event("late")
        no_act(late, "not_operator", f"op {secret}")
        server.wait_text(r"wrong operator token(.|\n)*attempts_left=0|attempts_left=0(.|\n)*wrong operator token", "err")
        expect_equal(server.err.count("wrong operator token"), 10, "lines about wrong tokens")
        expect(secret not in server.err, "a log without the token", "it is there")


@check("O1", "glassline operator-token prints a token, another one each time")
def printed_tokens(bench):
    import subprocess
    printed = [subprocess.run([bench.binary, "operator-token"], capture_output=True, timeout=PATIENCE, check=True).stdout.decode() for _ in range(2)]
    for line in printed:
        expect(re.fullmatch(rf"glop_[{DIGITS}]{{32}}\n", line), "a token in a line", line)
        value = 0
        for digit in line[5:31]:
            value = value << 5 | DIGITS.index(digit)
        expect_equal(token(value), line.strip(), "its checksum")
    expect(printed[0] != printed[1], "two tokens", printed)
