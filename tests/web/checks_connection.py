"""The connection in words, and what happens to what a person types while there is none."""

import os
import signal
import threading

from chat import page_check, url
from harness import expect, expect_equal
from operating import act, operated, operator
from page import BACKSPACE, ENTER

OFFLINE = r"/offline since \d\d:\d\d:\d\d/i.test(document.querySelector('#connection').innerText)"
RETRYING = r"/(retrying in \d+ s|connecting)/i.test(document.querySelector('#connection').innerText)"


def offline(page):
    page.wait(f"() => {OFFLINE} && {RETRYING}", what="offline since, and the next attempt")


@page_check("the connection is always in words: online, offline since, retrying in N s")
def words(bench):
    server = bench.host()
    page = bench.join(server, "alice")
    expect(page.text("#connection").strip().lower().startswith("online"), "online", page.text("#connection"))
    expect(page.js("() => document.querySelector('#connection').getAttribute('role')") == "status", "a status", "none")
    server.kill()
    offline(page)
    seen = page.text("#connection")
    page.wait("before => document.querySelector('#connection').innerText !== before", seen, what="the next word")
    bench.host(at=server.at)
    page.wait_online()


@page_check("who can read this line: anyone on the way, or with TLS the server")
def readers(bench):
    with bench.host() as server:
        page = bench.page()
        page.go(url(server))
        page.wait_text("#welcome", "anyone on the way")
        page.choose_name("alice")
        page.wait_online()
        page.wait_text("#readers", "anyone")
        page.wait_text("#readers", "plaintext")
        page.viewport(320, 568)
        page.wait_for("#readers")
        secure = bench.page().join(url(server, scheme="https"), "bob")
        secure.wait_text("#readers", "server")
        expect("anyone" not in secure.text("#readers").lower(), "no word of anyone with TLS", secure.text("#readers"))


@page_check("the server is killed and restarted while a person types: 0 lost, 0 doubled, in order, nothing moved")
def killed_while_typing(bench):
    folder = bench.history([f"old {n}" for n in range(100)])
    server = bench.host(history=folder)
    page = bench.join(server, "alice")
    page.wait_number(100)
    servers = [server]

    def kill_and_restart():
        for _ in range(2):
            servers[-1].kill()
            servers.append(bench.host(history=folder, at=server.at))
            servers[-1].event("watcher").wait_named("joined", "alice", timeout=12)
    chaos = threading.Thread(target=kill_and_restart)
    chaos.start()
    said = 0
    page.focus_line()
    while chaos.is_alive() or said < 30:
        said += 1
        page.type(f"line {said}", ENTER)
        if said >= 400:
            break
    chaos.join(15)
    page.wait_online(12)
    page.type("half a sentence")
    page.wait_nothing_pending()
    wanted = [f"line {n}" for n in range(1, said + 1)]
    reader = servers[-1].event("reader")
    stored = []
    while len(page_of := reader.page(after=100 + len(stored), limit=200)["messages"]):
        stored += [message["text"] for message in page_of]
    expect_equal(stored, wanted, "what the server stored")
    numbers = page.numbers()
    expect_equal(numbers, list(range(numbers[0], 100 + said + 1)), "numbers on the page")
    expect_equal(page.draft, "half a sentence", "the line")


@page_check("offline: typed text is kept, and nothing on the screen moves when the link is back")
def typing_is_kept(bench):
    folder = bench.history([f"old {n}" for n in range(100)])
    server = bench.host(history=folder)
    page = bench.join(server, "alice")
    page.wait_number(100)
    top = page.scroll_to(80)
    page.focus_line()
    page.type("half a sent")
    cursor = page.js("() => { const l = document.querySelector('#line'); l.setSelectionRange(4, 4); return 4; }")
    line = page.js("() => document.querySelector('#line').getBoundingClientRect().top")
    server.kill()
    offline(page)
    page.type("X", BACKSPACE)
    bench.host(history=folder, at=server.at)
    page.wait_online()
    expect_equal(page.draft, "half a sent", "the line")
    expect_equal(page.js("() => document.querySelector('#line').selectionStart"), cursor, "the cursor")
    expect_equal(page.js("() => document.activeElement.id"), "line", "the focus")
    expect(abs(page.top(80) - top) <= 1, "the reading position", page.top(80) - top)
    expect(abs(page.js("() => document.querySelector('#line').getBoundingClientRect().top") - line) <= 1,
           "the line where it was", "another place")


@page_check("offline: unsent messages are marked, survive a reload, and go out in order with the same ids")
def outbox(bench):
    folder = bench.history(["old"])
    server = bench.host(history=folder)
    page = bench.join(server, "alice")
    page.say("before")
    page.wait_message("before")
    server.kill()
    offline(page)
    for text in ("first", "second", "third"):
        page.say(text)
    page.wait("() => document.querySelectorAll('.pending').length === 3", what="three pending messages")
    texts = page.texts(".pending")
    expect(all(word in text for word, text in zip(("first", "second", "third"), texts)), "in order", texts)
    page.wait_text("#unsent", "3")
    kept = page.js("() => sessionStorage.getItem('glassline/outbox')")
    page.leave()
    server = bench.host(history=folder, at=server.at)
    page.come_back(server)
    page.wait_message("third")
    page.wait_nothing_pending()
    stored = server.event("reader").page()["messages"]
    expect_equal([message["text"] for message in stored], ["old", "before", "first", "second", "third"])
    expect(all(message["id"] in kept for message in stored[2:]), "the ids that were kept over the reload",
           [message.get("id") for message in stored])
    expect_equal(len(page.messages()), 5, "messages on the page")


@page_check("drafts are kept for each room, and survive a reload; secrets do not")
def drafts(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        page.focus_line()
        page.type("draft of the lobby")
        page.js("() => document.querySelector('#join-room').focus()")
        page.type("den", ENTER)
        page.wait_room("den")
        page.wait("() => document.querySelector('#line').value === ''", what="an empty line in the new room")
        page.focus_line()
        page.type("draft of den")
        page.reload()
        page.wait_online()
        page.wait_room("den")
        expect_equal(page.draft, "draft of den")
        page.open_entry("rooms", "lobby")
        page.wait_room("lobby")
        page.wait("() => document.querySelector('#line').value === 'draft of the lobby'", what="the lobby's draft")
        page.js("() => document.querySelector('#line').select()")
        page.type("/op secret-of-the-host")
        page.settle()
        stored = page.js("() => JSON.stringify({...sessionStorage}) + JSON.stringify({...localStorage})")
        expect("secret-of-the-host" not in stored, "no operator's token in the browser's storage", stored)


@page_check("what opens another conversation leaves its draft, and no trace in its line or in the tab's storage")
def drafts_of_others(bench):
    with bench.host() as server:
        zoe = server.event("zoe")
        page = bench.join(server, "alice")
        page.say("/join den")
        page.wait_room("den")
        page.open_entry("rooms", "lobby")
        page.wait_room("lobby")
        page.focus_line()
        page.type("draft of the lobby")
        page.open_entry("rooms", "den")
        page.wait_room("den")
        page.say("/join lobby")
        page.wait_room("lobby")
        expect_equal(page.draft, "draft of the lobby")
        page.open_entry("rooms", "den")
        page.wait_room("den")
        expect_equal(page.draft, "", "the line of den")
        page.say("/msg zoe for you only")
        expect_equal(zoe.wait("direct")["text"], "for you only")
        page.wait_room("zoe")
        expect_equal(page.draft, "", "the line with zoe")
        stored = page.js("() => sessionStorage.getItem('glassline/drafts')")
        expect("for you only" not in stored and "draft of the lobby" in stored, "the lobby's draft alone", stored)
        page.say("/search nothing is stored here")
        page.wait_text("#hint", "not stored")


@page_check("a line that is refused stays, with the reason")
def refused_line(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        page.say("/join two rooms")
        page.wait_text("#hint", "usage")
        expect_equal(page.draft, "/join two rooms")


@page_check("a message that the server refused comes back as it was typed, and can be sent again")
def refused_message(bench):
    with operated(bench) as server:
        bench.permit(server)
        page = bench.join(server, "alice")
        with operator(server) as eve:
            act(eve, "freeze")
            page.say("/me dances")
            page.wait_text(".pending", "not delivered")
            page.js("() => [...document.querySelectorAll('.pending button')].find(e => e.innerText === 'Edit').click()")
            expect_equal(page.draft, "/me dances")
            page.focus_line()
            page.keys(ENTER)
            page.wait_text(".pending", "not delivered")
            act(eve, "thaw")
            page.js("() => [...document.querySelectorAll('.pending button')].find(e => e.innerText === 'Send again').click()")
            page.wait_message("dances")
            page.wait_nothing_pending()


@page_check("a direct message to somebody who is not back yet can be sent again")
def direct_again(bench):
    server = bench.host()
    page, zoe = bench.join(server, "alice"), server.event("zoe")
    page.say("/msg zoe one")
    zoe.wait("direct")
    server.kill()
    offline(page)
    page.say("two")
    server = bench.host(at=server.at)
    page.wait_text(".pending", "nobody here has that name")
    zoe = server.event("zoe")
    page.js("() => [...document.querySelectorAll('.pending button')].find(e => e.innerText === 'Send again').click()")
    expect_equal(zoe.wait("direct")["text"], "two")
    page.wait_nothing_pending()


@page_check("a server that stops answering: the page says that it checks the connection")
def silent_server(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        os.kill(server.pid, signal.SIGSTOP)
        try:
            page.say("is anybody there?")
            page.wait_text("#connection", "checking the connection")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        page.wait_online()
        page.wait_message("is anybody there?")


@page_check("two tabs are two people; a duplicated tab drops token, outbox and drafts")
def duplicated(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        page.focus_line()
        page.type("only in the first tab")
        page.settle()
        bench.browser.take_events()
        page.js("() => { window.open('about:blank'); }")  # it gets a copy of the tab's storage, as a duplicated tab does
        copy = bench.tab(page, bench.browser.wait_event("browsingContext.contextCreated")["context"])
        copy.go(url(server))
        copy.wait("() => (document.querySelector('#name')?.checkVisibility()"
                  " || /^online/i.test(document.querySelector('#connection').innerText))", what="a page that has decided")
        if copy.js("() => document.querySelector('#name').checkVisibility()"):
            copy.choose_name("alice")
            copy.wait_online()
        expect(copy.text("#self-name") != "alice", "another person than alice", copy.text("#self-name"))
        expect_equal(copy.draft, "", "the copy's line")
        page.say("!")
        seq = page.wait_message("only in the first tab!")
        copy.wait_number(int(seq))
        expect_equal(page.text("#self-name"), "alice", "the first tab's name")
        tokens = [tab.js("() => JSON.parse(sessionStorage.getItem('glassline/session') ?? '{}').token ?? ''")
                  for tab in (page, copy)]
        expect(tokens[0] and tokens[0] != tokens[1], "tokens of their own", tokens)


@page_check("a reload is the same person: same name, same rooms, no departure for the others")
def reload_is_takeover(bench):
    with bench.host() as server:
        peer = server.event("bob", rooms=["lobby", "den"])
        page = bench.join(server, "alice")
        page.say("/join den")
        page.wait_room("den")
        page.reload()
        page.wait_online()
        expect_equal(page.text("#self-name"), "alice")
        page.wait_text("#rooms", "den")
        page.say("here again")
        event = peer.wait("message", room="den")
        expect_equal(event["from"], "alice")
