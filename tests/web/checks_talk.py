"""Rooms, people, direct messages, commands, mentions and operators on the page."""

import re

from chat import page_check, url
from harness import expect, expect_equal
from operating import TOKEN, act, operated, operator
from page import ENTER, ESCAPE


@page_check("rooms: join, talk in each, counts of unread, leave; what is said in one is in no other")
def rooms(bench):
    with bench.host() as server:
        peer = server.event("bob", rooms=["lobby", "den"])
        page = bench.join(server, "alice")
        page.click("#join-room")
        page.type("Den", ENTER)
        page.wait_room("den")
        peer.said("lobby", "for the lobby")
        seq = peer.said("den", "for the den")["seq"]
        page.wait_number(seq)
        expect("for the lobby" not in page.text("#log"), "the den's messages only", page.text("#log"))
        page.wait_unread("lobby")
        page.say("in the den")
        expect_equal(peer.wait("message", room="den", text="in the den")["from"], "alice")
        page.click("#leave-room")
        page.wait_room("lobby")
        page.wait_message("for the lobby")
        expect(peer.wait("left", room="den")["names"] == ["alice"], "alice left the den", peer.seen[-3:])


@page_check("people and presence: who is here, who comes, goes and is away; about one person")
def people(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        peer = server.event("bob")
        page.wait_text("#people", "bob")
        peer.send("rename", name="robert")
        page.wait_text("#people", "robert")
        page.say("/whois robert")
        page.wait_text("#log", "plaintext")
        page.keys(ESCAPE)
        peer.close()
        page.wait("() => !document.querySelector('#people').innerText.includes('robert')", what="robert gone")
        page.wait_text("#log", "robert")


@page_check("direct messages have a conversation of their own, marked unread, and reach one person only")
def direct(bench):
    with bench.host() as server:
        bob, eve = server.event("bob"), server.event("eve")
        page = bench.join(server, "alice")
        page.say("/msg bob psst, bob")
        event = bob.wait("direct")
        expect_equal((event["from"], event["text"]), ("alice", "psst, bob"))
        eve.send("direct", to="alice", text="hello from eve", id="0" * 32)
        eve.wait("direct")
        page.wait_text("#directs", "eve")
        page.open_entry("directs", "eve")
        page.wait_text("#log", "hello from eve")
        page.say("hi eve")
        expect_equal(eve.wait("direct", **{"from": "alice"})["text"], "hi eve")
        expect(not any(event["type"] == "message" for event in bob.barrier()), "nothing in the lobby", bob.seen[-3:])


@page_check("direct messages are not kept over a reload; who wrote and how many are unread is, and the page says so")
def direct_reload(bench):
    with bench.host() as server:
        zoe, page = server.event("zoe"), bench.join(server, "alice")
        for number in range(2):
            zoe.send("direct", to="alice", text="for you only", id=str(number) * 32)
        page.wait_text("#directs .badge", "2")
        page.reload()
        page.wait_online()
        page.wait_text("#directs .badge", "2")
        page.open_entry("directs", "zoe")
        page.wait_text("#log", "are not kept; 2 of them unread")
        page.reload()
        page.wait_online()
        page.wait_room("zoe")
        expect_equal(page.text("#directs .badge"), "", "unread")
        expect("for you only" not in page.js("() => JSON.stringify({...sessionStorage})"), "no text in the storage", "the text")
        page.say("/quit")
        zoe.wait_named("left", "alice")
        page.go(url(server))  # the page loads itself anew: a wait in it would end with it
        page.wait_for("#name")
        expect("zoe" not in page.js("() => JSON.stringify({...sessionStorage})"), "no name behind /quit", "zoe")


@page_check("/me, /nick, /away and back; unknown commands are explained, and nothing of them is said")
def commands(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        page.say("/me waves")
        event = peer.wait("message")
        expect_equal((event["text"], event["action"]), ("waves", True))
        page.wait("() => /alice\\s+waves/.test(document.querySelector('#log').innerText)", what="alice waves")
        page.say("/nick alicia")
        page.wait("() => document.querySelector('#self-name').innerText === 'alicia'", what="the new name")
        page.say("/away at lunch")
        page.wait_text("#self-away", "away")
        expect_equal(peer.ask("whois", "whois", name="alicia").get("away"), "at lunch")
        page.say("/back")
        page.wait("() => !/away/i.test(document.querySelector('#self').innerText)", what="not away any more")
        page.say("/jion den")
        page.wait("() => /\\/join/.test(document.querySelector('#hint').innerText + document.querySelector('#log').innerText)",
                  what="a hint at /join")
        expect_equal([event for event in peer.barrier() if event["type"] == "message"], [], "messages of the last line")


@page_check("/ignore hides without holes, and /unignore shows again")
def ignored(bench):
    said = [("bob", "one"), ("eve", "two"), ("eve", "three"), ("bob", "four")]
    with bench.host(history=bench.history([{"from": name, "text": text} for name, text in said])) as server:
        page = bench.join(server, "alice")
        page.wait_number(4)
        page.say("/ignore eve")
        page.wait("() => !document.querySelector('#log .message[data-seq=\"2\"]')", what="nothing of eve")
        expect_equal(page.numbers(), [1, 4])
        expect("in between" not in page.text("#log"), "no hole", page.text("#log"))
        page.say("/history around 3")
        page.wait_text("#log", "somebody you ignore")
        page.say("/unignore eve")
        page.wait_number(2)
        expect_equal(page.numbers(), [1, 2, 3, 4])


@page_check("mentions stand out, in any case; the same word in an address does not")
def mentions(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        peer.said("lobby", "Alice: see https://example.org/alice and malice")
        page.wait_message("malice")
        expect_equal(page.texts("#log .message .text strong"), ["Alice"])


@page_check("name colours are those of the terminal client, and readable in light and dark (4.5 : 1)", "page WCAG")
def colours(bench):
    names = ["bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj", "olivia"]
    with bench.host(history=bench.history([{"from": name, "text": "hi"} for name in names])) as server:
        page = bench.join(server, "alice")
        page.wait_number(len(names))
        for scheme in ("light", "dark"):
            page.media(prefers_color_scheme=scheme)
            page.settle()
            ratios = page.js(CONTRAST)
            expect(len(ratios) >= len(names) and min(ratios.values()) >= 4.5, f"4.5 : 1 at least, {scheme}", ratios)


CONTRAST = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const rgb = (colour, below) => {
        canvas.fillStyle = below; canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = element => {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
        return 'white';
    };
    const ratios = {};
    for (const e of document.querySelectorAll('#log .message .who')) {
        if (!e.checkVisibility() || !/^[a-z]+$/.test(e.innerText)) continue;
        const below = ground(e);
        const [one, other] = [rgb(getComputedStyle(e).color, below), rgb(below, 'white')].map(light).sort((a, b) => b - a);
        ratios[e.innerText] = Math.round((one + 0.05) / (other + 0.05) * 100) / 100;
    }
    return ratios;
}"""


@page_check("a sealed message is shown as [sealed message], and what is said in a sealed room is not sent in the clear")
def sealed(bench):
    with bench.host() as server:
        peer = server.event("bob", rooms=["lobby", "den"])
        page = bench.join(server, "alice")
        page.say("/join den")
        page.wait_room("den")
        peer.send("send", room="den", text="", sealed="AAAA" * 20, id="1" * 32, ref="s")
        peer.wait("message", ref="s")
        page.wait_text("#log", "[sealed message]")
        page.say("in the clear")
        page.wait_text("#hint", "sealed")
        expect_equal(page.draft, "in the clear")
        page.js("() => document.querySelector('#line').select()")
        page.say("/join other")  # behind everything that was sent before
        page.wait_room("other")
        expect_equal([event["text"] for event in peer.barrier() if event["type"] == "message"], [], "messages sent")


@page_check("operators: /op, then kick, mute, freeze and the message of the day from the page")
def operators(bench):
    with operated(bench) as server:
        bench.permit(server)
        peer, page = server.event("bob"), bench.join(server, "alice")
        page.say(f"/op {TOKEN}")
        page.wait_for("#operator-tools")
        page.say("/motd welcome to the class")
        page.wait_text("#log", "welcome to the class")
        page.say("/freeze")
        peer.wait("notice")
        peer.say("lobby", "may I?")
        expect_equal(peer.wait("error")["code"], "frozen")
        page.say("/thaw")
        peer.wait("notice")
        page.say("/kick bob be nice")
        expect_equal(peer.wait("error")["code"], "kicked")
        page.wait_text("#log", "bob")
        expect(TOKEN not in page.js("() => document.documentElement.outerHTML + JSON.stringify({...sessionStorage})"),
               "no token on the page", "the token")
        newcomer = bench.join(server, "carol")
        newcomer.wait_text("#log", "welcome to the class")


@page_check("who is kicked or muted is told so in words, and the page does not come back by itself")
def kicked(bench):
    with operated(bench) as server:
        bench.permit(server)
        page = bench.join(server, "alice")
        with operator(server) as eve:
            act(eve, "mute alice 1h no more jokes")
            page.say("a joke")
            page.wait_text("#log", "muted")
            expect("a joke" not in [event.get("text") for event in eve.barrier()], "nothing said", eve.seen[-3:])
            act(eve, "kick alice enough")
            page.wait("() => /kick|disconnected/i.test(document.querySelector('#connection').innerText)", what="kicked, in words")
            eve.barrier()
            expect(not re.search("retrying", page.text("#connection"), re.I), "no next attempt", page.text("#connection"))
