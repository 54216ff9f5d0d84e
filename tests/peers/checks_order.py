"""E5, E3: what is asked in one go is answered in its order, however long the history takes, and whatever the slicing."""

import json
import socket

from event_peer import MAGIC, EventPeer
from frames import Ended, frame, new_id
from harness import check, expect, expect_equal


def request(kind, **fields):
    return frame(json.dumps({"type": kind, **fields}, ensure_ascii=False))


def answers(events):
    """Summary of each event with a ref, in order of arrival: the ref, the type, and the number or code."""
    return [(event["ref"], event["type"], event.get("seq", event.get("code"))) for event in events if "ref" in event]


def until_end(peer):
    try:
        while True:
            peer.recv()
    except Ended:
        return peer.seen


def program(room):
    """Requests of every kind, one behind the other, with what answers them. The last closes."""
    say = {"room": room, "text": "x"}
    same = new_id()
    steps = [
        (request("send", **say, id=new_id(), ref="s1"), ("s1", "message", 1)),
        (request("send", **say, id=same, ref="s2"), ("s2", "message", 2)),
        (request("send", room="nowhere", text="x", id=new_id(), ref="e1"), ("e1", "error", "unknown_room")),
        (request("send", **say, id=same, ref="s3"), ("s3", "message", 2)),
        (request("send", room=room, text="y", id=same, ref="e2"), ("e2", "error", "id_reused")),
        (request("send", room=room, text="", id=new_id(), ref="e3"), ("e3", "error", "empty_text")),
        (request("send", room=room, text="x" * 16_385, id=new_id(), ref="e4"), ("e4", "error", "too_long")),
        (request("send", room=room, ref="e5"), ("e5", "error", "bad_field")),
        (request("nonsense", ref="e6"), ("e6", "error", "unknown_type")),
        (request("ping", ref="p1"), ("p1", "pong", None)),
        (request("history", room=room, ref="h1"), ("h1", "history", None)),
        (request("send", **say, id=new_id(), ref="s4"), ("s4", "message", 3)),
        (request("search", room=room, query="x", ref="h2"), ("h2", "history", None)),
        (request("history", room=room, limit=0, ref="e7"), ("e7", "error", "bad_field")),
        (request("members", room=room, ref="m1"), ("m1", "members", None)),
        (request("send", **say, id=new_id(), ref="s5"), ("s5", "message", 4)),
        (request("leave", room=room, ref="l1"), ("l1", "left", None)),
        (request("send", **say, id=new_id(), ref="e8"), ("e8", "error", "unknown_room")),
        (request("join", room=room, ref="j1"), ("j1", "joined", 4)),
        (request("send", **say, id=new_id(), ref="s6"), ("s6", "message", 5)),
        (request("whois", name="nobody", ref="e9"), ("e9", "error", "unknown_name")),
        (request("away", text="tea", ref="a1"), ("a1", "away", None)),
        (request("rooms", ref="r1"), ("r1", "rooms", None)),
        (request("send", **say, id=new_id(), ref="s7"), ("s7", "message", 6)),
        (request("bye", ref="b1"), ("b1", "bye", None)),
    ]
    return b"".join(step[0] for step in steps), [step[1] for step in steps]


@check("E5", "requests of every kind in one write are answered in their order, refused ones among them")
def one_write(bench):
    with bench.server() as server:
        for attempt in range(30):
            peer = server.event(f"eve{attempt}", rooms=[f"den{attempt}"])
            data, expected = program(f"den{attempt}")
            peer.send_raw(data)
            expect_equal(answers(until_end(peer)), expected, f"attempt {attempt}")
            pages = {event["ref"]: [message["seq"] for message in event["messages"]]
                     for event in peer.seen if event["type"] == "history" and "ref" in event}
            expect_equal(pages, {"h1": [1, 2], "h2": [1, 2, 3]}, "what the pages hold: all that was said before, nothing after")


@check("E5 E1", "the same cut in two at every byte, beginning with the ten bytes and hello")
def every_cut(bench):
    def transcript(room):
        same = new_id()
        steps = [
            (request("hello", name=room, rooms=[room], ref="h"), ("h", "welcome", None)),
            (request("send", room=room, text="二", id=same, ref="1"), ("1", "message", 1)),
            (request("send", room=room, id=same, ref="2"), ("2", "error", "bad_field")),
            (request("history", room=room, ref="3"), ("3", "history", None)),
            (request("send", room=room, text="二", id=same, ref="4"), ("4", "message", 1)),
            (request("ping", ref="5"), ("5", "pong", None)),
            (request("bye", ref="6"), ("6", "bye", None)),
        ]
        return MAGIC + b"".join(step[0] for step in steps), [step[1] for step in steps]
    with bench.server() as server:
        length = len(transcript("s000")[0])
        barrier = server.event("barrier", rooms=[])
        for cut in range(1, length):
            data, expected = transcript(f"s{cut:03}")
            expect_equal(len(data), length, "bytes of a transcript")
            peer = EventPeer(server.address, magic=False)
            server.peers.append(peer)
            peer.send_raw(data[:cut])
            barrier.barrier()
            peer.send_raw(data[cut:])
            expect_equal(answers(until_end(peer)), expected, f"cut at byte {cut}")


@check("E4 E5", "a client that sends a lot and closes its side at once: everything is stored, and acknowledged in order")
def half_closed(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        ear = server.event("ear")
        for attempt in range(5):
            peer = server.event("eve")
            ids = [new_id() for _ in range(400)]
            peer.send_raw(b"".join(request("send", room="lobby", text=f"{attempt} {number}", id=sent, ref=str(number))
                                   for number, sent in enumerate(ids)))
            peer.sock.shutdown(socket.SHUT_WR)
            until_end(peer)
            expect_equal([(event["id"], event["ref"]) for event in peer.messages() if "ref" in event],
                         [(sent, str(number)) for number, sent in enumerate(ids)], "the acknowledgements")
        ear.wait("message", text="4 399")
        expect_equal([event["text"] for event in ear.messages()],
                     [f"{attempt} {number}" for attempt in range(5) for number in range(400)])
        tom = server.tutorial("tom")
        tom.send_raw(b"".join(frame(f"tom {number}") for number in range(400)))
        tom.sock.shutdown(socket.SHUT_WR)
        tom.read_to_end()
        ear.wait("message", text="tom 399")
        expect_equal([event["text"] for event in ear.messages()][2000:], [f"tom {number}" for number in range(400)])
        expect_equal([event["seq"] for event in ear.messages()], list(range(1, 2401)))
        server.kill()
    with bench.server("--history", file) as server:
        expect_equal(server.event("eve").welcome["rooms"][0]["seq"], 2400)


@check("E4 T5", "many speakers of both dialects at once: one order for all, the history's own, and numbers without holes")
def one_order(bench):
    with bench.server() as server:
        ears = [server.event(f"ear{number}") for number in range(3)]
        mouths = [server.event(f"mouth{number}") for number in range(8)]
        toms = [server.tutorial(f"tom{number}") for number in range(4)]
        for burst in range(10):
            for index, mouth in enumerate(mouths):
                mouth.send_raw(b"".join(request("send", room="lobby", text=f"m{index} {burst} {number}", id=new_id())
                                        for number in range(10)))
            for index, tom in enumerate(toms):
                tom.send_raw(b"".join(frame(f"t{index} {burst} {number}") for number in range(10)))
        count = 10 * 10 * 12
        transcripts = []
        for ear in ears + mouths:
            while not ear.messages() or ear.messages()[-1]["seq"] < count:
                ear.wait("message")
            transcripts.append([(event["seq"], event["at"], event["from"], event["text"]) for event in ear.messages()])
        expect_equal([entry[0] for entry in transcripts[0]], list(range(1, count + 1)))
        expect(all(transcript == transcripts[0] for transcript in transcripts), "one transcript", "several")
        stored, after = [], 0
        while True:
            page = ears[0].page(after=after)
            stored += [(said["seq"], said["at"], said["from"], said["text"]) for said in page["messages"]]
            if not page.get("more"):
                break
            after = stored[-1][0]
        expect(stored == transcripts[0], "the history to be what was sent", (stored[:2], transcripts[0][:2], len(stored)))
        for index in range(8):
            own = [text for _, _, who, text in stored if who == f"mouth{index}"]
            expect_equal(own, [f"m{index} {burst} {number}" for burst in range(10) for number in range(10)])


@check("E7 E4", "who comes in while others talk: between its context and the first live message nothing is missing or twice")
def context_meets_live(bench):
    with bench.server() as server:
        mouth = server.event("mouth")
        for number in range(60):
            mouth.say("lobby", f"{number + 1}")
        mouth.barrier()
        spoken = 60
        for attempt in range(40):
            for _ in range(10):
                spoken += 1
                mouth.say("lobby", str(spoken))
            late = EventPeer(server.address)
            server.peers.append(late)
            late.send_raw(request("hello", name=f"late{attempt}") + request("join", room="den") +
                          request("send", room="lobby", text="mine", id=new_id(), ref="mine"))
            spoken += 1
            for _ in range(10):
                spoken += 1
                mouth.say("lobby", str(spoken))
            mouth.barrier()
            late.wait("message", ref="mine")
            late.barrier()
            kinds = [event["type"] for event in late.seen if event["type"] in ("welcome", "history", "message")]
            expect_equal(kinds[:2], ["welcome", "history"], "welcome, then the context, then what is live")
            welcome, context = late.seen[0], next(event for event in late.seen if event["type"] == "history")
            numbers = [said["seq"] for said in context["messages"]]
            expect_equal(numbers[-1], welcome["rooms"][0]["seq"], "the last of the context is the newest of the welcome")
            expect_equal(len(numbers), 50)
            live = [event["seq"] for event in late.messages()]
            expect_equal(numbers + live, list(range(numbers[0], spoken + 1)), f"numbers of attempt {attempt}")
            late.close()
