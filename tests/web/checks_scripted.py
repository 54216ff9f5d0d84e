"""What a server says wrongly, or not at all: the page neither freezes nor shows it, and goes on."""

import json
import threading

from chat import url
from frames import frame
from harness import check, expect, expect_equal
from scripted import AT, ScriptedServer


def framed(event):
    return frame(json.dumps(event))


def said(link, numbers, text="line\nand another"):
    return b"".join(framed(link.message(seq, f"{text} {seq}")) for seq in numbers)


def scripted_check(title):
    """Registers a check that gets a function `join(script)`: a page at a scripted server. No script of the page may throw."""
    def register(function):
        def verified(bench):
            with bench.host() as real:
                servers = []

                def join(script):
                    servers.append(ScriptedServer(real.address, script))
                    bench.permit(servers[-1])
                    page = bench.page()
                    page.go(url(servers[-1]))
                    page.choose_name("alice")
                    return page

                try:
                    function(join)
                finally:
                    for server in servers:
                        server.close()
            thrown = [event["params"]["text"] for event in bench.browser.take_events()
                      if event["method"] == "log.entryAdded" and event["params"]["type"] == "javascript"
                      and event["params"]["level"] == "error"]
            expect(not thrown, "no error that nothing catches", thrown[:3])
        verified.__name__ = function.__name__
        check("page", title)(verified)
        return function
    return register


@scripted_check("an event without its fields ends the connection in words, and the next one is as good as new")
def wrong_events(join):
    wrong = [{"type": "message", "room": "lobby", "seq": 2, "at": "soon", "from": "bob", "text": "of no time"},
             {"type": "message", "room": "lobby", "seq": 2, "at": AT, "from": "alice", "text": {"of": "no kind"}},
             {"type": "gap", "room": "lobby", "from": "a", "to": {}}]
    came = []

    def script(link):
        link.welcome(1)
        link.send_raw(said(link, [1]))
        if len(came) < len(wrong):
            came.append(link.hello)
            link.send_raw(framed(wrong[len(came) - 1]))
        else:
            link.send_raw(said(link, [2], "it goes on"))
        link.serve()

    page = join(script)
    page.wait_number(2, timeout=20)
    page.wait_online()
    expect_equal(len(came), len(wrong))
    shown = page.shown()
    expect(not any(word in shown for word in ("NaN", "Invalid", "undefined", "[object", "of no")), "nothing of them", shown)


@scripted_check("where stored messages cannot be read, the page asks once, and again when the reader comes back to the top")
def history_busy(join):
    asked = []
    again = threading.Event()

    def script(link):
        link.welcome(300)
        link.send_raw(said(link, range(200, 301)))

        def refuse(request):
            if request["type"] != "history":
                return False
            asked.append(request)
            if again.is_set():
                link.send("history", room="lobby", ref=request["ref"], more=False,
                          messages=[link.message(seq, f"older {seq}") for seq in range(150, 200)])
                return True
            link.send("error", code="busy", text="not at the moment", ref=request["ref"])
            for seq in range(301 + 20 * len(asked), 321 + 20 * len(asked)):  # each is a drawing
                link.send_raw(said(link, [seq]))
            return True

        link.serve(refuse)

    page = join(script)
    page.wait_number(300)
    page.js("() => { document.querySelector('#log').scrollTop = 0; }")
    page.wait_text("#log", "not at the moment")
    page.settle()
    page.say("drawn again")
    page.wait_text("#log", "drawn again")
    expect(len(asked) <= 3, "one request for each visit of the top", len(asked))
    again.set()
    page.js("() => { document.querySelector('#log').scrollTop = 1e6; }")
    page.settle()
    page.js("() => { document.querySelector('#log').scrollTop = 0; }")
    page.wait("() => document.querySelector('#log').innerText.includes('older 199') || void (document.querySelector('#log').scrollTop = 0)",
              what="the older messages")


@scripted_check("a request that the end of a connection left without an answer keeps nothing from being loaded later")
def lost_while_loading(join):
    links = []

    def script(link):
        links.append(link)
        is_first = len(links) == 1
        link.welcome(300)
        link.send_raw(said(link, range(200, 301)))

        def answer(request):
            if request["type"] == "history" and is_first:
                link.send("bye", text="the server stops")
            elif request["type"] == "history":
                link.send("history", room="lobby", ref=request["ref"], more=False,
                          messages=[link.message(seq, f"older {seq}") for seq in range(150, 200)])
            return request["type"] == "history"

        link.serve(answer)

    page = join(script)
    page.wait_number(300)
    page.js("() => { document.querySelector('#log').scrollTop = 0; }")
    page.wait("() => document.querySelector('#log').innerText.includes('older 199') || void (document.querySelector('#log').scrollTop = 0)",
              what="older messages over the second connection")
    expect_equal(len(links), 2)


@scripted_check("a thousand strangers that write to one person leave the page usable, and it says what it closes")
def strangers(join):
    def script(link):
        link.welcome(1)
        link.send_raw(said(link, [1]))
        link.send_raw(b"".join(framed({"type": "direct", "from": f"stranger-{number}", "to": "alice", "text": "hello", "at": AT,
                                       "id": "%032x" % number}) for number in range(1000)))
        link.send_raw(said(link, [2], "after them"))
        link.serve()

    page = join(script)
    page.wait_number(2)
    page.wait_text("#log", "conversations are closed")
    page.wait_text("#directs", "stranger-999")
    expect(page.js("() => document.querySelectorAll('#directs li').length") <= 100, "a list that can be read", page.texts("#directs li")[:3])


@scripted_check("one missing message is one in words too, and is loaded by itself")
def one_missing(join):
    def script(link):
        link.welcome(4)
        link.send_raw(said(link, [1, 2, 4]))

        def answer(request):
            if request["type"] != "history":
                return False
            link.send("history", room="lobby", ref=request["ref"], messages=[link.message(3)], more=True)
            return True

        link.serve(answer)

    page = join(script)
    page.wait_text("#log", "1 message in between. Load it")
    expect_equal(page.numbers(), [1, 2, 4])
    page.click("[data-from='3']")
    page.wait_number(3)
    expect_equal(page.numbers(), [1, 2, 3, 4])
    expect("in between" not in page.text("#log"), "no hole", page.text("#log"))
