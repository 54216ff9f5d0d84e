"""O4, O5: members that a kick and a ban remove and keep out, and members that they must not affect."""

import socket

from checks_history import refused
from event_peer import EventPeer
from frames import parse_address
from harness import Skipped, check, expect, expect_equal
from operating import (LOOKS_LIKE_BOB, TOKEN, act, acts, answered, elsewhere, kept_out, kept_out_by_address, kept_out_here, no_act, operate,
                       operated, operator, silent, speaks, thrown_out, thrown_out_tutorial)


@check("O2 O4", "whoever is kicked is shown why and by whom, loses the connection and may come back at once; the others see it leave")
def kicked(bench):
    with operated(bench) as server:
        eve, ear = operator(server), server.event("ear")
        for name in ("bob", "BOB"):
            bob = server.event("bob")
            expect_equal(act(eve, f"kick {name} too loud")["text"], "too loud")
            thrown_out(bob, "kicked", "eve", "too loud")
            ear.wait_named("left", "bob")
            ear.seen.clear()
            tom = server.tutorial("tom")
            act(eve, "kick tom")
            thrown_out_tutorial(tom, "eve")
            ear.wait("left", names=["tom"])
        again = server.event("bob", token=bob.welcome["token"])
        expect_equal(again.name, "bob")
        speaks(again, ear)
        speaks(server.tutorial("tom"), ear)


@check("O4", "a banned name is thrown out and cannot be had, in any case or by what looks like it, nor with its token")
def banned_names(bench):
    with operated(bench) as server:
        eve, ear, ann, tom = operator(server), server.event("ear"), server.event("ann"), server.tutorial("tom")
        for name in ("bob", *LOOKS_LIKE_BOB):
            bob = server.event("bob")
            act(eve, f"ban {name} 2h bye now")
            thrown_out(bob, "banned", "eve", "bye now")
            ear.wait_named("left", "bob")
            ear.seen.clear()
            for other in ("bob", *LOOKS_LIKE_BOB):
                kept_out(server, other)
                kept_out(server, other, token=bob.welcome["token"])
                unregistered = server.unregistered()
                unregistered.say(other)
                thrown_out_tutorial(unregistered, "bye now")
                refused(ann, "banned", "rename", name=other)
                expect("bye now" in str(answered(tom, f"/nick {other}")), "a refusal of /nick", tom.words()[-1])
            act(eve, f"unban {name}")
        speaks(server.event("bobby"), ear)
        for peer in (ann, tom):
            speaks(peer, ear)
        tim = server.tutorial("bob")
        act(eve, "ban bob")
        thrown_out_tutorial(tim, "eve")
        act(eve, "unban BOB")
        speaks(server.event("bob"), ear)


@check("O4 T10 E2", "a banned name is not given as a number behind a taken one either")
def banned_numbers(bench):
    with operated(bench) as server:
        eve, alice, second = operator(server), server.event("alice"), server.event("alice")
        expect_equal(second.name, "alice-2")
        act(eve, "ban alice-2")
        thrown_out(second, "banned")
        expect_equal(server.event("alice").name, "alice-3", "the lowest number that is free and not banned")
        tom = server.tutorial("alice")
        expect("alice-4" in tom.words()[0], "the next of them", tom.words())
        speaks(alice, eve)


@check("O4 D1", "a banned address or network is thrown out and refused as soon as the dialect is known; others are not")
def banned_addresses(bench):
    two, three, four = elsewhere(2), elsewhere(3), elsewhere(4)
    with operated(bench) as server:
        eve, here = operator(server), server.event("here")
        for who, hit, not_hit in ((two, [two], [three]), (f"{two}/31", [two, three], [four]), (f"::ffff:{two}", [two], [three]),
                                  (f"::ffff:{two}/127", [two, three], [four])):
            addresses = [*hit, *not_hit]
            peers = {address: (server.event(f"e{address}", source=address), server.tutorial(f"t{address}", source=address)) for address in addresses}
            waiting = EventPeer(server.address, source=two)
            server.peers.append(waiting)
            came = operate(eve, f"ban {who} 2h bye now")
            for address, (bob, tom) in peers.items():
                expect_equal(f"e{address}" in came[1]["text"], address in hit, f"whom it hits: {came[1]}")
                if address in hit:
                    thrown_out(bob, "banned", "eve", "bye now")
                    thrown_out_tutorial(tom, "eve", "bye now")
                    kept_out_by_address(server, address)
                else:
                    speaks(bob, here)
                    speaks(tom, here)
                    speaks(server.event(f"new{address}-{len(who)}", source=address), here)
            kept_out_here(waiting, "early")  # was there before the ban, without a name
            speaks(server.event(f"e{two}"), here)  # it was no ban on the name
            act(eve, f"unban {who}")
            speaks(server.event(f"free{len(who)}", source=two), here)
            for peer in server.peers:
                if peer not in (eve, here):
                    peer.close()
            roster = operate(eve, "roster")
            while len(roster[0]["text"].split("\n")) > 3:
                roster = operate(eve, "roster")


@check("O4 O2", "IPv6: an address and its network are banned; an IPv4 address in IPv6's clothes is the IPv4 address")
def banned_six(bench):
    two = elsewhere(2)
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError as error:
            raise Skipped(f"no IPv6 here ({error})") from None
    with operated(bench, "--listen", "[::]:0") as server:
        port = int(server.wait_text(r"^listening on \[::\]:(\d+)\r?$")[1])
        ways = {host: parse_address(bench.relayed("to-server", at))
                for host, at in (("::1", f"[::1]:{port}"), ("127.0.0.1", f"127.0.0.1:{port}"))}
        eve = operator(server)

        def six(name, host="::1", **options):
            server.peers.append(EventPeer(ways[host], name, **options))
            return server.peers[-1]

        for who in ("::1", "::/64", "0:0:0:0:0:0:0:1/128"):
            bob, mapped = six("bob"), six("mapped", "127.0.0.1", source=two)
            act(eve, f"ban {who}")
            thrown_out(bob, "banned", "eve")
            expect_equal(six(None).recv().get("code"), "banned")
            speaks(mapped, eve)
            act(eve, f"unban {who}")
            speaks(six(f"again{len(who)}"), eve)
            act(eve, "kick mapped")
            thrown_out(mapped, "kicked")
        for who in (two, f"::ffff:{two}"):
            mapped = six("mapped", "127.0.0.1", source=two)
            act(eve, f"ban {who}")
            thrown_out(mapped, "banned")
            expect_equal(six(None, "127.0.0.1", source=two).recv().get("code"), "banned")
            speaks(six(f"six{len(who)}"), eve)
            act(eve, f"unban {who}")
        for who in (two, f"::ffff:{two}"):
            act(eve, f"ban {who}")
        no_act(eve, "bad_field", "ban ::ffff:127.0.0.1")


@check("O2", "what reads as an address is one; a name that looks like one, or stands in quotes itself, is written in quotes")
def names_like_addresses(bench):
    two = elsewhere(2)
    with operated(bench) as server:
        eve, here, there = operator(server), server.event("here"), server.event("there", source=two)
        for name, who in ((two, f'"{two}"'), ("10.0.0.0/8", '"10.0.0.0/8"'), ("::1", '"::1"'), ('"x"', '""x""'), (f'"{two}"', f'""{two}""'), ("x", '"x"'),
                          ("bob", '"bob"')):
            bob = server.event(name)
            act(eve, f"mute {who} 5m be quiet")
            silent(bob, "muted", "here")
            speaks(there, here)
            speaks(here, eve)
            act(eve, f"unmute {who}")
            speaks(bob, here)
            act(eve, f"ban {who}")
            thrown_out(bob, "banned")
            kept_out(server, name)
            act(eve, f"unban {who}")
        named = server.event(two)
        act(eve, f"mute {two}")
        silent(there, "muted", "here")
        speaks(named, here)


@check("O5", "no operator can be kicked, muted or banned by another: not in any case or by what looks like it, nor by address")
def untouchable(bench):
    two, three = elsewhere(2), elsewhere(3)
    with operated(bench) as server:
        eve, bob, tim = operator(server), operator(server, "bob", source=two), server.tutorial("tim", source=three)
        answered(tim, f"/op {TOKEN}")
        known = acts(eve)
        for verb in ("kick", "mute", "ban"):
            for name in ("bob", *LOOKS_LIKE_BOB[:2], "tim", "TIM", "eve", "EVE"):
                no_act(eve, "bad_field", f"{verb} {name}")
        for verb in ("mute", "ban"):
            for who in (*LOOKS_LIKE_BOB, "127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1/32", "127.0.0.0/8", f"{two}/31", two, f"::ffff:{two}", f"{three}/32",
                        "127.0.0.0/24", "::ffff:127.0.0.0/104", "127.255.0.1/8"):
                no_act(eve, "bad_field", f"{verb} {who}")
        expect_equal(acts(eve), known, "acts")
        for peer in (bob, tim):
            speaks(peer, eve)
        tim.close()
        eve.wait_named("left", "tim")
        act(eve, f"mute {three}")
        act(eve, "ban tim")
        bob.ask("rename", "renamed", name="bert")
        act(eve, "mute bob")
        speaks(bob, eve)
        no_act(eve, "bad_field", "ban bert")
        bob.close()
        eve.wait_named("left", "bert")
        act(eve, f"ban {two}/31")
        kept_out_by_address(server, two)


@check("O5", "a network wider than /8, of IPv6 /16, cannot be muted or banned, however it is written")
def too_wide(bench):
    with operated(bench) as server:
        eve = operator(server)
        for verb in ("mute", "ban"):
            for who in ("0.0.0.0/0", "10.0.0.0/7", "128.0.0.0/1", "::/0", "2000::/3", "2001::/15", "::ffff:0:0/96", "::ffff:10.0.0.0/103"):
                no_act(eve, "bad_field", f"{verb} {who}")
            for who in ("10.0.0.0/8", "2001::/16", "::ffff:11.0.0.0/104", "192.0.2.7", "2001:db8::1"):
                act(eve, f"{verb} {who}")
                act(eve, f"un{verb} {who}")
            for who in ("10.0.0.0/33", "10.0.0.0/-1", "2001:db8::/129"):
                no_act(eve, "bad_field", f"{verb} {who}")
