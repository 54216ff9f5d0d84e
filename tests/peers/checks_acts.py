"""O2: what stands is all acts in their order: listed, kept, over at its end, and the same behind a restart."""

import datetime
import json
import re

from checks_history import refused
from checks_schema import all_conform, published
from checks_upkeep import history, lines_of
from faulty import Faults
from frames import Ended
from harness import check, expect, expect_equal, wait_until
from operating import (TOKEN, act, acts, answered, elsewhere, kept_out, kept_out_by_address, no_act, notice, notices, operate, operated, operator,
                       silent, silent_tutorial, speaks, thrown_out, expect_notice)


def written(lines):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@check("O2", "motd: each newcomer is shown it, in several lines, the latest only; motd - takes it away")
def message_of_the_day(bench):
    with operated(bench) as server:
        eve = operator(server)
        before = server.event("before")
        for number, text in enumerate(("first", "Exam on Monday.\nBring a pen\tand paper.", "漢" * 339)):
            expect_equal(act(eve, f"motd {text}")["text"], text)
            expect(text in notice(eve, "motd"), "what is set", text)
            expect_equal(notices(server.event(f"new{number}")), [text], "notices to an event newcomer")
            tom = server.tutorial(f"tom{number}")
            expect(text in tom.words(), "what a tutorial newcomer is shown", tom.words())
            expect("here" in tom.words()[0], "who is here first (T9)", tom.words())
        expect_equal(notices(server.event("none", rooms=[])), [text], "notices to a newcomer in no room")
        act(eve, "motd -")
        expect_equal(notices(server.event("last")) + notices(before), [], "notices without one")
        expect("漢" not in notice(eve, "motd") and "漢" not in str(server.tutorial("lost").words()), "none", "still there")


@check("O2", "roster: each member's name, address, dialect, since when, and the marks; bans: what stands, until when, and why")
def listings(bench):
    with operated(bench) as server:
        eve, bob, tom = operator(server), server.event("bob", rooms=["den"]), server.tutorial("tom")

        def line_of(listing, name):
            found = [line for line in listing.split("\n") if re.search(rf"^\W*{re.escape(name)}(?![\w-])", line)]
            expect_equal(len(found), 1, f"lines about {name} in {listing!r}")
            return found[0]

        roster = notice(eve, "roster")
        for name, dialect in (("eve", "event"), ("bob", "event"), ("tom", "tutorial")):
            entry = line_of(roster, name)
            since = eve.ask("whois", "whois", name=name)["since"]
            expect("127.0.0.1" in entry and dialect in entry and since[:10] in entry and since[11:16] in entry,
                   f"address, dialect and since {since}", entry)
            expect_equal("operator" in entry, name == "eve", f"mark of an operator for {name}")
        bob_muted, kim = act(eve, "mute BOB 2h too loud"), act(eve, "ban kim 3d")
        roster = notice(eve, "roster")
        expect_equal(["muted" in line_of(roster, name) for name in ("eve", "bob", "tom")], [False, True, False], "marks of a mute")
        standing = notice(eve, "bans")
        for what, who, came in (("mute", "BOB", bob_muted), ("ban", "kim", kim)):
            entry = line_of(standing, who)
            expect(what in entry and came["until"][:10] in entry and came["until"][11:16] in entry, f"{what} and its end {came['until']}", entry)
        expect("too loud" in line_of(standing, "BOB"), "the reason", standing)
        act(eve, "unmute bob")
        act(eve, "unban KIM")
        expect(not re.search("bob|kim", notice(eve, "bans"), re.I), "nothing that was taken back", notice(eve, "bans"))
        tom.close()
        eve.wait_named("left", "tom")
        expect("tom" not in notice(eve, "roster"), "nobody who left", "tom")


@check("O2", "another mute or ban of the same name, address or network replaces the one that stands")
def replaced(bench):
    with operated(bench) as server:
        eve = operator(server)
        for verb in ("mute", "ban"):
            for first, second in (("bob", "BOB"), ("10.1.2.3", "::ffff:10.1.2.3"), ("10.2.0.0/16", "10.2.0.0/16"), ("2001:db8::/64", "2001:DB8:0::/64")):
                act(eve, f"{verb} {first} 3h the-first")
                last = act(eve, f"{verb} {second} 2m the-second")
                standing = notice(eve, "bans")
                expect("the-first" not in standing and standing.count("the-second") == 1 and last["until"][11:16] in standing,
                       f"the last {verb} of {first} only", standing)
                act(eve, f"un{verb} {first}")
                no_act(eve, "unknown_name", f"un{verb} {second}")
                expect("the-" not in notice(eve, "bans"), "nothing that stands", notice(eve, "bans"))


@check("O2 L", "1,000 mutes and 1,000 bans stand; another is refused until one is taken back, replacing one is not")
def limits(bench):
    with operated(bench, "--history", "none") as server:
        eve = operator(server)
        for verb in ("mute", "ban"):
            for number in range(1000):
                eve.send("operate", line=f"{verb} name{number}")
            expect_equal([event["type"] for event in eve.barrier()], ["act", "notice"] * 1000)
            expect_equal([event["type"] for event in operate(eve, f"{verb} another")], ["error"])
            act(eve, f"{verb} NAME7 2h")
            act(eve, f"un{verb} name8")
            act(eve, f"{verb} another")
            expect_equal([event["type"] for event in operate(eve, f"{verb} more")], ["error"])
            notice(eve, "bans")  # it fits one event
        bob = server.event("name9x")
        speaks(bob, eve)


@check("O2 E6", "an act that cannot be stored is not_stored, told to nobody, and not in force, then or behind a restart")
def not_stored(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    with operated(bench, "--history", file, environment=faults.environment) as server:
        eve, ann, bob = operator(server), operator(server, "ann"), server.event("bob")
        known = acts(ann)
        faults.set("write ENOSPC")
        for line in ("mute bob", "freeze", "motd full", "ban kim", "kick bob"):
            no_act(eve, "not_stored", line)
        no_act(bob, "not_stored", f"op {TOKEN}")
        notice(eve, "roster")
        faults.none()
        no_act(bob, "not_operator", "roster")
        speaks(bob, eve)
        expect_equal(acts(ann), known, "what other operators were told")
        expect_equal(notices(bob) + notices(server.event("kim")), [], "what those were told whom it would have hit")
        act(eve, "mute kim")
        server.kill()
    with operated(bench, "--history", file) as server:
        speaks(server.event("bob"), operator(server))
        silent(server.event("kim"), "muted", "bob")
    exported = [line for line in lines_of(history(bench, "export", "--history", file)) if line["type"] == "act"]
    expect_equal([line["act"] for line in exported], ["op", "op", "mute", "op"])


@check("O2 E8", "the audit log: every act, as operators were told it, in order; export, import, the server's log")
def audit(bench):
    file, copy = bench.folder() / "h.db", bench.folder() / "copy.db"
    with operated(bench, "--history", file) as server:
        eve, tim = operator(server), server.tutorial("tim")
        answered(tim, f"/op {TOKEN}")
        server.event("bob"), server.event("kim")
        for line in ("mute bob 5m be quiet", "unmute bob", "mute 10.0.0.0/24", 'ban "10.0.0.1" 2h', "kick bob why", "ban kim 7d bye", "unban kim", "freeze",
                     "thaw", "motd a\nb", "motd -", "roster", "bans", "freeze", "freeze", "unmute nobody", "mute gus 365d 漢 \"x\" \\"):
            operate(eve, line)
            eve.said("lobby", "between")
            if line == "thaw":
                answered(tim, "/mute lou 2d from the tutorial")
        seen = acts(eve)
        expect_equal([one["act"] for one in seen], ["op", "op", "mute", "unmute", "mute", "ban", "kick", "ban", "unban", "freeze", "thaw", "mute", "motd",
                                                     "motd", "freeze", "mute"])
        exported = lines_of(history(bench, "export", "--history", file))
        expect_equal(exported[-len(seen):], seen, "the end of the export")
        expect(not any(line["type"] == "act" for line in exported[:-len(seen)]), "all acts behind the messages", exported[:5])
        all_conform(published(), exported[1:] + eve.seen)
        expect(all(one["at"] <= next_["at"] for one, next_ in zip(seen, seen[1:])), "times in order", seen)
        server.terminate()
        server.wait_exit()
        logged = iter(line.lower() for line in server.err.split("\n") if re.search(r"\boperator\b", line))
        for one in seen:
            facts = [one[key].strip('"').lower() for key in ("act", "by", "who", "until") if key in one]
            expect(any(all(fact in line for fact in facts) for line in logged), "a line in the log for each act, in order", f"none for {one}: {server.err[-600:]}")
    history(bench, "import", "--history", copy, stdin=written(exported))
    expect_equal(lines_of(history(bench, "export", "--history", copy)), exported, "what was imported")
    with operated(bench, "--history", copy) as server:
        lou = server.event("lou")
        refused(lou, "muted", "rename", name="lulu")
        expect_notice(server.tutorial("new"), "fr[eo]+ze")


def do_much(server, eve):
    """Some of every act, what is taken back among it; `still_stands` looks whether it is in force."""
    server.event("mal")
    for line in ("mute bob 2h too loud", "mute mal", "unmute MAL", "ban kim", "ban lou", "unban lou", "ban 127.0.0.2 9h", "ban 127.0.0.16/28",
                 "ban 127.0.0.5", "unban 127.0.0.5", "mute 127.0.0.3", "mute 127.0.0.32/28", "motd old", "motd Exam on Monday.\nBring a pen.",
                 "freeze", "thaw", "kick mal"):
        act(eve, line)


def still_stands(server, eve):
    start = len(notices(eve))
    for name in ("mal", "lou"):
        speaks(server.event(name), eve)
    bob = server.event("BOB")
    expect(any("too loud" in text for text in notices(bob)) and "Exam on Monday.\nBring a pen." in notices(bob), "the notice to bob", notices(bob))
    silent(bob, "muted", "mal")
    kept_out(server, "kim")
    for last in (2, 16, 31):
        kept_out_by_address(server, elsewhere(last))
    for last in (5, 15, 32 + 16):
        speaks(server.event(f"at{last}", source=elsewhere(last)), eve)
    for last in (3, 32, 47):
        silent(server.event(f"mute-at{last}", source=elsewhere(last)), "muted", "mal")
    expect_equal(notices(eve)[start:], [], "what nobody asked for")


@check("O2", "what stands, stands again behind a stop and behind kill -9: mutes, bans, motd; the role does not")
def restarts(bench):
    file = bench.folder() / "h.db"
    with operated(bench, "--history", file) as server:
        eve = operator(server)
        do_much(server, eve)
        still_stands(server, eve)
        bans = notice(eve, "bans")
        server.kill()
    for end in ("kill", "terminate", "kill"):
        with operated(bench, "--history", file) as server:
            expect_equal(notices(server.event("early")), ["Exam on Monday.\nBring a pen."])
            eve = server.event("eve")
            no_act(eve, "not_operator", "bans")
            act(eve, f"op {TOKEN}")
            still_stands(server, eve)
            expect_equal(notice(eve, "bans"), bans, "what stands")
            getattr(server, end)()
            server.wait_exit()


@check("O2", "a freeze and a motd taken away, each behind kill -9; what is done behind a restart adds to what stands")
def frozen_restarts(bench):
    file = bench.folder() / "h.db"
    for line, frozen, motd in (("motd hi", False, ["hi"]), ("freeze", True, ["hi"]), ("motd -", True, []), ("mute bob", True, []), ("thaw", False, [])):
        with operated(bench, "--history", file) as server:
            act(operator(server), line)
            server.kill()
        with operated(bench, "--history", file) as server:
            ear, tom = server.event("ear"), server.tutorial("tom")
            shown = notices(ear)
            expect_equal([text for text in shown if text == "hi"], motd, f"the message of the day behind {line}")
            expect_equal(len(shown), len(motd) + frozen, f"what a newcomer is shown after {line}: {shown}")
            if frozen:
                silent(ear, "frozen", "tom")
                silent_tutorial(tom, "ear")
            else:
                speaks(ear, server.event("eva"))
                speaks(tom, ear)
            server.kill()


@check("O2 E4", "killed in the middle of a hundred acts: each one that was answered stands, and the log and what stands agree")
def killed_in_the_middle(bench):
    for answered_ in (1, 40, 150):
        file = bench.folder() / "h.db"
        with operated(bench, "--history", file) as server:
            eve = operator(server)
            for number in range(300):
                eve.send("operate", line=f"mute name{number:03}", ref=f"{number}")
            eve.wait("act", ref=f"{answered_}")
            server.kill()
            try:
                while True:
                    eve.recv()
            except Ended:
                pass
            known = [event["who"] for event in eve.seen if event["type"] == "act" and event["act"] == "mute"]
        with operated(bench, "--history", file) as server:
            stored = [line["who"] for line in lines_of(history(bench, "export", "--history", file)) if line.get("act") == "mute"]
            expect_equal(stored, [f"name{number:03}" for number in range(len(stored))], "the acts that are stored")
            expect(len(known) > answered_ and stored[:len(known)] == known, "each act that was told", (len(known), len(stored)))
            expect_equal(sorted(re.findall(r"^name\d+", notice(operator(server), "bans"), re.M)), stored, "what stands")


@check("O2", "a mute and a ban end by themselves, at their time, in a server that runs and behind a restart")
def ends(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    with operated(bench, "--history", file, environment=faults.environment) as server:
        eve, bob, tom = operator(server), server.event("bob"), server.tutorial("tom")
        for line in ("mute bob 1m", "mute tom 1m", "ban kim 1m", "ban 127.0.0.2 1m", "mute lou 3m", "ban gus 3m"):
            act(eve, line)
        faults.set("clock 50")
        silent(bob, "muted", "tom")
        silent_tutorial(tom, "bob")
        kept_out(server, "kim")
        kept_out_by_address(server, elsewhere(2))
        faults.set("clock 62")
        speaks(bob, eve)
        speaks(tom, eve)
        speaks(server.event("kim"), eve)
        speaks(server.event("at2", source=elsewhere(2)), eve)
        silent(server.event("lou"), "muted", "tom")
        kept_out(server, "gus")
        standing = notice(eve, "bans")
        expect(not re.search(r"bob|tom|kim|127\.0\.0\.2", standing) and "lou" in standing and "gus" in standing, "what has not ended", standing)
        no_act(eve, "unknown_name", "unmute bob")
        server.kill()
    for clock, over in ((62, False), (182, True)):
        faults.set(f"clock {clock}")
        with operated(bench, "--history", file, environment=faults.environment) as server:
            eve = operator(server)
            speaks(server.event("bob"), eve)
            if over:
                speaks(server.event("lou"), eve)
                speaks(server.event("gus"), eve)
            else:
                silent(server.event("lou"), "muted", "bob")
                kept_out(server, "gus")
            server.kill()


@check("O2 E8", "acts that are imported stand until their end: one that is past does not, and one that is seconds off ends")
def imported(bench):
    file = bench.folder() / "h.db"
    now = datetime.datetime.now(datetime.UTC)

    def at(seconds):
        return (now + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    lines = [{"type": "act", "at": at(-9000 + number), "by": "eve", "act": verb, "who": who, "until": at(until)} for number, (verb, who, until) in enumerate(
        (("mute", "past", -1), ("mute", "soon", 2), ("mute", "later", 3600), ("ban", "gone", -60), ("ban", "kept", 60)))]
    history(bench, "import", "--history", file, stdin=written([{"type": "schema", "version": 1}, *lines]))
    with operated(bench, "--history", file) as server:
        eve, past, soon = operator(server), server.event("past"), server.event("soon")
        if datetime.datetime.now(datetime.UTC) < now + datetime.timedelta(seconds=1):
            silent(soon, "muted", "past")
        speaks(past, eve)
        server.event("gone")
        silent(server.event("later"), "muted", "gone")
        kept_out(server, "kept")

        def received():
            soon.say("lobby", "heard", ref="s")
            return next(event for event in soon.barrier() if event.get("ref") == "s")["type"] == "message"

        wait_until(received, eve, "the end of a mute")


@check("O2", "without a history acts are in force all the same, and go with the server")
def without_history(bench):
    with operated(bench, "--history", "none") as server:
        eve, bob, kim = operator(server), server.event("bob"), server.event("kim")
        for line in ("mute bob", "ban kim", "motd hi"):
            act(eve, line)
        thrown_out(kim, "banned")
        expect_equal(notices(server.event("new")), ["hi"])
        silent(bob, "muted", "new")
        act(eve, "freeze")
        silent(server.event("lou"), "frozen", "bob")
    with operated(bench, "--history", "none") as server:
        speaks(server.event("bob"), server.event("kim"))
        expect_equal(notices(server.event("new")), [])
