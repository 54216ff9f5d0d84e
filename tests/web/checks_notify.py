"""Notifications where the browser permits them, and honest words where it does not."""

from chat import LAN, page_check, url
from harness import expect, expect_equal
from page import ESCAPE

# In place of the desktop, which a browser without a screen does not have: what it is asked to show.
RECORD = """() => {
    globalThis.shown = [];
    globalThis.Notification = class extends EventTarget {
        constructor(title, options) { super(); shown.push([title, options?.body ?? '']); }
        static permission = 'granted';
        static requestPermission() { return Promise.resolve('granted'); }
        close() {}
    };
}"""


@page_check("on plain HTTP of a LAN address the page explains why there are no notifications; the title counts")
def insecure(bench):
    with bench.host() as server:
        peer = server.event("bob")
        page = bench.page().join(url(server, LAN), "alice")
        expect_equal(page.js("() => isSecureContext"), False)
        page.say("/notify all")
        page.wait("() => /notif/i.test(document.querySelector('#log').innerText)", what="a word about notifications")
        page.click("#self")
        page.wait_help()
        page.wait_text("#help", "https")
        page.wait_text("#help", "plain http")
        page.keys(ESCAPE)
        page.look_away()
        peer.said("lobby", "alice, are you there?")
        page.wait("() => /1/.test(document.title)", what="a count in the title")
        page.look_back()
        page.wait("() => !/\\(1\\)/.test(document.title)", what="no count any more")


@page_check("with permission a mention notifies while nobody looks, and not while somebody does; /notify all and off")
def granted(bench):
    with bench.host() as server:
        with bench.preloaded(RECORD):
            peer, page = server.event("bob"), bench.join(server, "alice")
        page.say("/notify mentions")
        seq = peer.said("lobby", "alice, while you look")["seq"]
        page.wait_number(seq)
        page.look_away()
        seq = peer.said("lobby", "nothing for her")["seq"]
        page.wait_number(seq)
        seq = peer.said("lobby", "Alice? <b>you</b>\u202e there")["seq"]
        page.wait_number(seq)
        page.wait("() => shown.length > 0", what="a notification")
        shown = page.js("() => shown")
        expect_equal(len(shown), 1, "notifications")
        expect("bob" in shown[0][0] and "<b>you</b>" in shown[0][1] and "\u202e" not in shown[0][1], "who, and what, as text", shown)
        peer.send("direct", to="alice", text="psst", id="0" * 32)
        page.wait("() => shown.length === 2", what="a notification of the direct message")
        page.look_back()
        page.say("/notify off")
        page.look_away()
        seq = peer.said("lobby", "alice!")["seq"]
        page.wait_number(seq)
        page.settle()
        expect_equal(page.js("() => shown.length"), 2, "notifications after /notify off")
