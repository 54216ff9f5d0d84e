"""O3: members that a mute and a freeze silence, and what they may still do."""

from checks_history import refused
from frames import new_id
from harness import check, expect, expect_equal
from operating import (LOOKS_LIKE_BOB, TOKEN, act, answered, elsewhere, notices, operate, operated, operator, silent, silent_tutorial, speaks, expect_notice,
                       unheard)


def said_direct(peer, to, text):
    return peer.ask("direct", "direct", to=to, text=text, id=new_id())


@check("O3", "who is muted is notified, receives, and may not speak: say, do, write to somebody, take a name; unmute gives it back")
def muted(bench):
    with operated(bench) as server:
        eve, bob, ear, see = operator(server), server.event("bob", rooms=["lobby", "den"]), server.event("ear"), server.tutorial("see")
        tom = server.tutorial("tom")
        earlier = new_id()
        said = bob.said("lobby", "earlier", id=earlier)
        said_direct(ear, "tom", "psst")
        tom.next_said()
        for name in ("bob", "tom"):
            act(eve, f"mute {name} 5m be quiet")
        expect(len(notices(bob)) == 1 and "be quiet" in notices(bob)[0], "the notice to bob", notices(bob))
        expect_notice(tom, "eve.*be quiet")
        silent(bob, "muted", "ear")
        refused(bob, "muted", "send", room="lobby", text="earlier", id=earlier)
        refused(bob, "muted", "send", room="den", text="unheard", id=new_id())
        refused(bob, "muted", "direct", to="see", text="unheard", id=new_id())
        silent_tutorial(tom, "ear", "/reply unheard", "/r unheard")
        see.settle()
        expect("unheard" not in str(see.received), "nothing of what was refused", see.received)
        unheard(ear)
        eve.said("lobby", "a question?")
        bob.wait("message", text="a question?")
        tom.settle()
        expect(("eve", "a question?") in tom.said_by_people(), "that tom receives", tom.received)
        expect_equal(bob.page()["messages"][0]["id"], earlier)
        bob.ask("join", "joined", room="attic")
        expect_equal((ear.ask("members", "members", room="lobby")["names"].count("bob"), ear.ask("whois", "whois", name="tom")["name"]), (1, "tom"))
        for name in ("BOB", "tom"):
            act(eve, f"unmute {name}")
        expect_equal(len(notices(bob)), 2, "notices, one of them of the end")
        expect_equal(bob.said("lobby", "earlier", id=earlier)["seq"], said["seq"])
        for peer in (bob, tom):
            speaks(peer, ear)
        expect_equal(bob.ask("rename", "renamed", name="bert")["to"], "bert")
        expect_equal([one["seq"] for one in ear.messages("lobby")], list(range(said["seq"], said["seq"] + 4)), "numbers without a hole")


@check("O3", "to an operator everybody may write directly, muted or in a freeze, in both dialects; operators may answer")
def write_to_operators(bench):
    with operated(bench) as server:
        eve, bob, tom, tim = operator(server), server.event("bob"), server.tutorial("tom"), server.tutorial("tim")
        answered(tim, f"/op {TOKEN}")
        for line, code in (("mute bob", "muted"), ("mute tom", "muted"), ("freeze", "frozen")):
            act(eve, line)
            if line == "freeze":
                for name in ("bob", "tom"):
                    act(eve, f"unmute {name}")
            for to in ("eve", "EVE"):
                said_direct(bob, to, f"may I? {line} {to}")
                eve.wait("direct", text=f"may I? {line} {to}")
                tom.say(f"/msg {to} may I? {line} {to}")
                expect_equal(eve.wait("direct", text=f"may I? {line} {to}")["from"], "tom")
            said_direct(bob, "tim", "may I?")
            pair = tim.next_said()
            expect_equal((pair.who.split("→")[0], pair.said), ("bob", "may I?"))
            said_direct(eve, "tom", "you may")
            tom.next_said()
            tom.say("/reply thank you")
            expect_equal(eve.wait("direct", text="thank you")["from"], "tom")
            refused(bob, code, "direct", to="tom", text="unheard", id=new_id())
        unheard(eve)


@check("O3", "a mute is on a name: in any case, in what looks like it, on who comes; another name is another")
def muted_names(bench):
    with operated(bench) as server:
        eve, ear = operator(server), server.event("ear")
        for name in LOOKS_LIKE_BOB:
            bob = server.event("bob")
            act(eve, f"mute {name}")
            expect_equal(len(notices(bob)), 1, f"notices to bob of mute {name}")
            silent(bob, "muted", "ear")
            bob.close()
            ear.wait_named("left", "bob")
            ear.seen.clear()
            act(eve, f"unmute {name}")
        act(eve, "mute bob 1h be quiet")
        for name in (*LOOKS_LIKE_BOB, "bob"):
            bob = server.event(name)
            expect(len(notices(bob)) == 1 and "be quiet" in notices(bob)[0], f"the notice to {name} when it comes", notices(bob))
            silent(bob, "muted", "ear")
            bob.close()
            ear.wait_named("left", name)
            tom = server.tutorial(name)
            expect_notice(tom, "be quiet")
            silent_tutorial(tom, "ear")
            tom.close()
            ear.wait("left", names=[name])
        speaks(server.event("bobby"), ear)
        ann = server.event("ann")
        ann.ask("rename", "renamed", name="bob")
        silent(ann, "muted", "ear")
        unheard(ear)


@check("O3", "a mute is on an address or a network: on all who are there or come from there, whatever their names")
def muted_addresses(bench):
    two, three, four = elsewhere(2), elsewhere(3), elsewhere(4)
    with operated(bench) as server:
        eve, here = operator(server), server.event("here")
        for who, hit, not_hit in ((two, [two], [three, four]), (f"{two}/31", [two, three], [four]), (f"::ffff:{two}", [two], [three]),
                                  (f"::ffff:{two}/127", [two, three], [four]), (f"{two}/32", [two], [three])):
            peers = {address: (server.event(f"e{address}", source=address), server.tutorial(f"t{address}", source=address)) for address in (*hit, *not_hit)}
            came = operate(eve, f"mute {who} 5m be quiet")
            expect_equal([event["type"] for event in came], ["act", "notice"])
            for address, (bob, tom) in peers.items():
                expect_equal([name in came[1]["text"] for name in (f"e{address}", f"t{address}")], [address in hit] * 2, f"whom it hits: {came[1]}")
                if address in hit:
                    expect_equal(len(notices(bob)), 1, "notices to it")
                    expect_notice(tom, "be quiet")
                    silent(bob, "muted", "here")
                    silent_tutorial(tom, "here")
                    new = server.event(f"new{address}", source=address)
                    expect_equal(len(notices(new)), 1, "notices to a newcomer from there")
                    silent(new, "muted", "here")
                    new.close()
                else:
                    speaks(bob, here)
                    speaks(tom, here)
                    expect_equal(notices(bob), [])
            speaks(here, eve)
            act(eve, f"unmute {who}")
            start = len(here.seen)
            for bob, tom in peers.values():
                speaks(bob, here)
                speaks(tom, here)
                bob.close()
                tom.close()
            leaving = {f"{dialect}{address}" for address in peers for dialect in "et"}
            leaving -= {name for event in here.seen[start:] if event["type"] == "left" for name in event["names"]}
            while leaving:
                leaving -= set(here.wait("left")["names"])
        unheard(here)


@check("O3", "in a freeze nobody but operators speaks, whoever comes too; everybody is notified, of its end as well")
def freeze(bench):
    with operated(bench) as server:
        eve, bob, tom, tim = operator(server), server.event("bob"), server.tutorial("tom"), server.tutorial("tim")
        answered(tim, f"/op {TOKEN}")
        act(eve, "freeze")
        expect_equal(len(notices(bob)), 1, "notices of the freeze")
        expect_notice(tom, "fr[eo]+ze")
        new, newer = server.event("new"), server.tutorial("newer")
        expect_equal(len(notices(new)), 1, "notices to a newcomer")
        expect_notice(newer, "fr[eo]+ze")
        for peer in (bob, new):
            silent(peer, "frozen", "tom")
        for peer in (tom, newer):
            silent_tutorial(peer, "bob")
        for peer in (eve, tim):
            speaks(peer, bob)
        expect_equal(tim.settle().said_by_people()[-1][0], "eve")
        expect_equal(eve.ask("rename", "renamed", name="eva")["to"], "eva")
        said_direct(eve, "bob", "you next")
        bob.wait("direct", text="you next")
        act(new, f"op {TOKEN}")
        speaks(new, bob)
        act(eve, "thaw")
        expect_equal(len(notices(bob)), 2, "notices, one of them of the end")
        for peer in (bob, tom, newer):
            speaks(peer, eve)
        expect_equal(len(notices(server.event("last"))), 0, "notices to a newcomer after the thaw")
        unheard(bob)


@check("O3", "operators always speak: whoever becomes one while muted does, by name or by address")
def operators_speak(bench):
    two = elsewhere(2)
    with operated(bench) as server:
        eve, bob, tom, ann = operator(server), server.event("bob"), server.tutorial("tom"), server.event("ann", source=two)
        for who in ("bob", "tom", two):
            act(eve, f"mute {who}")
        silent(bob, "muted", "tom")
        silent(ann, "muted", "tom")
        for peer in (bob, ann):
            act(peer, f"op {TOKEN}")
        answered(tom, f"/op {TOKEN}")
        for peer in (bob, tom, ann):
            speaks(peer, eve)
        bob.close()
        eve.wait_named("left", "bob")
        here = server.event("here")
        silent(server.event("bob"), "muted", here.name)
