"""E8, E7, T10: context for new members, and pages of the history."""

import re

from checks_event import TIME, expect_error
from checks_resume import fill, gone
from frames import new_id
from harness import check, expect, expect_equal

WORST = {"control characters": "\x01" * 16_384, "quotes": '"' * 16_384, "backslashes": "\\" * 16_384,
         "newlines": "\n" * 16_384, "CJK": "漢" * 5_461, "plain": "x" * 16_384}
STAMP = r"^\[\d{4}-\d\d-\d\d \d\d:\d\d UTC\] "


def seqs(page):
    return [said["seq"] for said in page["messages"]]


def contexts(peer):
    """What came as context up to now: the room and the numbers of each `history` without a ref."""
    peer.barrier()
    return [(event["room"], seqs(event)) for event in peer.seen if event["type"] == "history" and "ref" not in event]


def refused(peer, code, kind, **fields):
    expect_error(peer.ask(kind, "error", **fields), (code,))


@check("E3 E7", "context: the last 50 behind welcome and behind joined, which says the newest number; none for empty rooms nor what since names")
def context(bench):
    with bench.server() as server:
        mouth = server.event("mouth", rooms=["lobby", "den", "empty"])
        fill(mouth, 70)
        fill(mouth, 3, "den")
        expect_equal(contexts(mouth), [], "context of rooms in which nothing was said")
        new = server.event("new", rooms=["lobby", "den", "empty"])
        expect_equal(contexts(new), [("lobby", list(range(21, 71))), ("den", [1, 2, 3])])
        context = next(event for event in new.seen if event["type"] == "history")
        expect(context.get("more") is True, "more: there are older ones", context.get("more"))
        sent = {event["seq"]: event for event in mouth.messages("lobby")}
        expect_equal([{"type": "message", **said} for said in context["messages"]], [sent[seq] for seq in range(21, 71)],
                     "the messages as they were sent")
        expect("more" not in [event for event in new.seen if event["type"] == "history"][1], "no more, where there is none", 0)
        known = server.event("known", rooms=["lobby", "den"], since={"lobby": 70, "den": 2})
        expect_equal(contexts(known), [])
        expect_equal([(event["room"], event["seq"]) for event in known.messages()], [("den", 3)])
        late = server.event("late", rooms=[])
        expect_equal(contexts(late), [])
        for room, numbers in (("den", [1, 2, 3]), ("nobody-was-here", None), ("lobby", list(range(21, 71)))):
            before = len(late.seen)
            joined = late.ask("join", "joined", room=room)
            expect_equal(joined["seq"], numbers[-1] if numbers else 0, f"the newest number in {room}")
            late.barrier()
            came = [(event["type"], event.get("names", event.get("messages") and seqs(event)))
                    for event in late.seen[before:] if event["type"] in ("joined", "history")]
            expect_equal(came, [("joined", ["late"])] + ([("history", numbers)] if numbers else []), f"join {room}")
        gone(mouth)


@check("E7 L", "--replay: none with 0, three with 3, as many as fit one event with 200 and long texts")
def replay_option(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        mouth = server.event("mouth")
        fill(mouth, 250)
        for text in list(WORST.values())[:2]:
            mouth.said("lobby", text)
    for option, expected in (("0", []), ("3", [250, 251, 252]), ("1", [252])):
        with bench.server("--history", file, "--replay", option) as server:
            new = server.event("new")
            expect_equal(contexts(new), [("lobby", expected)] if expected else [], f"--replay {option}")
            new.send("leave", room="lobby")
            before = len(contexts(new))
            new.ask("join", "joined", room="lobby")
            expect_equal(contexts(new)[before:], [("lobby", expected)] if expected else [], f"join with --replay {option}")
    with bench.server("--history", file, "--replay", "200") as server:
        new = server.event("new")
        ((room, numbers),) = contexts(new)
        expect(room == "lobby" and numbers == list(range(numbers[0], 253)) and 2 <= len(numbers) <= 200,
               "as many of the newest as fit", numbers)
    for wrong in ("-1", "201", "many"):
        code, _ = bench.refused_server("--replay", wrong)
        expect_equal(code, 2, f"exit code of --replay {wrong}")


@check("E8", "pages of 16 KiB texts in their worst forms: cut by bytes, with more, in both directions, none lost")
def long_pages(bench):
    for label, text in WORST.items():
        with bench.server() as server:
            eve = server.event("eve")
            for _ in range(12):
                eve.say("lobby", text)
            eve.barrier()
            stored = re.sub("[\x01]", "\ufffd", text)
            eve.say("lobby", "short")
            eve.barrier()
            forward, after = [], 0
            while True:
                page = eve.page(after=after)  # the frame's bound is checked where it is read
                expect(page["messages"], f"a page with at least one message ({label})", page)
                forward += page["messages"]
                after = forward[-1]["seq"]
                if not page.get("more"):
                    break
            backward, before = [], None
            while True:
                page = eve.page(**({} if before is None else {"before": before}))
                backward = page["messages"] + backward
                before = backward[0]["seq"]
                if not page.get("more"):
                    break
            expect_equal([said["seq"] for said in forward], list(range(1, 14)), f"numbers forward, {label}")
            expect(all(said["text"] == stored for said in forward[:12]), f"the texts ({label})", forward[0]["text"][:80])
            expect(backward == forward, f"the same backward ({label})", seqs({"messages": backward}))
            around = seqs(eve.page(around=6))
            expect(6 in around and around == list(range(around[0], around[-1] + 1)), "a page around 6", around)


@check("E5 E8", "a page of worst texts and the longest ref keeps to 102,400 bytes")
def long_ref(bench):
    with bench.server() as server:
        eve = server.event("eve", rooms=['"' * 32])
        ref = "\x01" * 64
        for text in WORST.values():
            eve.say('"' * 32, text)
        for number in range(300):
            eve.say('"' * 32, '"' * (100 + number))
        eve.barrier()
        for fields in ({}, {"after": 0}, {"around": 200}, {"before": 7}):
            eve.send("history", room='"' * 32, ref=ref, **fields)
            expect(eve.wait("history", ref=ref)["messages"], "messages", "none")


@check("E8", "history: before, after, both, around and limit at their edges")
def pages(bench):
    with bench.server() as server:
        eve = server.event("eve")
        fill(eve, 450)
        for fields, numbers, more in (
                ({}, range(251, 451), True),
                ({"limit": 1}, [450], True),
                ({"limit": 200}, range(251, 451), True),
                ({"before": 1}, [], False), ({"before": 0}, [], False), ({"before": 2}, [1], False),
                ({"before": 201}, range(1, 201), False), ({"before": 202}, range(2, 202), True),
                ({"before": 450, "limit": 3}, [447, 448, 449], True),
                ({"before": 451, "limit": 1}, [450], True),
                ({"before": 2**63}, range(251, 451), True), ({"before": 2**64 - 1, "limit": 2}, [449, 450], True),
                ({"after": 0}, range(1, 201), True), ({"after": 0, "limit": 1}, [1], True),
                ({"after": 449}, [450], False), ({"after": 450}, [], False), ({"after": 451}, [], False),
                ({"after": 250}, range(251, 451), False), ({"after": 2**63}, [], False), ({"after": 2**64 - 1}, [], False),
                ({"after": 10, "before": 14}, [11, 12, 13], False), ({"after": 10, "before": 14, "limit": 2}, [11, 12], True),
                ({"after": 14, "before": 10}, [], False), ({"after": 10, "before": 11}, [], False),
                ({"after": 0, "before": 2**64 - 1}, range(1, 201), True), ({"after": 2**64 - 1, "before": 0}, [], False),
                ({"around": 100, "limit": 5}, range(98, 103), None), ({"around": 100, "limit": 1}, [100], None),
                ({"around": 1, "limit": 3}, range(1, 4), None), ({"around": 450, "limit": 3}, range(448, 451), None)):
            page = eve.page(**fields)
            expect_equal((page["room"], seqs(page)), ("lobby", list(numbers)), f"{fields}")
            if more is not None:
                expect_equal(page.get("more", False), more, f"more of {fields}")
        expect_equal(seqs(eve.page("#LOBBY", before=3)), [1, 2], "the room's name in any case")
        for field in ("before", "after", "around", "limit"):
            for wrong in (-1, 1.5, "5", True, [5], {}):
                refused(eve, "bad_field", "history", room="lobby", **{field: wrong})
        for wrong in (0, 201, 2**64 - 1):
            refused(eve, "bad_field", "history", room="lobby", limit=wrong)
        for fields in ({"around": 5, "before": 9}, {"around": 5, "after": 1}):
            refused(eve, "bad_field", "history", room="lobby", **fields)
        refused(eve, "bad_field", "history")
        refused(eve, "bad_field", "history", room=5)


@check("E8", "a number beyond what there is: a page of none, with around the page nearest to it")
def beyond(bench):
    with bench.server() as server:
        eve = server.event("eve")
        expect_equal(seqs(eve.page()), [], "a room in which nothing was said")
        expect_equal(seqs(eve.page(around=1)), [])
        fill(eve, 10)
        for around in (0, 11, 2**63, 2**64 - 1):
            nearest = [1, 2, 3, 4] if around == 0 else [7, 8, 9, 10]
            expect_equal(seqs(eve.page(around=around, limit=4)), nearest, f"those nearest to {around}")


@check("E8 E6", "rooms that the client is not in cannot be read nor searched, whether they exist or not")
def foreign_rooms(bench):
    with bench.server() as server:
        mouth, eve = server.event("mouth", rooms=["den"]), server.event("eve")
        fill(mouth, 3, "den")
        for room in ("den", "nowhere", "DEN"):
            refused(eve, "unknown_room", "history", room=room)
            refused(eve, "unknown_room", "search", room=room, query="den")
        for room in ("", "a\x1bb", "x" * 33):
            expect_error(eve.ask("history", "error", room=room), ("bad_room", "bad_name", "too_long", "unknown_room"))
        eve.ask("join", "joined", room="den")
        expect_equal(seqs(eve.page("den")), [1, 2, 3])
        eve.ask("leave", "left", room="den")
        refused(eve, "unknown_room", "history", room="den")


@check("E8", "without a history: no_history for both requests, and words for the tutorial's commands")
def no_history(bench):
    with bench.server("--history", "none") as server:
        eve, tom = server.event("eve"), server.tutorial("tom")
        fill(eve, 3)
        for kind, fields in (("history", {}), ("search", {"query": "lobby"}), ("history", {"around": 1})):
            refused(eve, "no_history", kind, room="lobby", **fields)
        for command in ("/history", "/history 5", "/search lobby"):
            tom.say(command)
            tom.wait_word(r"no history")
        expect_equal(contexts(server.event("new")), [], "context without a history")


@check("E4 L", "ids: without a history the latest 16,384 of a room, with one more; what is older is too_late if `after` says so")
def ids_remembered(bench):
    for options, remembered in ((("--history", "none"), False), ((), True)):
        with bench.server(*options) as server:
            eve = server.event("eve")
            first = new_id()
            eve.said("lobby", "first", id=first, after=0)
            latest = new_id()
            eve.said("lobby", "latest that must be known", id=latest, after=1)
            for _ in range(16_383):
                eve.say("lobby", "x")
            eve.barrier()
            expect_equal(eve.said("lobby", "latest that must be known", id=latest)["seq"], 2, "one of the latest 16,384")
            if remembered:
                expect_equal(eve.said("lobby", "first", id=first, after=0)["seq"], 1, "with a history")
                expect_equal(eve.said("lobby", "new", after=0)["seq"], 16_386, "certainly new")
                continue
            eve.say("lobby", "first", id=first, after=0, ref="late")
            expect_error(eve.wait("error", ref="late"), ("too_late",))
            eve.say("lobby", "never sent", after=0, ref="never")
            expect_error(eve.wait("error", ref="never"), ("too_late",))
            expect_equal(eve.said("lobby", "new", after=1)["seq"], 16_386, "certainly new")
            expect_equal(eve.said("lobby", "new", after=2**64 - 1)["seq"], 16_387, "above the newest number")
            expect_equal(eve.said("lobby", "first", id=first)["seq"], 16_388, "without `after`")
            for wrong in (-1, 1.5, "1", 2**64, [1]):
                eve.say("lobby", "x", after=wrong, ref="wrong")
                expect_error(eve.wait("error", ref="wrong"), ("bad_field",))


@check("T10 E7", "--replay-tutorial: context as pairs with the time in front; none without the option")
def tutorial_context(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        eve, tom = server.event("eve", rooms=["lobby", "den"]), server.tutorial("tom")
        eve.said("lobby", "one")
        tom.say("two\nlines")
        eve.wait("message", text="two\nlines")
        eve.said("lobby", "waves", action=True)
        eve.said("den", "in the den")
        late = server.tutorial("late")
        expect_equal(late.said_by_people(), [], "context without the option")
    with bench.server("--history", file, "--replay-tutorial", "2") as server:
        late = server.tutorial("late")
        pairs = late.said_by_people()
        expect_equal([(who, re.sub(STAMP, "T ", text)) for who, text in pairs], [("tom", "T two\nlines"), ("eve", "T * waves")])
        late.say("/join den")
        late.settle()
        expect_equal([re.sub(STAMP, "T ", text) for _, text in late.said_by_people()[2:]], ["T in the den"])
        late.say("/leave")
        late.settle()
        expect_equal([re.sub(STAMP, "T ", text) for _, text in late.said_by_people()[3:]], ["T two\nlines", "T * waves"])


@check("T10", "/history and /search: ordinary pairs with the time in front, in order, before what is asked next")
def tutorial_commands(bench):
    with bench.server() as server:
        eve, tom, ear = server.event("eve"), server.tutorial("tom"), server.tutorial("ear")

        def shown(command):
            before = len(tom.received)
            tom.say(command)
            tom.settle()
            pairs = [pair for pair in tom.received[before:-1] if not pair.is_word]
            expect(all(re.match(STAMP, pair.said) for pair in pairs), "the time in front", pairs[:3])
            return [re.sub(STAMP, "", pair.said) for pair in pairs]

        tom.say("/history")
        tom.wait_word(r".")
        fill(eve, 25)
        tom.settle()
        expect_equal(shown("/history"), [f"lobby {number}" for number in range(6, 26)])
        expect_equal(shown("/history 3"), ["lobby 23", "lobby 24", "lobby 25"])
        expect_equal(shown("/history 200"), [f"lobby {number}" for number in range(1, 26)])
        expect_equal(shown("/search LOBBY 2"), ["lobby 2"] + [f"lobby {number}" for number in range(20, 26)])
        expect_equal(shown("/search y 7"), ["lobby 7"])
        for wrong in ("/history 0", "/history 201", "/history -1", "/history x", "/history 99999999999999999999", "/search",
                      "/search   ", "/search " + "x" * 257, "/search nowhere"):
            before = len(tom.received)
            expect_equal(shown(wrong), [], wrong)
            expect(len(tom.received) - before >= 2, f"a word about {wrong}", tom.received[before:])
        eve.say("lobby", "\x01" * 16_384, action=True)
        eve.barrier()
        tom.settle()
        (longest,) = shown("/history 1")
        expect_equal(longest, "* " + "\ufffd" * 16_384, "the longest there may be")
        expect_equal(len(tom.received[-2].text), 49_177, "bytes of the longest text (T7)")
        ear.settle()
        expect(not [pair for pair in ear.received if re.match(STAMP, pair.said)], "nobody else to be shown it", ear.received[-3:])
        # What comes in one go with it keeps its order.
        tom.send_raw(b"".join(b"%-10d%s" % (len(text), text) for text in (b"said", b"/history 1", b"/nosuchthing", b"/history 1")))
        tom.wait_word("nosuchthing")
        tom.settle()
        tail = [pair.said for pair in tom.received][-4:-1]
        expect_equal([re.sub(STAMP, "", tail[0]), "nosuchthing" in tail[1], re.sub(STAMP, "", tail[2])], ["said", True, "said"])


@check("E8", "what a page holds is what was sent: at, from, id and action, in the names of that time")
def page_fields(bench):
    with bench.server() as server:
        eve, tom = server.event("eve"), server.tutorial("tom")
        eve.said("lobby", "a\x1b[2Jb\u202e二", ref="r")
        eve.said("lobby", "waves", action=True)
        tom.say("from the tutorial")
        eve.wait("message", text="from the tutorial")
        eve.ask("rename", "renamed", name="eva")
        live = [{key: value for key, value in event.items() if key not in ("type", "ref")} for event in eve.messages()]
        page = eve.page()
        expect_equal(page["messages"], live)
        expect("id" not in page["messages"][2] and "action" not in page["messages"][0], "absent where they were", page)
        expect(all(re.fullmatch(TIME, said["at"]) for said in page["messages"]), "times", page)
        expect_equal([said["from"] for said in page["messages"]], ["eve", "eve", "tom"])
