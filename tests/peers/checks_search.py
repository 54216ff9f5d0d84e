"""E8: search finds what holds the query, whatever the case, and nothing else."""

import re
import sys
import unicodedata

from checks_event import expect_error
from checks_metrics import scrape
from checks_history import refused, seqs
from checks_resume import fill
from frames import parse_address
from harness import check, expect, expect_equal, wait_until

TEXTS = ["Lunch at noon", "no lunch today", "東京都に行きます", "京", "100% sure", "a_b", "a*b?c", 'say "hi" (now)', "it's -- ; DROP",
         "ÄÖÜ straße", "ΟΔΟΣ", "Привет, Мир", "🎉🎉 party", "👩‍👩‍👧 family", "e\u0301te", "back\\slash", "tab\there", "two\nlines",
         "NEAR(a b)", "AND OR NOT", "^start", "col:umn", "x" * 300, "\u202eright", "caf\u00e9", "CAFE\u0301",
         "\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"]


def indexed(server, peer):
    """Waits until the search index has everything that was said."""
    address = parse_address(server.wait_text(r"^metrics on (127\.0\.0\.1:\d+)\r?$")[1])
    wait_until(lambda: scrape(address).value("glassline_journal_index_lag_messages") == 0, peer, "the index to catch up")


def found(peer, query, room="lobby", **fields):
    return [said["text"] for said in peer.ask("search", "history", room=room, query=query, **fields)["messages"]]


def holds(text, query):
    text, query = unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", query)
    return query.lower() in text.lower() or query.upper() in text.upper()


@check("E8", "search: words and parts of words in any case, CJK, one and two characters, quotes, wildcards, emoji")
def search(bench):
    with bench.server("--metrics", "127.0.0.1:0") as server:
        eve = server.event("eve")
        for text in TEXTS:
            eve.say("lobby", text)
        eve.barrier()
        queries = ["lunch", "LUNCH", "unc", "un", "u", "noon", "東京都", "京都", "京", "東", "100%", "%", "0%", "_", "a_b", "a%b", "*", "a*b",
                   "?", '"', '"hi"', '" (', "(now)", "'", "--", ";", "äöü", "ÄÖÜ", "STRAß", "οδος", "ΟΔΟΣ", "привет", "МИР", "🎉",
                   "🎉🎉", "🎉🎉 ", "👩‍👩‍👧", "👩", "\u200d", "e\u0301", "\u0301", "ete", "\\", "back\\s", "\t", "tab\there", "two\nlines", "o\nl",
                   "NEAR(a b)", "near(", "a AND b", "and or not", "AND", "^start", "^", "col:umn", "col:", "x" * 256, "zzz", " ",
                   "t n", "  ", "\ufffd", "\u202e", "text:lunch", "lunch OR party", "lun*", "{", "[a-z]", "eve",
                   "caf\u00e9", "cafe\u0301", "\u00c9", "f\u00e9", "\ud55c\uae00", "\u1112\u1161\u11ab", "\u1100\u1173\u11af"]
        for state in ("just said", "indexed"):
            if state == "indexed":
                indexed(server, eve)
            for query in queries:
                if not query.strip():
                    continue
                wanted = [text for text in TEXTS if holds(text, query)]
                expect_equal(found(eve, query), wanted, f"what {query!r} finds, {state}")
            for query in ("a\0b", "\0", "\0\0\0", "lun\0ch", "\x01\x02\x03", "\x1b[2J"):
                expect_equal(found(eve, query), [], f"what {query!r} finds, {state}")


@check("E8", "a query has 1 to 256 bytes; before and limit are numbers; what is refused says why")
def search_limits(bench):
    with bench.server() as server:
        eve = server.event("eve")
        eve.said("lobby", "漢" * 200 + "x" * 256)
        expect_equal(len(found(eve, "x" * 256)), 1)
        expect_equal(len(found(eve, "漢" * 85)), 1, "255 bytes")
        refused(eve, "too_long", "search", room="lobby", query="x" * 257)
        refused(eve, "too_long", "search", room="lobby", query="漢" * 86)
        for empty in ("", " ", "   ", "\t\n"):
            refused(eve, "empty_text", "search", room="lobby", query=empty)
        refused(eve, "bad_field", "search", room="lobby")
        for wrong in (5, ["x"], {}, True):
            refused(eve, "bad_field", "search", room="lobby", query=wrong)
        for field in ("before", "limit"):
            for wrong in (-1, 1.5, "5", True, [1]):
                refused(eve, "bad_field", "search", room="lobby", query="x", **{field: wrong})
        for wrong in (0, 201):
            refused(eve, "bad_field", "search", room="lobby", query="x", limit=wrong)
        expect_error(eve.ask("search", "error", room="attic", query="x"), ("unknown_room",))


@check("E8", "search finds the newest, oldest first, with more; before leads on; only within the room")
def search_pages(bench):
    with bench.server() as server:
        eve = server.event("eve", rooms=["lobby", "den"])
        fill(eve, 450)
        fill(eve, 5, "den")
        for query in ("lobby", "lo"):
            page = eve.ask("search", "history", room="lobby", query=query)
            expect_equal((seqs(page), page.get("more")), (list(range(251, 451)), True))
            page = eve.ask("search", "history", room="lobby", query=query, before=251)
            expect_equal((seqs(page), page.get("more")), (list(range(51, 251)), True))
            page = eve.ask("search", "history", room="lobby", query=query, before=51)
            expect_equal((seqs(page), page.get("more", False)), (list(range(1, 51)), False))
            page = eve.ask("search", "history", room="lobby", query=query, limit=3, before=2**64 - 1)
            expect_equal((seqs(page), page.get("more")), ([448, 449, 450], True))
            for before in (0, 1):
                expect_equal(seqs(eve.ask("search", "history", room="lobby", query=query, before=before)), [])
        expect_equal(found(eve, "y 44"), ["lobby 44"] + [f"lobby {number}" for number in range(440, 450)])
        expect_equal(found(eve, "lobby", "den"), [], "what was said elsewhere")
        expect_equal(found(eve, "den", "den"), [f"den {number}" for number in range(1, 6)])
        for _ in range(12):
            eve.say("den", "\x01" * 16_000 + "needle")
        eve.barrier()
        whole, before = [], {}
        while True:
            page = eve.ask("search", "history", room="den", query="NEEDLE", **before)
            whole = seqs(page) + whole
            before = {"before": whole[0]}
            if not page.get("more"):
                break
        expect_equal(whole, list(range(6, 18)), "long ones, page by page")


@check("E8", "every letter is found in its other case, in whatever script")
def every_case(bench):
    """Letters whose case is one character each way; what becomes several (ß, ŉ) is only found as it is."""
    pairs = [(chr(code), chr(code).lower()) for code in range(0x80, sys.maxunicode + 1)
             if chr(code).isalpha() and len(chr(code).lower()) == 1 and chr(code).lower() != chr(code)
             and chr(code).lower().upper() == chr(code)]
    chunks = [pairs[first:first + 40] for first in range(0, len(pairs), 40)]

    def missing(peer):
        lost = []
        for number, chunk in enumerate(chunks):
            for index in (0, 1):
                text = "".join(pair[index] for pair in chunk)
                for start in range(0, len(text), 30):
                    query = text[start:start + 30]
                    if len(query) >= 3 and seqs(peer.ask("search", "history", room="lobby", query=query)) != [2 * number + 1, 2 * number + 2]:
                        lost += [f"U+{ord(a):04X}" for a, b in chunk[start:start + 30]
                                 if len(seqs(peer.ask("search", "history", room="lobby", query=(a, b)[index] * 3))) != 2]
        return sorted(set(lost))

    with bench.server("--metrics", "127.0.0.1:0") as server:
        eve = server.event("eve")
        for chunk in chunks:
            for index in (0, 1):
                eve.say("lobby", "".join(pair[index] for pair in chunk) + "|" + "".join(pair[index] * 3 for pair in chunk))
        eve.barrier()
        indexed(server, eve)
        expect_equal(missing(eve), [], "letters whose other case is not found")


@check("E8", "a word stands in a search from the moment it was acknowledged, also across a kill")
def found_at_once(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        for number in range(100):
            eve.said("lobby", f"word{number}x")
            expect_equal(found(eve, f"word{number}x"), [f"word{number}x"])
        server.kill()
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        for number in range(100):
            expect_equal(found(eve, f"ord{number}X"), [f"word{number}x"])
        expect(re.fullmatch(r"word\d+x", found(eve, "word", limit=1)[0]), "one", "another")
