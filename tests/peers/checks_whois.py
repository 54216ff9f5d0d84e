"""E3, T10: whois, rooms and away."""

import re
import time

from checks_event import TIME, expect_error
from frames import new_id
from harness import check, expect, expect_equal


def refused(peer, code, kind, **fields):
    expect_error(peer.ask(kind, "error", **fields), (code,))


def directed(peer, to, text):
    """The types of what answers a direct message, in their order, and the last of the answers."""
    ref = new_id()
    peer.send("direct", to=to, text=text, id=new_id(), ref=ref)
    answers = [event for event in peer.barrier() if event.get("ref") == ref]
    return [event["type"] for event in answers], answers[-1]


@check("E3", "whois finds a name in any case and tells since when, idle, dialect, link, rooms")
def whois(bench):
    with bench.server() as server:
        eve, bob, tom = server.event("eve"), server.event("Bob", rooms=["lobby", "den"]), server.tutorial("tom")
        found = eve.ask("whois", "whois", name="BOB")
        expect_equal((found["name"], found["dialect"], found["link"]), ("Bob", "event", "plaintext"))
        expect_equal(sorted(found["rooms"]), ["den", "lobby"])
        expect(re.fullmatch(TIME, found["since"]) and found["since"] > "2024", "an instant", found["since"])
        expect(isinstance(found["idle_s"], int) and found["idle_s"] >= 0, "whole seconds", found)
        expect("away" not in found, "no reason where nobody is away", found)
        found = eve.ask("whois", "whois", name="tom")
        expect_equal((found["dialect"], found["rooms"]), ("tutorial", ["lobby"]))
        tom.say("/whois bob")
        tom.wait_word(r"Bob: .*idle.*plaintext.*event.*lobby, den")
        refused(eve, "unknown_name", "whois", name="nobody")
        refused(eve, "bad_field", "whois")
        expect(not [event for event in bob.barrier() if event["type"] == "whois"], "nothing told to bob", bob.seen)


@check("E3", "idle_s grows while somebody only pings and asks who is there, and starts again with what it says, in either dialect")
def idle(bench):
    with bench.server() as server:
        eve, bob, tom = server.event("eve"), server.event("bob"), server.tutorial("tom")
        speakers = {"bob": lambda: bob.ask("rooms", "rooms"), "tom": lambda: (tom.say("hi"), tom.settle())}
        for name, speak in speakers.items():
            deadline = time.monotonic() + 10
            while eve.ask("whois", "whois", name=name)["idle_s"] < 1:
                expect(time.monotonic() < deadline, "idle time to grow", f"0 s of {name} after 10 s")
            if name == "bob":
                bob.ask("members", "members", room="lobby")
                bob.barrier()
                expect(eve.ask("whois", "whois", name=name)["idle_s"] >= 1, "members and a ping to be no activity", name)
            before = time.monotonic()
            speak()
            found = eve.ask("whois", "whois", name=name)["idle_s"]
            expect(found <= time.monotonic() - before, f"{name} to be idle no longer than since it spoke", found)


@check("E3", "rooms lists the rooms, the lobby first, and how many are in each")
def rooms(bench):
    with bench.server() as server:
        eve, bob, tom = server.event("eve", rooms=["attic"]), server.event("bob", rooms=["attic", "den"]), server.tutorial("tom")
        listed = eve.ask("rooms", "rooms")
        expect_equal(listed["rooms"][0], {"room": "lobby", "count": 1}, "the first room")
        expect_equal({room["room"]: room["count"] for room in listed["rooms"]}, {"lobby": 1, "attic": 2, "den": 1})
        expect_equal(listed["count"], 3)
        bob.ask("leave", "left", room="den")
        expect_equal(eve.ask("rooms", "rooms")["count"], 2, "rooms once one has ended")
        tom.say("/rooms")
        tom.wait_word(r"lobby \(1\).*attic \(2\)")


@check("L", "rooms lists at most 500 rooms and counts them all, in one frame")
def many_rooms(bench):
    with bench.server() as server:
        names = [f"{'漢' * 12}{number:03}" for number in range(560)]
        for first in range(0, 560, 16):
            server.event(f"opener{first}", rooms=names[first:first + 16])
        eve = server.event("eve")
        listed = eve.ask("rooms", "rooms")
        expect_equal((listed["count"], len(listed["rooms"])), (561, 500))
        expect_equal(listed["rooms"][0], {"room": "lobby", "count": 1})
        expect(len({room["room"] for room in listed["rooms"]}) == 500, "each room once", "some twice")


@check("E3", "whoever writes to somebody away is notified after its own message; talking and renaming do not end it")
def away(bench):
    with bench.server() as server:
        eve, bob, tom = server.event("eve"), server.event("bob"), server.tutorial("tom")
        bob.barrier()
        answer = bob.ask("away", "away", text="lunch")
        expect_equal((answer["name"], answer["text"]), ("bob", "lunch"))
        bob.say("lobby", "still away")
        bob.ask("rename", "renamed", name="rob")
        expect(not [event for event in eve.barrier() if event["type"] in ("away", "notice")], "nobody told at once", eve.seen)
        for peer in (eve, eve):
            kinds, last = directed(peer, "ROB", "psst")
            expect_equal(kinds, ["direct", "away"])
            expect_equal((last["name"], last["text"]), ("rob", "lunch"))
            expect_equal(bob.wait("direct")["text"], "psst", "the message all the same")
        tom.say("/msg rob psst")
        tom.wait_word(r"rob is away: lunch")
        expect_equal(eve.ask("whois", "whois", name="rob")["away"], "lunch")
        expect_equal(directed(bob, "rob", "a note")[0], ["direct"], "a note to oneself")
        expect("text" not in bob.ask("away", "away"), "back to have no text", bob.seen[-1])
        expect_equal(directed(eve, "rob", "psst")[0], ["direct"], "once back")
        bob.ask("away", "away", text="tea")
        bob.send("bye")
        bob.wait("bye")
        eve.wait_named("left", "rob")
        server.event("rob")
        expect_equal(directed(eve, "rob", "psst")[0], ["direct"], "once it came back on another connection")


@check("E3", "the reason for being away is one line of 1 to 256 bytes")
def away_text(bench):
    with bench.server() as server:
        eve = server.event("eve")
        refused(eve, "empty_text", "away", text="")
        refused(eve, "too_long", "away", text="x" * 257)
        refused(eve, "too_long", "away", text="二" * 86)
        refused(eve, "bad_field", "away", text=7)
        expect_equal(eve.ask("away", "away", text="x" * 256)["text"], "x" * 256)
        sent = "a\nb\tc\x1b[2Jd\x9be\u202ef\u2028g\u2066 二"
        clean = "a\ufffdb\ufffdc\ufffd[2Jd\ufffde\ufffdf\ufffdg\ufffd 二"
        expect_equal(eve.ask("away", "away", text=sent)["text"], clean)
        expect_equal(eve.ask("whois", "whois", name="eve")["away"], clean)


@check("T10", "/away, /back: a tutorial member is away as well, and who writes to it is notified")
def tutorial_away(bench):
    with bench.server() as server:
        eve, tom, ear = server.event("eve"), server.tutorial("tom"), server.tutorial("ear")
        tom.say("/away lunch\x1b[2J\nat noon")
        tom.wait_word(r"away: lunch\ufffd\[2J\ufffdat noon.*/back")
        expect_equal(directed(eve, "tom", "psst")[1]["text"], "lunch\ufffd[2J\ufffdat noon")
        tom.say("/away")
        tom.wait_word(r"you are away")
        ear.say("/msg tom psst")
        ear.wait_word(r"tom is away: away")
        ear.say("/whois tom")
        ear.wait_word(r"tom: .*; away: away")
        tom.say("/back now")
        tom.wait_word(r"usage: /back")
        tom.say("/back")
        tom.wait_word(r"you are back")
        expect_equal(directed(eve, "tom", "psst")[0], ["direct"], "once back")
