"""T1 to T7: frames, pairs, order and goodbyes in the tutorial dialect."""

import os
import re

from frames import Ended, Late, frame
from harness import Failure, check, expect, expect_equal, wait_until
from tutorial_peer import pairs_in

HEADERS_OF_FIVE = {
    "canonical": b"5         ",
    "leading space": b" 5        ",
    "right-aligned": b"         5",
    "zero-padded": b"0000000005",
    "spaces, zeros, spaces": b"  0005    ",
}


@check("T1 T2", "every header form in the wild is read; what is written is canonical")
def header_forms(bench):
    for options in ((), ("--pure",)):
        with bench.server(*options) as server:
            ear = server.unregistered()
            ear.say("ear")
            if options:
                server_knows(server, ear)
            else:
                ear.settle()
            for number, (form, header) in enumerate(HEADERS_OF_FIVE.items()):
                name = f"form{number}"
                peer = server.bare()
                peer.send_raw(header + name.encode() + header + b"hello")
                pair = ear.next_said()  # reading refuses any header that is not canonical
                expect_equal((pair.who, pair.said), (name, "hello"), f"{form} {options}")


def server_knows(server, ear):
    """With --pure nothing shows that `ear` is in, except that it starts to receive."""
    probe = server.tutorial("probe", settle=False)
    for _ in range(100):
        probe.say("probe")
        try:
            ear.read_pair(0.05)
            break
        except Late:
            pass
    probe.say("last probe")
    while ear.next_said().said != "last probe":
        pass
    probe.close()


SAID = ["one", "zwei ß 二 🙂", "  three ", "4\tfour\nlines"]


@check("T1 T3 T6", "a conversation split at every byte gives the same transcript")
def every_split(bench):
    with bench.server() as server:
        ear = server.event("ear")

        def conversation(name, cuts):
            data = b"".join(map(frame, [name, *SAID])) + b"/exit"
            peer = server.bare()
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                peer.send_raw(data[start:end])
                ear.barrier()  # a round trip, so that the server meets the piece alone
            peer.read_to_end()
            peer.close()
            ear.barrier()
            return [event["text"] for event in ear.messages() if event["from"] == name]

        length = len(b"".join(map(frame, ["s000", *SAID])) + b"/exit")
        for cut in range(1, length):
            expect_equal(conversation(f"s{cut:03}", [cut]), SAID, f"cut at byte {cut}")
        expect_equal(conversation("bytewise", range(1, length + 4)), SAID, "one byte at a time")


@check("T1", "a thousand frames in one segment all arrive, in order")
def thousand_frames(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        texts = [f"m{number}" for number in range(1000)]
        server.bare().send_raw(b"".join(map(frame, ["burst", *texts])))
        received = [ear.next_said() for _ in texts]
        expect_equal([pair.said for pair in received], texts)
        expect_equal({pair.who for pair in received}, {"burst"})


# A peer takes what one write of the server brings for a segment; a relay reads and writes anew.
NO_SEGMENTS = "a relay does not keep the server's writes apart"


@check("T4", "a pair comes in one piece, name first, whatever its size", plain_only=NO_SEGMENTS)
def whole_pairs(bench):
    with bench.server() as server:
        ear, mouth = server.tutorial("ear"), server.tutorial("mouth")
        ear.until_named("mouth")  # its arrival; nothing else is announced from here on
        for size in (1, 10, 1000, 4096, 9000, 16384):
            text = b"x" * size
            mouth.say(text)
            chunk = ear.recv_chunk()
            pairs, whole = pairs_in(chunk)
            expect(whole, f"a segment of whole pairs for a text of {size} bytes", f"{len(chunk)} bytes: {chunk[:60]!r}")
            expect_equal(tuple(pairs[-1]), (b"mouth", text))


def burst_keeps_sync(bench, *client_options):
    count = 2000
    with bench.server() as server:
        client = bench.tutorial_client(server.at, "old", *client_options)
        mouth = server.tutorial("mouth")
        mouth_waits_for(mouth, client)
        mouth.send_raw(b"".join(frame(f"burst {number}") for number in range(count)))
        found = client.wait_text(rf"mouth > burst {count - 1}$|Reading error.*|closed by the server")
        lines = [line for line in client.out.splitlines() if line.startswith("mouth > burst")]
        expect("burst" in found[0], "a client that keeps its place in the stream", found[0])
        expect_equal(lines, [f"mouth > burst {number}" for number in range(count)])


def mouth_waits_for(mouth, client):
    """Until the client receives from `mouth`: then it is in, whatever the order of the two joins was."""
    for _ in range(100):
        mouth.say("are you there")
        try:
            client.wait_text(r"mouth > are you there", timeout=0.1)
            return
        except Failure:
            pass
    raise Failure("the tutorial's client to hear a member", client.out + client.err)


@check("T4", "the original client, which restarts a parse that is interrupted, survives 2,000 messages at once",
       plain_only=NO_SEGMENTS)
def fragile_client(bench):
    burst_keeps_sync(bench)


@check("T4", "a client that parses properly receives the same 2,000 messages")
def robust_client(bench):
    burst_keeps_sync(bench, "--robust")


@check("T5", "five senders, five listeners: all receive one order, nobody its own messages")
def one_order(bench):
    each = 60
    with bench.server() as server:
        senders = [server.tutorial(f"sender{number}") for number in range(5)]
        listeners = [server.tutorial(f"listener{number}") for number in range(5)]
        for number in range(each):
            for sender in senders:
                sender.say(f"message {number}")
        orders = []
        for listener in listeners:
            orders.append([(pair.who, pair.said) for pair in
                           (listener.next_said() for _ in range(each * len(senders)))])
        for number, sender in enumerate(senders):
            mine = [entry for entry in orders[0] if entry[0] == f"sender{number}"]
            expect_equal(mine, [(f"sender{number}", f"message {index}") for index in range(each)],
                         "each sender's own order")
        for order in orders[1:]:
            expect_equal(order, orders[0], "the order of another listener")
        for number, sender in enumerate(senders):
            others = [entry for entry in orders[0] if entry[0] != f"sender{number}"]
            received = [(pair.who, pair.said) for pair in (sender.next_said() for _ in others)]
            expect_equal(received, others, f"what sender{number} receives")
            sender.settle()
            expect_equal(len(sender.said_by_people()), len(others), "messages after all were heard")


GOODBYES = {
    "closer": lambda peer: peer.close(),
    "rawalone": lambda peer: peer.send_raw(b"/exit"),
    "rawclose": lambda peer: (peer.send_raw(b"/exit"), peer.close()),
    "rawreset": lambda peer: (peer.send_raw(b"/exit"), peer.reset()),
    "framed": lambda peer: peer.say("/exit"),
    "resetter": lambda peer: peer.reset(),
}


def departures(words, name):
    """How often a notice of a departure names `name`."""
    return sum(len(re.findall(rf"\b{name}\b", text)) for text in words if "left" in text.lower())


@check("T6", "a close, /exit raw (alone, before a close, before a reset), /exit framed, a reset: announced once each")
def goodbyes(bench):
    with bench.server() as server:
        ear, eve = server.tutorial("ear"), server.event("eve")
        peers = {name: server.tutorial(name) for name in GOODBYES}
        for name in GOODBYES:  # an arrival that is not announced yet might cancel out with the departure
            ear.until_named(name)
        for name, leave in GOODBYES.items():
            leave(peers[name])
        for name in ("rawalone", "framed"):
            rest = peers[name].read_to_end()
            expect(b"header" not in rest, "an orderly departure, not a complaint about a header", rest)
        for name in GOODBYES:
            ear.until_left(name)
        # One more departure, in a later batch: whatever was announced twice has come before it.
        last = server.tutorial("sentinel")
        ear.until_named("sentinel")
        last.close()
        ear.until_left("sentinel")
        eve.wait_named("left", "sentinel")
        for name in GOODBYES:
            expect_equal(departures(ear.words(), name), 1, f"announcements that {name} left")
            left = [event for event in eve.seen if event["type"] == "left" and name in event["names"]]
            expect_equal(len(left), 1, f"`left` events naming {name}")
        expect_equal(ear.said_by_people(), [], "messages relayed by leaving")


@check("T6", "a raw /exit in pieces is still one goodbye, and is never relayed")
def goodbye_in_pieces(bench):
    with bench.server() as server:
        ear = server.event("ear")
        for cut in range(1, 5):
            peer = server.tutorial(f"leaver{cut}")
            peer.send_raw(b"/exit"[:cut])
            ear.barrier()
            peer.send_raw(b"/exit"[cut:])
            peer.read_to_end()
        ear.barrier()
        expect_equal(ear.messages(), [])


@check("T7", "names up to 32 characters and 64 bytes, texts up to 16 KiB are taken")
def limits_reached(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        for name in ("n" * 32, "é" * 32, "二" * 21):
            server.tutorial(name, settle=False).say("here")
            expect_equal(ear.next_said().who, name)
        text = "x" * (16 * 1024)
        server.tutorial("long", settle=False).say(text)
        expect(ear.next_said().said == text, "a text of 16,384 bytes", "something else")


@check("T7", "a header that promises more ends the connection before any payload")
def limits_passed(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        for header in (b"65        ", b"9999      ", b"0000000065"):
            unregistered = server.bare()
            unregistered.send_raw(header)
            unregistered.read_to_end()
        headers = (b"16385     ", b"1000000000", b"9999999999")
        greedy = [server.tutorial(f"greedy{number}") for number in range(len(headers))]
        for number, (peer, header) in enumerate(zip(greedy, headers)):
            ear.until_named(f"greedy{number}")
            peer.send_raw(header)
            peer.read_to_end()
        for number in range(len(headers)):
            ear.until_left(f"greedy{number}")
        server.tutorial("after").say("still here")
        expect_equal(ear.next_said().said, "still here")


@check("T7", "a frame cut by the end of the stream is discarded")
def cut_frame(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        for number, cut in enumerate((b"5    ", b"5         ", b"5         hell")):
            peer = server.tutorial(f"cut{number}")
            ear.until_named(f"cut{number}")
            peer.say("whole")
            peer.send_raw(cut)
            peer.close()
            expect_equal(ear.next_said().said, "whole")
            ear.until_left(f"cut{number}")
        expect_equal([text for _, text in ear.said_by_people()], ["whole"] * 3)


@check("T5", "a member that resets in the middle of the fan-out disturbs nobody, and leaks nothing")
def resets_in_fan_out(bench):
    with bench.server() as server:
        ear, mouth = server.event("ear"), server.tutorial("mouth")

        def descriptors():
            folder = f"/proc/{server.pid}/fd"
            return len(os.listdir(folder)) if os.path.isdir(folder) else 0  # Linux only
        before, said = descriptors(), 0
        for wave in range(10):
            victims = [server.tutorial(f"victim{wave}x{number}", settle=False) for number in range(30)]
            for victim in victims:
                mouth.say(f"text {said}" + "." * 2000)
                said += 1
                try:
                    victim.reset()
                except Ended:
                    pass
        for number in range(said):
            expect(ear.wait("message", room="lobby")["text"].startswith(f"text {number}."), f"text {number}", "another")
        wait_until(lambda: descriptors() <= before, ear, "the descriptors of 300 reset connections coming back")
        expect(server.running(), "a running server", "it ended")
