"""O1, O2: who is an operator, what operators write, and how it is answered."""

import datetime
import re
from pathlib import Path

from checks_event import expect_error
from checks_history import refused
from checks_schema import all_conform, published
from checks_upkeep import history
from event_peer import EventPeer
from frames import frame, new_id
from harness import check, expect, expect_equal
from operating import TOKEN, act, acts, answered, no_act, notice, notices, operate, operated, operator, silent, speaks

LINES = ("kick bob", "mute bob", "unmute bob", "ban bob", "unban bob", "freeze", "thaw", "motd hi", "motd -", "motd", "roster", "bans")
COMMANDS = {"/" + line.split()[0] for line in LINES}


def lasts_s(act_):
    """From an act to its end."""
    at, until = (datetime.datetime.fromisoformat(act_[key]) for key in ("at", "until"))
    return (until - at).total_seconds()


@check("O1", "op with the token makes an operator, whom the others are told of; with another it does not")
def role(bench):
    with operated(bench) as server:
        eve, bob, ear = server.event("eve"), server.event("bob"), server.event("ear")
        for wrong in ("op wrong", f"op {TOKEN}x"):
            no_act(eve, "not_operator", wrong)
        no_act(eve, "not_operator", "roster")
        came = operate(eve, f"op {TOKEN}")
        expect_equal([event["type"] for event in came], ["act", "notice"])
        expect_equal((came[0]["act"], came[0]["by"]), ("op", "eve"))
        notice(eve, "roster")
        notice(eve, f"op {TOKEN}")
        act(bob, f"op {TOKEN}")
        expect_equal([(one["act"], one["by"]) for one in acts(eve)], [("op", "eve"), ("op", "bob")], "acts that an operator is shown")
        expect_equal([(one["act"], one["by"]) for one in acts(bob)], [("op", "bob")])
        expect_equal(acts(ear) + notices(ear), [], "what others are told")


@check("O1", "the tutorial dialect: /op with the token makes an operator, with another it does not")
def role_tutorial(bench):
    with operated(bench) as server:
        eve, tom = operator(server), server.tutorial("tom")
        for line in ("/op wrong", "/roster", "/freeze", "/op"):
            expect(answered(tom, line), f"an answer to {line}", "none")
        expect_equal(len(acts(eve)), 1, "acts up to now")
        answered(tom, f"/op {TOKEN}")
        expect_equal([(one["act"], one["by"]) for one in acts(eve)][1:], [("op", "tom")])
        expect(any("eve" in word and "tom" in word for word in answered(tom, "/roster")), "who is here", tom.words()[-3:])


@check("O1", "behind three wrong tokens no other is looked at on that connection, and nobody is banned for it")
def three_wrong(bench):
    with operated(bench) as server:
        ann = operator(server, "ann")
        for wrong, accepted in ((2, True), (3, False), (4, False)):
            eve, tom = server.event("eve"), server.tutorial("tom")
            start = len(ann.seen)
            for number in range(wrong):
                no_act(eve, "not_operator", f"op wrong{number}")
                answered(tom, f"/op wrong{number}")
            if accepted:
                act(eve, f"op {TOKEN}")
            else:
                no_act(eve, "not_operator", f"op {TOKEN}")
                no_act(eve, "not_operator", f"op {TOKEN}")
            answered(tom, f"/op {TOKEN}")
            roster = notice(ann, "roster")
            expect_equal([bool(re.search(rf"^{name}\b.*operator", roster, re.M)) for name in ("eve", "tom")], [accepted] * 2,
                         f"operators behind {wrong} wrong tokens: {roster!r}")
            gone = {"eve", "tom"}
            for peer in (eve, tom):
                peer.close()
            gone -= {name for event in ann.seen[start:] if event["type"] == "left" for name in event["names"]}
            while gone:
                gone -= set(ann.wait("left")["names"])


@check("O1", "the role ends with the connection, whatever token of E2 comes next; it goes along with another name")
def role_ends(bench):
    with operated(bench) as server:
        eve, ear = operator(server), server.event("ear")
        eve.ask("rename", "renamed", name="eva")
        expect_equal(act(eve, "motd hi")["by"], "eva")
        no_act(server.event("eve"), "not_operator", "roster")
        eve.close()
        ear.wait_named("left", "eva")
        again = server.event("eva", token=eve.welcome["token"])
        expect_equal((again.name, again.welcome["token"]), ("eva", eve.welcome["token"]), "who came back")
        no_act(again, "not_operator", "roster")
        again.reset()
        ear.wait("left", names=["eva"])
        tom = server.tutorial("eva")
        start = len(acts(ear))
        expect(answered(tom, "/motd bye"), "a refusal", tom.words())
        expect_equal(acts(ear)[start:], [])
        expect_equal(notices(server.event("new")), ["hi"], "the message of the day")


@check("O1 E2", "who takes over the connection of an operator that answers no more, by its token, is no operator")
def role_taken_over(bench):
    with operated(bench) as server:
        eve, ann = operator(server), operator(server, "ann")
        known = acts(ann)
        again = server.event("eve", token=eve.welcome["token"])  # eve reads nothing, so it answers no ping
        expect_equal(again.name, "eve", "who took over")
        no_act(again, "not_operator", "roster")
        no_act(again, "not_operator", "freeze")
        no_act(ann, "unknown_name", "kick nobody")
        act(ann, "mute eve")
        silent(again, "muted", "eve")
        expect_equal([one["act"] for one in acts(ann)[len(known):]], ["mute"])


@check("O1 T10", "without the option there are no operators; /help lists op where there can be, the rest to operators only")
def no_operators(bench):
    def listed(peer):
        return set(re.findall(r"(?<![\w/])/[a-z]+", "\n".join(answered(peer, "/help")))) & (COMMANDS | {"/op"})

    with bench.server() as server:
        eve, tom = server.event("eve"), server.tutorial("tom")
        for line in (f"op {TOKEN}", "op", *LINES):
            no_act(eve, "not_operator", line)
        expect(answered(tom, f"/op {TOKEN}"), "a refusal", tom.words())
        expect_equal(listed(tom), set(), "in /help without operators")
    with operated(bench) as server:
        tom = server.tutorial("tom")
        expect_equal(listed(tom), {"/op"}, "in /help for somebody who is no operator")
        answered(tom, f"/op {TOKEN}")
        expect_equal(listed(tom), COMMANDS | {"/op"}, "in /help for an operator")


@check("O1", "a token counts from the start on: with another one the old is wrong; --pure has no operators")
def other_token(bench):
    file = bench.folder() / "h.db"
    with operated(bench, "--history", file) as server:
        operator(server)
    with operated(bench, "--history", file, token="another-secret-another") as server:
        eve = server.event("eve")
        no_act(eve, "not_operator", f"op {TOKEN}")
        act(eve, "op another-secret-another")
    secret = bench.folder() / "token"
    secret.write_text(TOKEN)
    bench.refused_server("--pure", "--operator-token-file", secret)


@check("O1", "the token, right or wrong, is never said aloud, in no event, no act, no history and no log")
def secret(bench):
    for form in ("human", "json"):
        file = bench.folder() / "h.db"
        with operated(bench, "--history", file, "--log-format", form) as server:
            ear, see = operator(server, "ear"), server.tutorial("see")
            eve, tom, bob = server.event("eve"), server.tutorial("tom"), server.event("bob")
            for number in range(3):
                no_act(eve, "not_operator", f"op not-quite-{TOKEN}")
                answered(tom, f"/op not-quite-{TOKEN}")
            no_act(eve, "not_operator", f"op {TOKEN}")
            answered(tom, f"/op {TOKEN}")
            act(bob, f"op {TOKEN}")
            notice(bob, f"op {TOKEN}")
            no_act(bob, "too_long", f"op {TOKEN} " + "x" * 1024)
            tim = server.tutorial("tim")
            for line in (f"/op {TOKEN}", f"/op {TOKEN}", f"/op\t{TOKEN}", f"/OP {TOKEN}", f"/freeze {TOKEN}", f"/ op {TOKEN}"):
                answered(tim, line)
            expect(answered(tim, "/roster"), "an operator", tim.words())
            see.settle()
            eve.said("lobby", "the end")
            ear.wait("message", text="the end")
            for peer in (eve, bob, ear):
                peer.barrier()
                expect(TOKEN not in str(peer.seen), "no event with the token", peer.seen)
            for peer in (tom, tim, see):
                peer.settle()
                expect(TOKEN not in str(peer.received), "no word with the token", peer.received)
            exported = history(bench, "export", "--history", file).out
            expect("the end" in exported and TOKEN not in exported, "a history without the token", exported)
            server.kill()
            expect('eve' in server.err and TOKEN not in server.err + server.out, "a log without the token", server.err)
        for kept in file.parent.iterdir():
            expect(TOKEN.encode() not in kept.read_bytes(), f"{kept.name} without the token", "it holds it")


@check("O1", "the join client: /op makes its user an operator; it prints and keeps the token nowhere, and does not say it to a server without commands")
def secret_of_the_client(bench):
    def typed(server, *options):
        bot = bench.join(server.join_at, "--name", "bot", "--log", *options)
        bot.type(f"/op {TOKEN}\nheard\n")
        bot.end_of_input()
        bot.wait_exit()
        kept = [file for file in Path(bot.home.name).rglob("*") if file.is_file()]
        expect(kept, "files in which the client keeps what is said", kept)
        for file in kept:
            expect(TOKEN.encode() not in file.read_bytes(), f"{file.name} without the token", "it holds it")
        expect(TOKEN not in bot.out + bot.err, "no token in what it prints", bot.out + bot.err)

    for dialect in ("event", "tutorial"):
        with operated(bench) as server:
            eve, ear = operator(server), server.tutorial("ear")
            typed(server, "--dialect", dialect)
            expect_equal(ear.next_said().said, "heard")
            expect_equal([(one["act"], one["by"]) for one in acts(eve)][1:], [("op", "bot")])
            expect_equal([one["text"] for one in eve.messages()], ["heard"])
    with bench.tutorial_server() as server:
        ear = server.tutorial("ear", settle=False)
        server.wait_text("accepted 'ear'", "err")
        typed(server)
        expect_equal(ear.next_said().said, "heard", "the first that others hear")


@check("O1 O2", "whoever is no operator gets not_operator for every line, and nothing of it happens")
def not_operator(bench):
    with operated(bench) as server:
        eve, bob, mal, tom = operator(server), server.event("bob"), server.event("mal"), server.tutorial("tom")
        for line in LINES:
            no_act(mal, "not_operator", line)
            words = answered(tom, "/" + line)
            expect(words and "127.0.0.1" not in str(words), f"a refusal of /{line}", words)
        speaks(bob, eve)
        expect_equal(len(acts(eve)), 1, "acts, the one of eve's op among them")
        expect_equal(notices(bob) + notices(server.event("new")), [], "what others were told")


@check("O2 E5 E6", "operate comes behind hello, its line is a string of at most 1,024 bytes; what cannot be read is bad_field")
def lines(bench):
    schema = published()
    with operated(bench) as server:
        early = EventPeer(server.address)
        server.peers.append(early)
        early.send("operate", line=f"op {TOKEN}", ref="x")
        expect_error(early.recv(), ("out_of_order",))
        eve = operator(server)
        for fields in ({}, {"line": 5}, {"line": ["roster"]}, {"line": {}}, {"line": True}):
            refused(eve, "bad_field", "operate", **fields)
            expect(schema.faults({"type": "operate", **fields}, schema.root["$defs"]["request"]), "a schema that refuses it", fields)
        for line in ("frobnicate", "", " ", "kick", "mute", "unmute", "ban", "unban", "mute bob 30s", "mute bob 5", "ban bob 1h30m", "ban bob 0m",
                     "mute bob 366d", "mute bob 8761h", "ban bob 525601m", "ban bob 99999999999999999999d", "mute bob 1w", "mute bob 7 times"):
            no_act(eve, "bad_field", line)
        for line in ("motd " + "x" * 1020, "motd " + "漢" * 340, "roster" + " " * 1019, "mute bob " + "x" * 257, "kick eve " + "漢" * 86):
            no_act(eve, "too_long", line)
        expect_equal(act(eve, "motd " + "漢" * 339 + "yz")["text"], "漢" * 339 + "yz", "a line of 1,024 bytes")
        expect_equal(act(eve, "mute bob " + "x" * 256)["text"], "x" * 256, "a reason of 256 bytes")
        expect_equal(act(eve, "mute bob a\x1bb\u202ec\nd\te\u2028f")["text"], "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf", "a reason that is cleaned")
        all_conform(schema, eve.seen)


@check("O2", "FOR: from 1m to 365d, 1h where there is none; the reason begins behind it")
def lengths_of_time(bench):
    with operated(bench) as server:
        eve = operator(server)
        for text, seconds, reason in (("", 3600, None), (" 1m", 60, None), (" 90m", 5400, None), (" 2h", 7200, None), (" 365d", 365 * 86400, None),
                                      (" 8760h", 365 * 86400, None), (" 525600m", 365 * 86400, None), (" 7d", 7 * 86400, None),
                                      (" 5m be quiet", 300, "be quiet"), (" be quiet", 3600, "be quiet"), (" 5m 7 times", 300, "7 times"),
                                      (" m5", 3600, "m5")):
            for verb in ("mute", "ban"):
                came = act(eve, f"{verb} bob{text}")
                expect_equal((came["act"], came["by"], came["who"], lasts_s(came), came.get("text")), (verb, "eve", "bob", seconds, reason),
                             f"{verb} bob{text}")


@check("O2 E3 E5", "answers: act, behind op, mute, unmute and ban a notice of whom it hits; a notice alone where nothing changes")
def answers(bench):
    with operated(bench) as server:
        eve, ann, tim = operator(server), operator(server, "ann"), server.tutorial("tim")
        answered(tim, f"/op {TOKEN}")
        for name in ("bob", "kim"):
            server.event(name)
        for line, kinds in (("mute bob", "act notice"), ("unmute bob", "act notice"), ("unmute bob", "unknown_name"), ("ban bob", "act notice"),
                            ("unban bob", "act"), ("unban bob", "unknown_name"), ("kick kim why", "act"), ("kick kim", "unknown_name"),
                            ("kick nobody", "unknown_name"), ("freeze", "act"), ("freeze", "notice"), ("thaw", "act"), ("thaw", "notice"),
                            ("motd", "notice"), ("motd -", "notice"), ("motd a", "act"), ("motd", "notice"), ("motd -", "act"),
                            ("roster", "notice"), ("bans", "notice"), (f"op {TOKEN}", "notice")):
            before = acts(ann)
            start = len(ann.seen)
            came = operate(eve, line)
            expect_equal(" ".join(event.get("code") or event["type"] for event in came), kinds, f"the answers to {line}")
            own = [event for event in came if event["type"] == "act"]
            expect_equal(acts(ann)[len(before):], own, f"acts that another operator is shown of {line}")
            expect(not any("ref" in event for event in ann.seen[start:] if event["type"] == "act"), "an act without the asker's ref", ann.seen[start:])
            words = [word for word in answered(tim, "/nosuch") if "nosuch" not in word] if own else []
            if own:
                expect_equal((own[0]["by"], own[0]["act"]), ("eve", line.split()[0]))
                tim.settle()
                expect(any("eve" in word for word in tim.words()[-4:] + words), f"a word for an operator of {line}", tim.words()[-4:])
            if kinds == "act notice" and "bob" in line:
                expect("bob" in came[1]["text"], f"whom {line} hits", came[1])
        expect_equal(own, [])
        nobody = operate(eve, "mute nobody-here")[1]
        expect("bob" not in nobody["text"], "that it hits nobody here", nobody)


@check("O2", "every line in the tutorial dialect: carried out, answered and told as it is in events")
def tutorial_lines(bench):
    with operated(bench) as server:
        eve, tim = operator(server), server.tutorial("tim")
        answered(tim, f"/op {TOKEN}")
        bob, kim = server.event("bob"), server.tutorial("kim")
        for line, expected in (("mute bob 5m be quiet", {"who": "bob", "text": "be quiet"}), ("unmute bob", {"who": "bob"}), ("freeze", {}), ("thaw", {}),
                               ("motd a\nb", {"text": "a\nb"}), ("motd -", {}), ("kick kim out", {"who": "kim", "text": "out"}),
                               ("ban bob 2h bye", {"who": "bob", "text": "bye"}), ("unban bob", {"who": "bob"})):
            before = len(acts(eve))
            expect(answered(tim, "/" + line), f"an answer to /{line}", "none")
            came = [{key: value for key, value in one.items() if key not in ("at", "until", "type")} for one in acts(eve)[before:]]
            expect_equal(came, [{"by": "tim", "act": line.split()[0], **expected}], f"the act of /{line}")
        for line, fact in (("/bans", "nobody|nothing"), ("/roster", r"tim\b.*operator"), ("/motd", "motd|message"), ("/unmute bob", "bob"),
                           ("/mute bob 30s", "30s"), ("/kick", "kick")):
            before = len(acts(eve))
            expect(re.search(fact, "\n".join(answered(tim, line)), re.I), f"an answer to {line} with {fact}", tim.words()[-2:])
            expect_equal(len(acts(eve)), before, f"acts of {line}")
        for peer in (bob, kim):
            expect(peer.read_to_end() is not None, "that they were thrown out", "not")
        expect(not any("mute" in text or "freeze" in text for _, text in tim.said_by_people()), "nothing said aloud", tim.received)
        expect_equal(eve.messages(), [], "nothing said aloud")


@check("O2 E5", "what is sent together is carried out in order: op, and what only an operator may, and what others then may not")
def pipelined(bench):
    with operated(bench) as server:
        eve, bob, tim, kim = server.event("eve"), server.event("bob"), server.tutorial("tim"), server.tutorial("kim")
        for number, line in enumerate((f"op {TOKEN}", "freeze", "roster", "mute bob", "thaw", "freeze")):
            eve.send("operate", line=line, ref=str(number))
        eve.say("lobby", "eyes to the front", ref="said")
        order = [(event["type"], event.get("ref")) for event in eve.barrier() if event["type"] not in ("joined", "left")]
        expect_equal(order, [("act", "0"), ("notice", "0"), ("act", "1"), ("notice", "2"), ("act", "3"), ("notice", "3"), ("act", "4"), ("act", "5"),
                             ("message", "said")], "the answers")
        tim.send_raw(b"".join(frame(text) for text in (f"/op {TOKEN}", "/thaw", "heard")))
        expect_equal(eve.wait("message", text="heard")["from"], "tim")
        expect_equal([(one["act"], one["by"]) for one in acts(eve)][-2:], [("op", "tim"), ("thaw", "tim")])
        silent(bob, "muted", "kim")


@check("O1", "/op behind what cannot be seen is not said, in neither dialect; a text tells nothing about a token of the host's own")
def op_in_a_text(bench):
    with operated(bench) as server:
        eve, bob, tom = server.event("eve"), server.event("bob"), server.tutorial("tom")
        for before in (" /op ", "\u200b/op ", "\uff0fop ", "\ufeff/op\t", "\x1b[A/op "):
            for request in ({"type": "send", "room": "lobby"}, {"type": "direct", "to": "bob"}):
                eve.send(request["type"], text=f"{before}{TOKEN} ", id=new_id(), ref="t",
                         **{field: value for field, value in request.items() if field != "type"})
                expect_error(eve.wait("error", ref="t"), ("bad_field",))
            tom.say(f"{before}{TOKEN}")
        tom.settle()
        texts = [f"{TOKEN}, as everybody knows", f"op {TOKEN}", f"op {TOKEN[:-1]}x"]
        for text in texts:
            eve.said("lobby", text)
        bob.barrier()
        received = [event for event in bob.seen if event["type"] in ("message", "direct")]
        expect_equal([event["text"] for event in received], texts, "all that bob was sent")


@check("O2", "what looks like an address mistyped is refused and no ban of a name, unless it is in quotes")
def mistyped_addresses(bench):
    with operated(bench) as server:
        eve = operator(server)
        for who in ("1.2.3", "01.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%lo", "1.2.3.4.5"):
            no_act(eve, "bad_field", f"ban {who} 1h")
        act(eve, 'ban "1.2.3" 1h')
        expect('"1.2.3"' in notice(eve, "bans"), "the name as it has to be written", notice(eve, "bans"))
