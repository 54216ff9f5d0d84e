"""E7, E4, E2: who comes back misses nothing, sees nothing twice, and what it sends again is said once."""

import json
import sys
import threading

from checks_event import expect_error
from event_peer import EventPeer, Refused
from frames import Ended, Late, frame, new_id
from harness import check, expect, expect_equal


def gone(peer):
    """Sends a goodbye and waits until the name is free."""
    peer.send("bye")
    peer.read_to_end()


def numbered(events, room="lobby"):
    return [event["seq"] for event in events if event["type"] == "message" and event.get("room", room) == room]


def fill(peer, count, room="lobby", first=1):
    """Sends `count` numbered texts, and waits until all are stored."""
    for number in range(first, first + count):
        peer.say(room, f"{room} {number}")
    peer.barrier()


@check("E7", "since: every message once and in order, over several pages, and what is said meanwhile right behind it")
def resumed(bench):
    with bench.server() as server:
        mouth = server.event("mouth")
        fill(mouth, 450)
        talking = threading.Event()

        def go_on():
            number = 450
            while not talking.is_set():
                number += 1
                mouth.said("lobby", f"lobby {number}")
        talker = threading.Thread(target=go_on)
        talker.start()
        try:
            for seen in (0, 1, 199, 200, 249, 250, 251, 448, 449):
                back = server.event(f"back{seen}", since={"lobby": seen})
                newest = back.welcome["rooms"][0]["seq"]
                while not back.messages() or back.messages()[-1]["seq"] < newest + 3:
                    back.wait("message")
                expect_equal(numbered(back.seen), list(range(seen + 1, seen + 1 + len(back.messages()))),
                             f"numbers since {seen}")
                expect(all(event["text"] == f"lobby {event['seq']}" and "ref" not in event for event in back.messages()),
                       "the texts as they were said", back.messages()[:3])
                expect(not [event for event in back.seen if event["type"] in ("history", "gap")],
                       "neither context nor a gap for what is resumed", back.seen[:3])
                back.close()
        finally:
            talking.set()
            talker.join()


@check("E7", "a number in since that is not below the newest brings nothing; what follows is live")
def since_newest(bench):
    with bench.server() as server:
        mouth = server.event("mouth")
        fill(mouth, 5)
        for number, seen in enumerate((5, 6, 1000, 2**53, 2**63 - 1, 2**63, 2**64 - 1)):
            back = server.event(f"back{number}", since={"lobby": seen})
            expect_equal([event["type"] for event in back.barrier() if event["type"] != "joined"], [], f"since {seen}")
            mouth.said("lobby", "live")
            expect_equal(back.wait("message")["text"], "live")


@check("E2 E6", "a since that is no object of whole numbers is bad_field, and the connection stays")
def since_forms(bench):
    with bench.server() as server:
        peer = EventPeer(server.address)
        server.peers.append(peer)
        for wrong in (-1, 1.5, "1", True, [1], {"a": 1}):
            peer.send("hello", name="eve", since={"lobby": wrong}, ref="w")
            expect_error(peer.wait("error", ref="w"), ("bad_field",))
        for wrong in (5, [], "lobby", [["lobby", 1]]):
            peer.send("hello", name="eve", since=wrong, ref="w")
            expect_error(peer.wait("error", ref="w"), ("bad_field",))
        expect_equal(peer.hello("eve", since={})["name"], "eve")


@check("E2 E7", "a room that was closed meanwhile goes on with its numbers, and is resumed")
def closed_meanwhile(bench):
    with bench.server() as server:
        eve = server.event("eve", rooms=["den"])
        fill(eve, 5, "den")
        gone(eve)
        ear = server.event("ear")
        expect_equal([room["room"] for room in ear.ask("rooms", "rooms")["rooms"]], ["lobby"], "the rooms once all left")
        back = server.event("eve", rooms=["Den"], since={"den": 2})
        expect_equal(back.welcome["rooms"], [{"room": "den", "seq": 5, "count": 1}])
        back.barrier()
        expect_equal(numbered(back.seen, "den"), [3, 4, 5])
        expect_equal(back.said("den", "on")["seq"], 6)


@check("E7", "several rooms at once: each resumed in its own order, others with context, rooms not entered with nothing")
def several_rooms(bench):
    rooms = [f"r{number:02}" for number in range(16)]
    with bench.server() as server:
        mouth = server.event("mouth", rooms=rooms)
        for number in range(30):
            for room in rooms:
                mouth.say(room, f"{room} {number + 1}")
        mouth.barrier()
        resumed, fresh = rooms[:12], rooms[12:]
        back = server.event("back", rooms=rooms, since={**{room: 10 + index for index, room in enumerate(resumed)},
                                                        "elsewhere": 0, "R15": 0, "": 0, "x" * 300: 7})
        mouth.say("r00", "live")
        mouth.say("r15", "live")
        back.wait("message", room="r15", text="live")
        back.barrier()
        for index, room in enumerate(rooms):
            texts = [event["text"] for event in back.messages(room)]
            live = ["live"] if room in ("r00", "r15") else []
            if room in resumed:
                expect_equal(texts, [f"{room} {number + 1}" for number in range(10 + index, 30)] + live, room)
            else:
                expect_equal(texts, live, room)
        contexts = [event for event in back.seen if event["type"] == "history"]
        expect_equal(sorted(event["room"] for event in contexts), fresh, "rooms with context")
        expect_equal([len(event["messages"]) for event in contexts], [30] * 4)


@check("E7", "without a history, all of what came since is one gap, in each room")
def since_without_history(bench):
    with bench.server("--history", "none") as server:
        mouth = server.event("mouth", rooms=["lobby", "den"])
        fill(mouth, 5)
        fill(mouth, 3, "den")
        back = server.event("back", rooms=["lobby", "den"], since={"lobby": 2, "den": 3})
        came = [event for event in back.barrier() if event["type"] != "joined"]
        expect_equal(came, [{"type": "gap", "room": "lobby", "from": 3, "to": 5}])
        mouth.say("lobby", "live")
        expect_equal(back.wait("message")["seq"], 6)


@check("E4", "sent again after a reconnect: the same seq and at, to the sender alone, whatever name it has now")
def again_after_reconnect(bench):
    with bench.server() as server:
        ear, eve = server.event("ear"), server.event("eve")
        sent = new_id()
        first = eve.said("lobby", "once \x1b[2J 二", id=sent)
        token = eve.welcome["token"]
        eve.ask("rename", "renamed", name="eva")
        eve.reset()
        for name, given in (("eva", "eva"), ("somebody", "somebody")):
            back = server.event(name, token=token)
            expect_equal((back.name, back.welcome["token"]), (given, token), "the name and the token shown")
            again = back.said("lobby", "once \x1b[2J 二", id=sent, ref="again")
            expect_equal({key: again[key] for key in ("seq", "at", "from", "ref")},
                         {"seq": first["seq"], "at": first["at"], "from": "eve", "ref": "again"}, f"as {name}")
            gone(back)
        ear.said("lobby", "behind")
        expect_equal([event["text"] for event in ear.messages()], ["once \ufffd[2J 二", "behind"], "what the others get")


@check("E4 E2", "a stranger took the name meanwhile: whoever shows its token is the same sender under another name")
def name_taken_meanwhile(bench):
    with bench.server() as server:
        ear, eve = server.event("ear"), server.event("eve")
        sent, other = new_id(), new_id()
        first = eve.said("lobby", "mine", id=sent)
        token = eve.welcome["token"]
        gone(eve)
        other_sender = server.event("eve")
        back = server.event("eve", token=token)
        expect_equal(back.name, "eve-2")
        again = back.said("lobby", "mine", id=sent)
        expect_equal((again["seq"], again["from"]), (first["seq"], "eve"))
        # Whoever sends under the name that the message was stored under is taken for the same.
        expect_equal(other_sender.said("lobby", "mine", id=sent)["seq"], first["seq"])
        other_sender.say("lobby", "another text", id=sent, ref="s")
        expect_error(other_sender.wait("error", ref="s"), ("id_reused",))
        # Other ids are each sender's own.
        theirs = other_sender.said("lobby", "same id", id=other)
        expect_equal(ear.said("lobby", "same id", id=other)["seq"], theirs["seq"] + 1)


@check("E4", "ids are known across a restart and a kill; other senders' equal ids, other rooms and other texts are told apart")
def again_after_restart(bench):
    file = bench.folder() / "h.db"
    ids = [new_id() for _ in range(40)]
    with bench.server("--history", file) as server:
        eve, bob = server.event("eve", rooms=["lobby", "den"]), server.event("bob")
        stored = [eve.said("lobby", f"text {number}", id=sent) for number, sent in enumerate(ids)]
        bobs = bob.said("lobby", "bob's", id=ids[0])
        acted = eve.said("lobby", "waves", id=new_id(), action=True)
        token = eve.welcome["token"]
        server.kill()
    with bench.server("--history", file) as server:
        ear = server.event("ear")
        back = server.event("evelyn", token=token, rooms=["lobby", "den"])
        for number, sent in enumerate(ids):
            again = back.said("lobby", f"text {number}", id=sent)
            expect_equal((again["seq"], again["at"], again["from"]),
                         (stored[number]["seq"], stored[number]["at"], "eve"), f"text {number} sent again")
        back.say("lobby", "another", id=ids[3], ref="r")
        expect_error(back.wait("error", ref="r"), ("id_reused",))
        back.say("lobby", "text 3", id=ids[3], action=True, ref="r")
        expect_error(back.wait("error", ref="r"), ("id_reused",))
        back.say("lobby", "waves", id=acted["id"], ref="r")
        expect_error(back.wait("error", ref="r"), ("id_reused",))
        expect_equal(back.said("lobby", "waves", id=acted["id"], action=True)["seq"], acted["seq"])
        expect_equal(back.said("den", "text 3", id=ids[3])["seq"], 1, "the same id in another room")
        # By name alone, in any case; and somebody else entirely.
        nameless = server.event("BOB")
        expect_equal(nameless.said("lobby", "bob's", id=ids[0])["seq"], bobs["seq"])
        ear.barrier()
        expect_equal(ear.messages(), [], "copies that the others get")
        expect_equal(ear.said("lobby", "bob's", id=ids[0])["seq"], acted["seq"] + 1, "a third sender's equal id")


@check("E4", "everything acknowledged before a kill is there after it, once, in its order; numbers go on")
def killed(bench):
    file = bench.folder() / "h.db"
    acknowledged, token = {}, None
    for life in range(4):
        with bench.server("--history", file) as server:
            eve = server.event("eve", **({"token": token} if token else {}))
            ear = server.event("ear", since={"lobby": 0})
            token = eve.welcome["token"]
            newest = eve.welcome["rooms"][0]["seq"]
            expect(newest >= len(acknowledged), "no number lost", (newest, len(acknowledged)))
            under_way = {}
            for number in range(300):
                text = f"life {life} text {number}"
                under_way[eve.say("lobby", text)] = text
            for _ in range(100 + 37 * life):
                event = eve.wait("message")
                acknowledged[event["id"]] = (event["seq"], event["text"])
            server.kill()
            try:
                while True:
                    ear.recv()
            except Ended:
                pass
            seen = ear.messages()
        with bench.server("--history", file) as server:
            eve = server.event("eve", token=token)
            for sent, text in under_way.items():
                again = eve.said("lobby", text, id=sent)
                known = acknowledged.setdefault(sent, (again["seq"], text))
                expect_equal((again["seq"], again["text"]), known, "what an id sent again brings")
            back = server.event("back", since={"lobby": 0})
            back.barrier()
            expect_equal(numbered(back.seen), list(range(1, len(acknowledged) + 1)), f"numbers after life {life}")
            expect_equal({event["id"]: (event["seq"], event["text"]) for event in back.messages()}, acknowledged)
            by_seq = {event["seq"]: event for event in back.messages()}
            for event in seen:
                expect_equal(by_seq[event["seq"]]["text"], event["text"], "what somebody saw before the kill")


@check("E4", "the same id twice, and with another text, in one write: the first is stored, the others are told so")
def again_in_one_write(bench):
    with bench.server() as server:
        ear, eve = server.event("ear"), server.event("eve")
        for round_ in range(20):
            sent = new_id()
            for ref, text in (("a", "text"), ("b", "text"), ("c", "other"), ("d", "text")):
                eve.say("lobby", text, id=sent, ref=ref)
            answers = [eve.wait("message", ref="a"), eve.wait("message", ref="b"), eve.wait("error", ref="c"),
                       eve.wait("message", ref="d")]
            expect_equal([answer.get("seq", answer.get("code")) for answer in answers],
                         [round_ + 1, round_ + 1, "id_reused", round_ + 1])
        eve.said("lobby", "end")
        ear.wait("message", text="end")
        expect_equal(numbered(ear.seen), list(range(1, 22)))


@check("E4", "direct messages are not stored: neither pages nor searches have them, after a restart neither")
def direct_not_stored(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        eve, bob = server.event("eve"), server.event("bob")
        eve.ask("direct", "direct", to="bob", text="a secret", id=new_id())
        expect_equal(eve.page()["messages"], [])
        server.terminate()
        server.wait_exit()
    expect(b"a secret" not in b"".join(path.read_bytes() for path in file.parent.iterdir()),
           "nothing of it in the file", "the text")
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        expect_equal(eve.ask("search", "history", room="lobby", query="secret")["messages"], [])


@check("E2 E7", "a takeover by token resumes as well: nothing is lost between the dead connection and the new one")
def takeover_resumes(bench):
    with bench.server() as server:
        mouth, eve = server.event("mouth"), server.event("eve")
        fill(mouth, 10)
        eve.wait("message", seq=4)
        token = eve.welcome["token"]
        eve.reset()
        fill(mouth, 10, first=11)
        back = server.event("eve", token=token, since={"lobby": 4})
        expect_equal(back.name, "eve")
        mouth.said("lobby", "live")
        back.wait("message", text="live")
        expect_equal(numbered(back.seen), list(range(5, 22)))


@check("E2", "rooms whose names sort first can be entered after a thousand others were opened and closed")
def many_closed_rooms(bench):
    with bench.server() as server:
        for first in range(0, 1088, 16):
            gone(server.event("opener", rooms=[f"z{number:04}" for number in range(first, first + 16)]))
        try:
            server.event("eve", rooms=[f"a{number:02}" for number in range(16)])
        except (Refused, Ended, Late) as error:
            expect(False, "a welcome", f"{type(error).__name__}: {error}")


@check("E5 E7", "what is asked right behind hello is answered behind all that was missed; leave and bye end what is owed")
def asked_behind_hello(bench):
    with bench.server() as server:
        mouth = server.event("mouth", rooms=["lobby", "den"])
        fill(mouth, 450)
        fill(mouth, 450, "den")
        for number, (kind, answer, fields) in enumerate((
                ("ping", "pong", {}), ("history", "history", {"room": "lobby"}), ("members", "members", {"room": "den"}),
                ("search", "history", {"room": "lobby", "query": "lobby"}), ("join", "joined", {"room": "attic"}),
                ("send", "message", {"room": "lobby", "text": "mine", "id": new_id()}))):
            for attempt in range(3):
                peer = EventPeer(server.address)
                server.peers.append(peer)
                peer.send_raw(b"".join(frame(json.dumps(request)) for request in (
                    {"type": "hello", "name": f"back{number}", "rooms": ["lobby", "den"], "since": {"lobby": 100, "den": 200}},
                    {"type": kind, "ref": "r", **fields})))
                newest = peer.recv()["rooms"][0]["seq"]
                peer.wait(answer, ref="r")
                expect_equal((numbered(peer.seen[:-1]), numbered(peer.seen, "den")),
                             (list(range(101, newest + 1)), list(range(201, 451))), f"what came before the answer to {kind}")
                gone(peer)
        for kind, answer, fields in (("leave", "left", {"room": "den"}), ("bye", "bye", {})):
            peer = EventPeer(server.address)
            server.peers.append(peer)
            peer.send_raw(b"".join(frame(json.dumps(request)) for request in (
                {"type": "hello", "name": "cut", "rooms": ["lobby", "den"], "since": {"lobby": 100, "den": 200}},
                {"type": kind, "ref": "r", **fields})))
            peer.wait(answer, ref="r")
            for room, seen in (("lobby", 100), ("den", 200)):
                came = numbered(peer.seen, room)
                expect_equal(came, list(range(seen + 1, seen + 1 + len(came))), f"what came of {room} before {kind}")
            gone(peer) if kind == "leave" else peer.read_to_end()


@check("E7 L", "a slow reader that resumes 3 MB while others talk: numbers and gaps have no hole, the server stays small")
def slow_resume(bench):
    with bench.server() as server:
        mouth = server.event("mouth")
        for number in range(1, 201):
            mouth.say("lobby", f"{number} " + "x" * 15_000)
            if number % 100 == 0:
                mouth.barrier()

        def resident_mib():
            with open(f"/proc/{server.pid}/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * 4096 >> 20
        before = resident_mib() if sys.platform.startswith("linux") else 0
        slow = [EventPeer(server.address, f"slow{number}", receive_buffer=1 << 16, since={"lobby": number}) for number in range(10)]
        server.peers += slow
        for number in range(201, 301):
            mouth.say("lobby", f"{number} x")
        mouth.barrier()
        if before:
            grown = resident_mib() - before
            expect(grown < 16, "less than 16 MiB for 10 readers of 3 MB each", f"{grown} MiB")
        for number, peer in enumerate(slow[:4]):
            following = number + 1
            while following <= 300:
                event = peer.recv()
                if event["type"] == "gap":
                    expect_equal(event["from"], following)
                    following = event["to"] + 1
                elif event["type"] == "message":
                    expect_equal(event["seq"], following)
                    following += 1
