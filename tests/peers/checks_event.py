"""E1 to E7: the event dialect."""

import re
import threading
import uuid

from event_peer import MAGIC, EventPeer, Refused
from frames import frame, new_id
from harness import Skipped, check, expect, expect_equal

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def expect_error(event, codes=()):
    expect(isinstance(event.get("code"), str) and re.fullmatch(r"[a-z][a-z0-9_]*", event["code"])
           and isinstance(event.get("text"), str) and event["text"], "an error with a code and a text", event)
    expect(not codes or event["code"] in codes, f"one of the codes {codes}", event)


@check("E2", "hello is answered by welcome with name, token, server, limits and rooms")
def welcome(bench):
    with bench.server() as server:
        eve, bob = server.event("eve"), server.event("bob", rooms=["den"])
        answer = eve.welcome
        expect_equal(answer["name"], "eve")
        expect(isinstance(answer["token"], str) and len(answer["token"]) >= 16, "a token that cannot be guessed", answer)
        expect(answer["token"] != bob.welcome["token"], "a token for each", "twice the same")
        expect("server" in answer and isinstance(answer["limits"], dict), "server and limits", answer)
        expect("lobby" in str(answer["rooms"]), "the lobby, where no rooms are asked for", answer["rooms"])
        expect("den" in str(bob.welcome["rooms"]), "the rooms that were asked for", bob.welcome["rooms"])


@check("E2", "anything but hello first is answered by an error; no word gets through")
def hello_first(bench):
    with bench.server() as server:
        ear, early = server.event("ear"), EventPeer(server.address)
        server.peers.append(early)
        early.say("lobby", "too early")
        expect_error(early.recv())
        ear.barrier()
        expect_equal(ear.messages(), [])


@check("D1 E1", "hello and a message split at every byte give the same transcript")
def every_split(bench):
    with bench.server() as server:
        ear = server.event("ear")
        length = None
        cut = 1
        while length is None or cut < length:
            name = f"s{cut:03}"
            data = MAGIC + frame('{"type":"hello","name":"%s"}' % name) + frame(
                '{"type":"send","room":"lobby","text":"zwei ß 二","id":"%s"}' % new_id())
            length = len(data)
            peer = server.bare()
            peer.send_raw(data[:cut])
            ear.barrier()
            peer.send_raw(data[cut:])
            expect_equal(ear.wait("message", **{"from": name})["text"], "zwei ß 二", f"cut at byte {cut}")
            peer.close()
            cut += 1


@check("E4", "one's own message coming back is the acknowledgement; seq has no holes, at is RFC 3339 with milliseconds")
def acknowledged(bench):
    with bench.server() as server:
        eve, bob = server.event("eve"), server.event("bob")
        alice = server.tutorial("alice")
        ids = []
        for number in range(10):
            ids.append(eve.say("lobby", f"eve {number}"))
            bob.say("lobby", f"bob {number}")
            alice.say(f"alice {number}")
            if number == 5:
                server.tutorial("latecomer")  # an arrival must not leave a hole
        texts = {f"{who} {number}" for who in ("eve", "bob", "alice") for number in range(10)}
        for peer in (eve, bob):
            while len(peer.messages()) < 30:
                peer.wait("message")
            events = peer.messages()
            expect_equal({event["text"] for event in events}, texts)
            seqs = [event["seq"] for event in events]
            expect_equal(seqs, list(range(seqs[0], seqs[0] + 30)), "consecutive seq")
            for event in events:
                expect_equal(event["room"], "lobby")
                expect(re.fullmatch(TIME, event["at"]), "RFC 3339 in UTC with milliseconds", event["at"])
                expect_equal(event["from"], event["text"].split()[0])
        expect_equal([event["id"] for event in eve.messages() if event["from"] == "eve"], ids)
        expect_equal([(event["seq"], event["at"], event["text"]) for event in eve.messages()],
                     [(event["seq"], event["at"], event["text"]) for event in bob.messages()])


@check("E4", "from, seq and at are the server's, whatever the client writes")
def stamped(bench):
    with bench.server() as server:
        eve, bob, ear = server.event("eve"), server.event("bob"), server.tutorial("ear")
        eve.say("lobby", "first")
        first = bob.wait("message")
        eve.say("lobby", "forged", **{"from": "bob", "seq": 999999, "at": "1999-01-01T00:00:00.000Z", "type": "send"})
        for peer in (eve, bob):
            event = peer.wait("message", text="forged")
            expect_equal((event["from"], event["seq"]), ("eve", first["seq"] + 1))
            expect(re.fullmatch(TIME, event["at"]) and event["at"] > "2024", "the server's time", event["at"])
        expect_equal([ear.next_said().who, ear.next_said().who], ["eve", "eve"])
        eve.send("direct", to="bob", text="forged too", id=new_id(), **{"from": "admin", "at": "1999"})
        event = bob.wait("direct")
        expect_equal(event["from"], "eve")
        expect(re.fullmatch(TIME, event["at"]) and event["at"] > "2024", "the server's time", event["at"])


@check("E4", "the same id again gives the same seq and no second copy")
def same_id(bench):
    with bench.server() as server:
        eve, bob, ear = server.event("eve"), server.event("bob"), server.tutorial("ear")
        once = eve.say("lobby", "once")
        first = eve.wait("message", id=once)
        eve.say("lobby", "once", id=once, ref="again")
        expect_equal(eve.wait("message", id=once)["seq"], first["seq"], "seq of the repetition")
        eve.say("lobby", "another text under the old id", id=once, ref="other")
        expect_error(eve.wait("error", ref="other"), ("id_reused",))
        eve.say("lobby", "after")
        after = bob.wait("message", text="after")
        bob.barrier()
        expect_equal([event["text"] for event in bob.messages()], ["once", "after"], "what the others get")
        expect_equal(after["seq"], first["seq"] + 1, "no seq spent on a repetition")
        expect_equal([ear.next_said().said, ear.next_said().said], ["once", "after"])
        bob.say("lobby", "bob's own", id=once)
        expect_equal(eve.wait("message", text="bob's own")["from"], "bob", "another's equal id is another message")


@check("E5", "ref comes back on what answers; ping is a barrier behind everything before it")
def refs_and_ping(bench):
    with bench.server() as server:
        eve, bob = server.event("eve"), server.event("bob")
        eve.say("lobby", "with ref", ref="r-send")
        expect_equal(eve.wait("message")["ref"], "r-send")
        expect("ref" not in bob.wait("message"), "no ref of another's request", bob.seen[-1])
        expect_equal(eve.ask("members", "members", room="lobby")["room"], "lobby")
        eve.ask("nonsense", "error")
        eve.ask("send", "error", room="lobby")
        eve.ask("direct", "direct", to="bob", text="psst", id=new_id())
        eve.ask("rename", "renamed", name="eva")
        for number in range(200):
            eve.say("lobby", f"m{number}")
        before = eve.barrier()
        expect_equal([event["text"] for event in before if event["type"] == "message"],
                     [f"m{number}" for number in range(200)], "messages before the pong")


@check("E6", "unknown types, missing and mistyped fields: error, and the connection stays; unknown fields are ignored")
def errors(bench):
    with bench.server() as server:
        eve, bob = server.event("eve"), server.event("bob")
        bad = [{"type": "nonsense"}, {"type": "send"}, {"type": "send", "room": "lobby", "id": new_id()},
               {"type": "send", "room": "lobby", "text": 5, "id": new_id()},
               {"type": "send", "room": ["lobby"], "text": "x", "id": new_id()},
               {"type": "send", "room": "lobby", "text": "x", "id": 7},
               {"type": "send", "room": "lobby", "text": "x", "id": "not an id"},
               {"type": "direct", "text": "x", "id": new_id()}, {"type": "join"}, {"type": "join", "room": 5},
               {"type": "members", "room": None}, {"type": "rename", "name": {}},
               {"type": "send", "room": "nowhere", "text": "x", "id": new_id()},
               {"type": "direct", "to": "nobody", "text": "x", "id": new_id()},
               {"type": "message", "room": "lobby", "text": "x", "seq": 1}, {"type": "welcome"}]
        for number, event in enumerate(bad):
            eve.send_object({**event, "ref": f"bad-{number}"})
            answer = eve.wait("error")
            expect_error(answer)
            expect_equal(answer.get("ref"), f"bad-{number}", f"ref of the error for {event}")
        eve.say("nowhere", "x", ref="r")
        expect_error(eve.wait("error", ref="r"), ("unknown_room",))
        eve.say("lobby", "x" * (16 * 1024 + 1), ref="r2")
        expect_error(eve.wait("error", ref="r2"), ("too_long",))
        eve.say("lobby", "kept", unknown={"deep": [1, None]}, colour="red")
        event = bob.wait("message")
        expect_equal(event["text"], "kept")
        expect("colour" not in event and "unknown" not in event, "unknown fields not relayed", event)
        eve.say("lobby", "x" * (16 * 1024))
        expect_equal(len(bob.wait("message")["text"]), 16 * 1024)


@check("E4", "an id that is not 32 lowercase hexadecimal digits is refused, never silently changed")
def id_forms(bench):
    with bench.server() as server:
        eve = server.event("eve")
        for written in (str(uuid.uuid4()), uuid.uuid4().hex.upper().replace("1", "A"), "7", ""):
            eve.say("lobby", "an odd id", id=written, ref="odd")
            expect_error(eve.wait("error", ref="odd"), ("bad_field",))


@check("E3", "direct goes to its receiver and back to its sender, and to nobody else")
def direct(bench):
    with bench.server() as server:
        eve, bob = server.event("eve"), server.event("bob")
        ear, alice = server.tutorial("ear"), server.tutorial("alice")
        sent = new_id()
        eve.send("direct", to="bob", text="psst\x1b[2J", id=sent)
        for peer in (eve, bob):
            event = peer.wait("direct")
            expect_equal((event["from"], event["to"], event["text"], event["id"]), ("eve", "bob", "psst\ufffd[2J", sent))
            expect(re.fullmatch(TIME, event["at"]), "a time", event)
        eve.send("direct", to="alice", text="to the tutorial", id=new_id())
        while "to the tutorial" not in alice.read_pair().said:
            pass
        eve.say("lobby", "aloud")
        expect_equal(ear.next_said().said, "aloud")
        expect(not any("to the tutorial" in pair.said for pair in ear.received), "a third person receives nothing", ear.received)
        bob.barrier()
        expect_equal([event["type"] for event in bob.seen].count("direct"), 1)


@check("E3", "rooms: join, talk, hear only one's rooms, leave; members lists them")
def rooms(bench):
    with bench.server() as server:
        eve, bob, tom = server.event("eve"), server.event("bob", rooms=["den"]), server.tutorial("tom")
        eve.send("join", room="den", ref="j")
        expect(not [event for event in eve.barrier() if event["type"] == "error"], "a join without an error", eve.seen)
        expect_equal(bob.wait_named("joined", "eve")["room"], "den")
        answer = bob.ask("members", "members", room="den")
        expect_equal((sorted(answer["names"]), answer["count"]), (["bob", "eve"], 2))
        answer = eve.ask("members", "members", room="lobby")
        expect_equal((sorted(answer["names"]), answer["count"]), (["eve", "tom"], 2))
        eve.say("den", "in the den")
        eve.say("lobby", "in the lobby")
        expect_equal(bob.wait("message")["text"], "in the den")
        expect_equal(tom.next_said().said, "in the lobby")
        bob.barrier()
        expect_equal(len(bob.messages()), 1, "messages to somebody in the den only")
        tom.settle()
        expect_equal(len(tom.said_by_people()), 1, "messages to somebody in the lobby only")
        eve.send("leave", room="den")
        expect(not [event for event in eve.barrier() if event["type"] == "error"], "a leave without an error", eve.seen)
        expect_equal(bob.wait_named("left", "eve")["room"], "den")
        eve.say("den", "not a member any more", ref="out")
        expect_error(eve.wait("error", ref="out"))
        bob.barrier()
        expect_equal(len(bob.messages()), 1)


@check("E3", "rename: everybody is notified, later messages carry the new name, a taken one is never shared")
def rename(bench):
    with bench.server() as server:
        eve, bob, ear = server.event("eve"), server.event("bob"), server.tutorial("ear")
        eve.send("rename", name="eva")
        for peer in (eve, bob):
            event = peer.wait("renamed")
            expect_equal((event["from"], event["to"]), ("eve", "eva"))
        ear.until_named("eva")
        eve.say("lobby", "me again")
        expect_equal(bob.wait("message")["from"], "eva")
        expect_equal(ear.next_said().who, "eva")
        eve.send("rename", name="BOB", ref="taken")
        eve.send("rename", name="a\x1bb", ref="bad")
        expect_error(eve.wait("error", ref="bad"))
        names = eve.ask("members", "members", room="lobby")["names"]
        expect_equal(len({name.lower() for name in names}), 3, "three different names")
        server.event("eve")  # the old name is free again


@check("T5 E1", "tutorial and event members hold one conversation")
def across_dialects(bench):
    with bench.server() as server:
        eve, tom, ear = server.event("eve"), server.tutorial("tom"), server.tutorial("ear")
        texts = ["hi", "naïve 二 🙂", 'quote " and \\ back', "two\nlines\tand a tab", " x ", "\u2028"]
        for number, text in enumerate(texts):
            tom.say(text)
            event = eve.wait("message", text=text)
            expect_equal((event["from"], event["room"]), ("tom", "lobby"))
            eve.say("lobby", text + "!")
            pair = tom.next_said()
            expect_equal((pair.who, pair.said), ("eve", text + "!"))
            received = [(said.who, said.said) for said in (ear.next_said(), ear.next_said())]
            expect_equal(received, [("tom", text), ("eve", text + "!")], f"the order at a third, round {number}")


@check("E7", "a member that fell behind gets a gap that covers exactly what is missing")
def gap(bench):
    count, text = 1600, "x" * 16000
    with bench.server() as server:
        slow = EventPeer(server.address, "slow", receive_buffer=1 << 16)
        server.peers.append(slow)
        lag = server.tutorial("lag", receive_buffer=1 << 16)
        mouth = server.tutorial("mouth")
        for number in range(count):
            mouth.say(f"{number} {text}")
        mouth.settle()
        first = following = None  # the seq of the first message, and the one that must come next
        holes = 0
        while first is None or following < first + count:
            event = slow.recv()
            if event["type"] == "gap":
                expect_equal((event["room"], event["from"]), ("lobby", following), "where the gap begins")
                expect(event["to"] >= event["from"], "a gap that is not empty", event)
                following, holes = event["to"] + 1, holes + 1
            elif event["type"] == "message":
                first = event["seq"] if first is None else first
                expect(following in (None, event["seq"]), f"seq {following}, or a gap from there", event["seq"])
                following = event["seq"] + 1
        expect_equal(following, first + count, "the seq after the last")
        expect(holes > 0, f"a gap after {count * len(text) >> 20} MiB unread", "none")


@check("E7 L", "a tutorial member that fell behind is notified how many messages it missed")
def missed(bench):
    count, text = 1600, "x" * 16000
    with bench.server() as server:
        lag = server.tutorial("lag", receive_buffer=1 << 16)
        mouth = server.tutorial("mouth")
        for number in range(count):
            mouth.say(f"{number} {text}")
        mouth.settle()
        received = missed_ones = 0
        while received + missed_ones < count:
            pair = lag.read_pair()
            found = re.search(r"missed (\d+)", pair.said) if pair.is_word else None
            missed_ones += int(found[1]) if found else 0
            received += not pair.is_word
        expect(missed_ones > 0, "a `*` pair that tells how many messages were missed", lag.words())
        expect_equal(received + missed_ones, count, "messages heard and missed")


@check("E2", "a token does not take the name from a connection that is alive")
def token_alive(bench):
    with bench.server() as server:
        eve, ear = server.event("eve"), server.event("ear")
        eve.barrier()
        answering = threading.Thread(target=lambda: (eve.wait("ping"), eve.send("pong")))
        answering.start()
        try:
            other = server.event("eve", token=eve.welcome["token"])
            expect(other.name != "eve", "another name, or an error", other.welcome)
        except Refused as refused:
            expect_error(refused.event, ("name_taken",))
        answering.join()
        eve.barrier()
        eve.say("lobby", "still me")
        expect_equal(ear.wait("message", text="still me")["from"], "eve")


@check("E2", "a token takes the name back at once after a reset; a wrong token does not help")
def token_reset(bench):
    with bench.server() as server:
        for _ in range(20):
            eve = server.event("eve")
            token = eve.welcome["token"]
            eve.reset()
            back = server.event("eve", token=token)
            expect_equal(back.name, "eve")
            try:
                thief = server.event("eve", token="0" * len(token))
                expect(thief.name != "eve", "another name for a wrong token", thief.welcome)
            except Refused:
                pass
            back.send("bye")
            back.read_to_end()
            back = server.event("eve", token=back.welcome["token"])
            expect_equal(back.name, "eve")
            back.send("bye")
            back.read_to_end()


@check("E2", "a token takes the name back from a connection that died without a sign")
def token_dead(bench):
    with bench.server() as server:
        ear, eve = server.event("ear"), server.event("eve")
        token = eve.welcome["token"]
        ear.wait_named("joined", "eve")
        if not eve.vanish():
            raise Skipped("dropping a connection silently needs CAP_NET_ADMIN on Linux")
        back = server.event("eve", token=token)
        expect_equal(back.name, "eve")
        back.say("lobby", "me again")
        expect_equal(ear.wait("message")["from"], "eve")
        expect_equal(ear.ask("members", "members", room="lobby")["names"].count("eve"), 1)


@check("E3", "bye is an orderly departure, announced once")
def bye(bench):
    with bench.server() as server:
        ear, eve = server.event("ear"), server.event("eve")
        ear.wait_named("joined", "eve")
        eve.send("bye")
        eve.read_to_end()
        expect_equal(ear.wait_named("left", "eve")["count"], 1)
        last = server.event("last")
        ear.wait_named("joined", "last")
        last.close()
        ear.wait_named("left", "last")
        expect_equal(sum("eve" in event["names"] for event in ear.seen if event["type"] == "left"), 1)
