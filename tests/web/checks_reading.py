"""What is read: days, groups, links, the mark of unread messages, and a reading position that never jumps."""

import re

from chat import MESSAGE, fill, page_check, url
from harness import expect, expect_equal
from page import ENTER, ESCAPE, PAGE_UP, TAB

AT_NIGHT = ["2026-03-01T22:59:00.000Z", "2026-03-01T23:01:00.000Z", "2026-03-02T10:00:00.000Z"]


def stays(page, seq, top, what):
    """The message is where it was on the screen, to the pixel."""
    page.settle()
    moved = page.top(seq) - top
    expect(abs(moved) <= 1, f"message {seq} at {top} still, {what}", f"moved by {moved}")


@page_check("local time and day dividers follow the reader's time zone")
def days(bench):
    with bench.host(history=bench.history([{"text": f"m{n}", "at": at} for n, at in enumerate(AT_NIGHT)])) as server:
        shown = {}
        for name in ("UTC", "Europe/Berlin", "Asia/Tokyo"):
            page = bench.page()
            page.timezone(name)
            page.join(url(server), f"from-{name[:4]}")
            page.wait_message("m2")
            shown[name] = page.js("() => [...document.querySelectorAll('#log .day-divider, #log .message')].map(e =>"
                                  "  e.matches('.day-divider') ? 'day' : e.innerText.match(/\\d\\d:\\d\\d/)?.[0])")
        expect_equal([entry for entry in shown["UTC"] if entry], ["day", "22:59", "23:01", "day", "10:00"])
        expect_equal([entry for entry in shown["Europe/Berlin"] if entry], ["day", "23:59", "day", "00:01", "11:00"])
        expect_equal([entry for entry in shown["Asia/Tokyo"] if entry][:3], ["day", "07:59", "08:01"])


@page_check("consecutive messages of one person show the name once")
def groups(bench):
    said = [("bob", "one"), ("bob", "two"), ("eve", "three"), ("bob", "four")]
    with bench.host(history=bench.history([{"from": name, "text": text} for name, text in said])) as server:
        page = bench.join(server, "alice")
        page.wait_message("four")
        names = page.js("() => [...document.querySelectorAll('#log .message[data-seq]')].map(e =>"
                        "  [...e.querySelectorAll('bdi')].some(b => b.getBoundingClientRect().width > 2 && /^(bob|eve)$/.test(b.innerText)))")
        expect_equal(names, [True, False, True, True])


@page_check("links are http and https only, open apart, and tell the other side nothing")
def links(bench):
    text = "see https://example.org/a?b=1. javascript:alert(1) data:text/html,x http://bank.example@evil.example/"
    with bench.host(history=bench.history([text])) as server:
        page = bench.join(server, "alice")
        page.wait_message("see")
        found = page.js("() => [...document.querySelectorAll('#log a')].map(a => [a.href, a.innerText, a.rel, a.target,"
                        "  a.referrerPolicy])")
        expect_equal([(href, shown) for href, shown, *_ in found], [("https://example.org/a?b=1",) * 2])
        _, _, rel, target, policy = found[0]
        expect({"noopener", "noreferrer"} <= set(rel.split()) and target == "_blank" and policy == "no-referrer",
               "noopener noreferrer, another tab", found)
        expect(text in page.js("() => document.querySelector('#log .message[data-seq]').textContent"), text, "another text")


@page_check("unread: after a reload a mark stands where reading stopped, and goes with Esc")
def unread_after_reload(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(60)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(60)
        expect_equal(page.marks(), 0, "marks at first")
        page.leave()
        last = fill(peer, 5)
        page.come_back(server)
        page.wait_number(last)
        expect_equal(after_mark(page), 61)
        page.wait_on_screen(".unread-divider")
        page.focus_line()
        page.keys(ESCAPE)
        page.wait_no_mark()
        page.reload()
        page.wait_online()
        page.wait_number(last)
        expect_equal(page.marks(), 0, "marks after all is read")


def after_mark(page):
    """Number of the message behind the mark."""
    page.wait_for(".unread-divider")
    return page.js("() => { const all = [...document.querySelectorAll('.unread-divider, #log .message[data-seq]')];"
                   "  return Number(all[all.findIndex(e => e.matches('.unread-divider')) + 1].dataset.seq); }")


@page_check("unread: what comes while nobody looks is behind a mark, and what comes below the screen is counted")
def unread_while_away(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(60)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(60)
        first = fill(peer, 1)
        page.wait_number(first)
        expect_equal(page.marks(), 0, "marks while somebody looks")
        page.look_away()
        last = fill(peer, 3)
        page.wait_number(last)
        page.look_back()
        expect_equal(after_mark(page), first + 1)
        page.focus_line()
        page.keys(ESCAPE)
        page.wait_no_mark()
        page.scroll_to(30)
        fill(peer, 2)
        page.wait("() => /\\b2\\b/.test(document.querySelector('#jump-newest').innerText)", what="two new ones below")
        page.click("#jump-newest")
        page.wait("() => ![...document.querySelectorAll('#rooms li')].some(e => /\\d/.test(e.innerText))", what="all read")


@page_check("unread: the list says where there are more than it shows, and the bar counts what the list counted")
def counts(bench):
    texts = [{"room": "den", "text": f"old {n}"} for n in range(1005)]
    with bench.host(history=bench.history(texts)) as server:
        page = bench.join(server, "alice")
        page.say("/join den")
        page.wait_number(1005)
        page.say("mine")
        page.wait_message("mine")
        page.open_entry("rooms", "lobby")
        page.wait_room("lobby")
        with bench.preloaded("() => location.port && sessionStorage.setItem('glassline/read', '{\"#den\": 4}')"):
            page.reload()
            page.wait_online()
        page.wait_text("#rooms .badge", "999+")
        page.open_entry("rooms", "den")
        page.wait_text("#unread-text", "1,001 new messages")


@page_check("unread: more than one page of it; jump to the first, and back")
def jump(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(100)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(100)
        page.leave()
        last = fill(peer, 150)
        page.come_back(server)
        page.wait_number(last)
        top = page.scroll_to(225)
        page.wait_for("#jump-unread")
        page.click("#jump-unread")
        page.wait_number(101)
        expect_equal(after_mark(page), 101)
        page.wait_on_screen(".unread-divider")
        numbers = page.numbers()
        expect_equal(numbers, sorted(set(numbers)), "numbers in order, each once")
        missing = [n for n in range(101, last + 1) if n not in numbers]
        expect(not missing or re.search(r"\d+ messages in between", page.text("#log")), "a hole that is shown", missing[:5])
        page.wait_for("#jump-back")
        page.click("#jump-back")
        stays(page, 225, top, "behind the jump and back")


@page_check("unread: a mark survives loading older messages and a reconnect, before the same message")
def mark_stays(bench):
    folder = bench.history([f"old {n}" for n in range(300)])
    server = bench.host(history=folder)
    page, peer = bench.join(server, "alice"), server.event("bob")
    page.wait_number(300)
    page.leave()
    fill(peer, 3)
    page.come_back(server)
    page.wait_number(303)
    expect_equal(after_mark(page), 301)
    page.scroll_to(page.numbers()[0])
    load_older(page)
    expect_equal(after_mark(page), 301, "behind older messages")
    server.kill()
    page.wait_not_online()
    with bench.host(history=folder) as elsewhere:  # where the page cannot come too early
        fill(elsewhere.event("bob"), 2)
    bench.host(history=folder, at=server.at)
    page.wait_online()
    page.wait_number(305)
    expect_equal(after_mark(page), 301, "behind a reconnect")


def load_older(page):
    """Scrolls to the top with the keyboard and waits for older messages; returns the oldest number from before."""
    oldest = page.numbers()[0]
    page.js("() => document.querySelector('#log').focus()")
    for _ in range(40):
        page.keys(PAGE_UP)
        page.settle()
        if page.js("() => document.querySelector('#log').scrollTop < 400") or page.numbers()[0] < oldest:
            break
    page.wait("n => Number(document.querySelector('#log .message[data-seq]').dataset.seq) < n", oldest,
              what=f"messages older than {oldest}")
    return oldest


@page_check("the reading position stays: new messages, arrivals, older messages, the window's size")
def position(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(400)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(400)
        anchor = 375
        top = page.scroll_to(anchor)
        last = fill(peer, 15)
        page.wait_number(last)
        stays(page, anchor, top, "behind new messages")
        visitor = server.event("visitor")
        page.wait_text("#people", "visitor")
        visitor.close()
        page.wait("() => !document.querySelector('#people').innerText.includes('visitor')", what="visitor gone")
        stays(page, anchor, top, "behind an arrival and a departure")
        oldest = page.numbers()[0]
        for _ in range(2):  # the second time everything on the way is laid out
            page.js("() => { document.querySelector('#log').scrollTop = 600; }")
            page.settle()
        first = page.top(oldest)
        page.js("() => { document.querySelector('#log').scrollTop -= 500; }")  # near the top, where older ones are loaded
        page.wait_number(oldest - 1)
        stays(page, oldest, first + 500, "behind older messages")
        top = page.scroll_to(anchor)
        page.viewport(1000, 600)
        stays(page, anchor, top, "in a smaller window")


@page_check("the reading position stays where Esc ends a completion, and where it marks as read")
def position_escape(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(200)])) as server:
        page = bench.join(server, "alice")
        page.wait_number(200)
        top = page.scroll_to(170)
        last = fill(server.event("bob"), 3)
        page.wait_number(last)
        page.focus_line()
        page.type("/jo", TAB, ESCAPE)
        expect_equal(page.draft, "/join ")
        stays(page, 170, top, "behind the Esc that ends a completion")
        expect(page.text("#rooms .badge") == "3", "3 unread still", page.text("#rooms"))
        page.keys(ESCAPE)
        page.wait("() => document.querySelector('#rooms .badge').innerText === ''", what="all read")
        stays(page, 170, top, "behind the Esc that marks as read")


@page_check("the reading position stays over a reconnect, and nothing is shown twice")
def position_reconnect(bench):
    folder = bench.history([f"old {n}" for n in range(200)])
    server = bench.host(history=folder)
    page = bench.join(server, "alice")
    page.wait_number(200)
    top = page.scroll_to(180)
    server.kill()
    page.wait_not_online()
    stays(page, 180, top, "offline")
    server = bench.host(history=folder, at=server.at)
    last = fill(server.event("carol"), 70)
    page.wait_online()
    page.wait_number(last)
    stays(page, 180, top, "online again")
    numbers = page.numbers()
    expect_equal(numbers, list(range(numbers[0], last + 1)), "numbers without holes")


@page_check("at the end of the log, new messages scroll into view; one of many lines too")
def follows(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(100)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(100)
        for text in ("short", "line\n" * 30, "word " * 300, "last"):
            seq = peer.said("lobby", text)["seq"]
            page.wait_number(seq)
            page.settle()
            expect(page.is_at_end(), f"the end of the log behind {text[:20]!r}", "another place")


@page_check("a search highlights its hits and jumps to them; history scrolls from there in both directions")
def search(bench):
    texts = ["needle one" if n == 20 else "a NEEDLE two" if n == 250 else f"hay {n}" for n in range(300)]
    with bench.host(history=bench.history(texts)) as server:
        page = bench.join(server, "alice")
        page.wait_number(300)
        page.click("#search")
        page.type("needle", ENTER)
        page.wait("() => document.querySelectorAll('#results li').length === 2", what="two results")
        expect_equal([text.lower() for text in page.texts("#results mark")], ["needle", "needle"])
        page.click("#results li:last-child button")
        page.wait_on_screen(MESSAGE % 21)
        page.wait_for("#jump-newest")
        page.click("#jump-newest")
        page.wait_number(300)
        page.wait_at_end()


@page_check("a room of 10,000 messages: a jump into its middle, and talk goes on at the end")
def many_messages(bench):
    with bench.host(history=bench.history([f"message number {n}" for n in range(10_000)])) as server:
        page = bench.join(server, "alice")
        page.wait_number(10_000)
        page.say("/history around 5000")
        page.wait_number(5000)
        numbers = page.numbers()
        expect(numbers == sorted(set(numbers)), "numbers in order, each once", numbers[:10])
        page.say("still quick")
        page.wait_message("still quick")
