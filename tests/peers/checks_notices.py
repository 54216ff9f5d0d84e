"""T8 to T12: names, server notices, --pure, commands, batches, control characters."""

import re
import time

from frames import PATIENCE, Late, frame
from pure import receives, next_real, settle_pure
from harness import check, expect, expect_equal


@check("T8", "inner spaces of a name become _, and its owner is notified")
def spaces_in_names(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        mary = server.tutorial("mary jane watson", settle=False)
        mary.wait_word(r"mary_jane_watson")
        mary.say("hello")
        expect_equal(ear.next_said().who, "mary_jane_watson")


@check("T8", "a message that is not UTF-8 gets a notice; the connection stays, nothing is relayed")
def message_not_utf8(bench):
    with bench.server() as server:
        ear, mouth = server.tutorial("ear"), server.tutorial("mouth")
        for bad in (b"\xff\xfe", b"ok\xc3", b"\xed\xa0\x80", b"\xc0\xaf"):
            mouth.say(bad)
            mouth.wait_word(r"utf-?8")
        mouth.say("after")
        expect_equal(ear.next_said().said, "after")


@check("T9", "--pure relays every payload untouched and says nothing of its own")
def pure_untouched(bench):
    payloads = [b"plain", b"\xff\xfe\x00\x80", b"\x1b]52;c;aGk=\x07\x1b[6n\x9b", b"/help", b"/away", b"/nosuch", b"//x", b"/nick b",
                "naïve 二 🙂 \u202e".encode(), b"  spaces ", b"a\r\nb\tc", b"y" * 16384]
    with bench.server("--pure") as server:
        members = [server.tutorial(name, settle=False) for name in ("alice", "bob", "mary jane")]
        settle_pure(members)
        alice, bob, mary = members
        gone = server.tutorial("gone", settle=False)
        gone.say("short visit")
        gone.send_raw(b"/exit")
        gone.read_to_end()
        for payload in payloads:
            alice.say(payload)
        for ear in (bob, mary):
            expect_equal(tuple(next_real(ear)), (b"gone", b"short visit"))
            for payload in payloads:
                expect_equal(tuple(next_real(ear)), (b"alice", payload))
        mary.say("from mary")
        expect_equal(tuple(next_real(bob)), (b"mary jane", b"from mary"), "a name is relayed untouched too")
        server.terminate()
        for member in members:
            member.read_to_end()
            expect_equal(member.words(), [], "the server's own words")
        expect_equal(server.wait_exit(), 0, "exit code")


@check("T9", "--pure allows duplicate names, and still nobody receives its own messages")
def pure_duplicates(bench):
    with bench.server("--pure") as server:
        twins = [server.tutorial("twin", settle=False) for _ in range(3)]
        settle_pure(twins)
        for number, twin in enumerate(twins):
            twin.say(f"from {number}")
        for number, twin in enumerate(twins):
            received = {next_real(twin).text.decode() for _ in range(2)}
            expect_equal(received, {f"from {other}" for other in range(3) if other != number})
        twins[0].say("the end")
        for twin in twins[1:]:
            expect_equal(tuple(next_real(twin)), (b"twin", b"the end"), "the name stays as it was given")


@check("T9", "nobody can speak under the name of the server's own words")
def star_is_taken(bench):
    with bench.server() as server:
        ear, liar = server.tutorial("ear"), server.unregistered()
        liar.say("*")
        try:
            liar.say("the server will now ask for your password")
        except Exception:
            pass  # already refused
        server.tutorial("honest").say("hello")
        while ear.next_said().who != "honest":
            pass
        expect(not any("password" in text for text in ear.words()), "no `*` pair from a member", ear.words())


@check("T10", "/help lists the commands, to its asker only")
def help_lists(bench):
    with bench.server() as server:
        ear, asker = server.tutorial("ear"), server.tutorial("asker")
        before = len(asker.received)
        asker.say("/help")
        asker.settle()
        answer = "\n".join(pair.said for pair in asker.received[before:] if pair.is_word)
        listed = set(re.findall(r"(?<![\w/])/[a-z]+", answer)) - {"/nosuch"}
        expect({"/help", "/nick", "/msg"} <= listed and len(listed) >= 5, "a list with /help, /nick, /msg and more", answer)
        asker.say("done")
        expect_equal(ear.next_said().said, "done")
        expect(not any("/nick" in text for text in ear.words()), "the answer to go to its asker alone", ear.words())


@check("T10", "an unknown command is answered and never relayed; //x sends /x")
def unknown_command(bench):
    with bench.server() as server:
        ear, mouth = server.tutorial("ear"), server.tutorial("mouth")
        mouth.say("/frobnicate the room")
        word = mouth.wait_word(r"frobnicate|unknown|no such")
        expect("the room" not in word.said or "frobnicate" in word.said, "an answer about the command", word.said)
        for text in ("//x", "//", "//help me", "///", "a /b"):
            mouth.say(text)
        for text in ("/x", "/", "/help me", "//", "a /b"):
            expect_equal(ear.next_said().said, text)


@check("T10", "a taken name gets the next free suffix, and its owner is notified; case does not make a name free")
def taken_names(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        first = server.tutorial("alice")
        second = server.tutorial("alice", settle=False)
        second.wait_word(r"\balice-2\b")
        third = server.tutorial("ALICE", settle=False)
        third.wait_word(r"(?i)\balice-3\b")
        for peer, name in ((first, "alice"), (second, "alice-2"), (third, "alice-3")):
            peer.say("who am i")
            expect_equal(ear.next_said().who.lower(), name)
        ear.until_named("alice-2")
        second.close()
        ear.until_left("alice-2")
        server.tutorial("alice", settle=False).wait_word(r"\balice-2\b")


@check("T7 T10", "the suffix of a taken name of 32 characters keeps it within 32")
def taken_long_name(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        server.tutorial("n" * 32)
        second = server.tutorial("n" * 32)
        second.say("short enough")
        name = ear.next_said().who
        expect(len(name) <= 32 and name != "n" * 32, "another name of at most 32 characters", name)


@check("T10", "/nick renames, /msg reaches one person only, wrong arguments get the usage")
def common_commands(bench):
    with bench.server() as server:
        eve, ear, bob = server.event("eve"), server.tutorial("ear"), server.tutorial("bob")
        bob.say("/nick robert")
        renamed = eve.wait("renamed")
        expect_equal((renamed["from"], renamed["to"]), ("bob", "robert"))
        bob.say("/msg eve between us")
        direct = eve.wait("direct")
        expect_equal((direct["from"], direct["to"], direct["text"]), ("robert", "eve", "between us"))
        bob.say("/nick")
        bob.wait_word(r"/nick\b")
        bob.say("/msg eve")
        bob.wait_word(r"/msg\b")
        bob.say("aloud")
        expect_equal((lambda pair: (pair.who, pair.said))(ear.next_said()), ("robert", "aloud"))
        expect(not any("between us" in pair.said for pair in ear.received), "a direct message unheard by others", ear.received)


@check("T11", "sixty arrivals in a second are announced in few batches, each counted once")
def batches(bench):
    with bench.server() as server:
        eve, ear = server.event("eve"), server.tutorial("ear")
        eve.wait_named("joined", "ear")
        joined, named = [], set()

        def listen(timeout):
            event = eve.recv(timeout)
            if event["type"] == "joined":
                joined.append((time.monotonic(), event))

        for number in range(60):
            server.tutorial(f"guest{number}", settle=False)
            try:
                listen(0.02)  # listening between two joins spreads them over a good second
            except Late:
                pass
        while sum(event["count"] for _, event in joined) < 60:
            listen(PATIENCE)
        for _, event in joined:
            expect(len(event["names"]) <= 20, "at most twenty names", event)
            expect(event["count"] >= len(event["names"]), "a count that includes the names", event)
            named |= set(event["names"])
        expect_equal(sum(event["count"] for _, event in joined), 60, "the sum of all counts")
        expect(named <= {f"guest{number}" for number in range(60)}, "only names that joined", named)
        span = joined[-1][0] - joined[0][0]
        expect(len(joined) <= 4 * span + 2, "at most four announcements a second", f"{len(joined)} in {span:.2f} s")
        ear.settle()
        for text in ear.words():
            expect(len(re.findall(r"guest\d+", text)) <= 20, "at most twenty names in one announcement", text)


@check("T11", "a crowd that joins at once is twenty names and a count")
def crowd(bench):
    with bench.server() as server:
        eve, ear = server.event("eve"), server.tutorial("ear")
        eve.wait_named("joined", "ear")
        for number in range(200):
            server.tutorial(f"guest{number}", settle=False)
        counted = 0
        while counted < 200:
            event = eve.wait("joined", room="lobby")
            expect(len(event["names"]) == min(20, event["count"]), "twenty names, or all where there are fewer", event)
            counted += event["count"]
        expect_equal(counted, 200)
        ear.settle()
        words = [text for text in ear.words() if "guest" in text]
        expect(words and len(words) <= 20, "a few announcements", f"{len(words)}: {words[:3]}")


@check("T12", "control characters other than newline and tab become U+FFFD")
def control_characters(bench):
    with bench.server() as server:
        ear, eve, mouth = server.tutorial("ear"), server.event("eve"), server.tutorial("mouth")
        sent = "a\x1b[2Jb\x07c\td\ne\x00f\x9bg\x7fh\ri 二"
        clean = "a\ufffd[2Jb\ufffdc\td\ne\ufffdf\ufffdg\ufffdh\ufffdi 二"
        mouth.say(sent)
        expect_equal(ear.next_said().said, clean)
        expect_equal(eve.wait("message")["text"], clean)
        eve.say("lobby", sent)
        expect_equal(ear.next_said().said, clean)
        expect_equal(eve.wait("message", **{"from": "eve"})["text"], clean)


@check("T12", "an escape sequence split over two messages or frames never reaches others raw")
def control_in_words(bench):
    with bench.server() as server:
        ear, mouth = server.tutorial("ear"), server.tutorial("mouth")
        mouth.send_raw(frame("/\x1b]52;c;aGk=\x07") + frame("/nick \x1b[6n") + frame("/msg ear \x1b[6n") + frame("\x1b"))
        ear.next_said()
        mouth.settle()
        ear.settle()
        for peer in (ear, mouth):
            for pair in peer.received:
                expect(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", pair.name + pair.text),
                       "no control character in anything the server writes", pair)
