"""Other people's texts, names, rooms and the server's words are text, whatever is in them."""

import json

from chat import LAN, MESSAGE, REBOUND, page_check, url
from harness import expect, expect_equal
from operating import act, operated, operator

TEXTS = [
    "<img src=x onerror=\"globalThis.taken = 1\">", "<script>globalThis.taken = 1</script>",
    "<svg/onload=globalThis.taken=1>", "</textarea></div><iframe srcdoc='<script>top.taken=1</script>'>",
    "javascript:globalThis.taken=1", "https://a.example/\"onmouseover=\"globalThis.taken=1", "&lt;b&gt; &amp; &#x3c;",
    "\u202eabc\u202c\u2066def", "e" + "\u0301" * 60, "\u0000\u0007\u001b[31mred", "${taken} {{taken}} %s %o",
    "`code` **bold** [x](javascript:taken)", "\u200b\u200d\ufeff", "a" * 16000, "漢字" * 2000, "👨‍👩‍👧" * 400,
    "__proto__", "constructor", "\u2028\u2029next", "data:text/html,<script>taken</script>",
]
NAMES = ["__proto__", "constructor", "a&b;amp", "\"quoted\"", "o'hara--", "'\"`=", "{{x}}", "عربي", "עברית", "Zo\u0308e",
         "x" * 32, "👩‍🔬"]

# Elements that only a text could have brought.
INTRUDERS = """() => [globalThis.taken, document.querySelector(
    '#log img:not([src^="/"]), #log script, #log iframe, #log svg[onload], #log style, #people script, #rooms script, [onerror], [onload]')?.outerHTML]
    .filter(found => found != null)"""


@page_check("texts with markup, scripts, addresses of scripts, bidi and combining characters are shown as they are")
def texts(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        for text in TEXTS:
            seq = peer.said("lobby", text)["seq"]
            page.wait_number(seq)
            shown = page.js("s => document.querySelector(s).textContent", MESSAGE % seq)
            expect(plain(text)[:4000] in plain(shown), f"{ascii(text[:60])} as text", ascii(shown[:200]))
            expect_equal(page.js(INTRUDERS), [], ascii(text[:60]))
        hrefs = page.js("() => [...document.querySelectorAll('#log a')].map(a => a.href)")
        expect(all(href.startswith(("https://", "http://")) for href in hrefs), "http and https only", hrefs)
        tall = page.js("() => Math.max(...[...document.querySelectorAll('#log .message')].map(e => e.scrollWidth - e.clientWidth))")
        expect(tall <= 1, "no message wider than its box", tall)


def plain(text):
    """The printable characters of a text, without combining marks."""
    return "".join(char for char in text if char.isprintable() and not "\u0300" <= char <= "\u036f")


@page_check("a text of many marks or of another direction stays in its own line")
def contained(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        before = peer.said("lobby", "before")["seq"]
        peer.said("lobby", "\u202e\u2067 reversed " + "Z" + "\u0353\u0346" * 40)
        after = peer.said("lobby", "after 123")["seq"]
        page.wait_number(after)
        for seq in (before, after):
            direction = page.js("s => getComputedStyle(document.querySelector(s)).direction", MESSAGE % seq)
            expect_equal(direction, "ltr")
        isolated = page.js("() => [...document.querySelectorAll('#log .message')].every(e => e.querySelector('bdi, [dir=auto]'))")
        expect(isolated, "every text isolated in direction", isolated)
        overlap = page.js("s => { const e = document.querySelector(s);"
                          "  const box = e.getBoundingClientRect(); const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);"
                          "  return e.contains(at); }", MESSAGE % after)
        expect(overlap, "the next message free of the marks before it", overlap)


@page_check("names and rooms of others are shown as text, in isolation, and break no list")
def names(bench):
    with bench.host() as server:
        peers = []
        for name in NAMES:
            try:
                peers.append(server.event(name, rooms=["lobby"]))
            except Exception as error:  # the server may refuse a name (T8); what it admits must be shown
                expect(type(error).__name__ == "Refused", "a welcome or a refusal", error)
        page = bench.join(server, "alice")
        for peer in peers:
            page.wait("n => [...document.querySelectorAll('#people bdi')].some(e => e.textContent.trim() === n)", peer.name,
                      what=f"{ascii(peer.name)} among the people")
            seq = peer.said("lobby", f"I am {peer.name}")["seq"]
            page.wait("([s, n]) => [...document.querySelectorAll(`${s} bdi`)].some(e => e.textContent === n)",
                      [MESSAGE % seq, peer.name], what=f"a message of {ascii(peer.name)}")
        expect(len(peers) >= 6, "names that the server admits", [ascii(peer.name) for peer in peers])
        opened = 0
        for room in ("__proto__", "constructor", "a&b;", "o'hara--", "'\"`=", "עברית"):
            title = page.text("#room-title")
            page.say(f"/join {room}")
            page.wait("t => document.querySelector('#room-title').innerText !== t || document.querySelector('#hint').innerText", title)
            opened += page.text("#room-title") != title
        expect(opened >= 3, "rooms that the server admits", opened)
        expect_equal(page.js(INTRUDERS), [])


@page_check("the message of the day, reasons, away texts and refusals are text")
def words_of_the_server(bench):
    markup = "<img src=x onerror=taken=1>"
    with operated(bench) as server:
        bench.permit(server)
        eve = operator(server)
        act(eve, f"motd {markup} motd")
        eve.send("away", text=f"{markup} away")
        page = bench.join(server, "alice")
        page.wait_text("#log", f"{markup} motd")
        page.say("/msg eve hi")
        page.wait("t => document.body.innerText.includes(t)", f"{markup} away", what="eve's away text")
        page.say(f"/whois {markup}".replace(" ", ""))
        page.say("/join <b>x</b>")
        page.settle()
        act(eve, f"kick alice {markup} reason")
        page.wait("t => document.body.innerText.includes(t)", f"{markup} reason", what="the reason of the kick")
        expect_equal(page.js(INTRUDERS), [])


@page_check("a rebound name gets neither the page nor a WebSocket; an address of the LAN gets both")
def rebound(bench):
    with bench.host() as server:
        port = server.address[1]
        page = bench.page()
        bench.origins.append(f"http://{REBOUND}:{port}/")
        page.go(f"http://{REBOUND}:{port}/")
        expect_equal(page.js("() => [document.scripts.length, document.querySelector('#name')]"), [0, None], "a page without scripts")
        page.go(f"http://{LAN}:{port}/")
        page.wait_for("#name")


@page_check("a foreign page can neither open a WebSocket nor post frames")
def foreign_page(bench):
    with bench.host() as server:
        peer = server.event("bob")
        page = bench.page()
        page.go("data:text/html,<title>another site</title>")
        opened = page.js("""url => new Promise(done => { const socket = new WebSocket(url);
            socket.onopen = () => done('open'); socket.onerror = () => done('refused'); })""", url(server, scheme="ws") + "ws")
        expect_equal(opened, "refused")
        page.js("""url => fetch(url, {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'},
            body: 'GLASSLINE242        {"type":"hello","name":"smuggled","x":"12345"}'}).then(() => 1, () => 0)""", url(server))
        peer.barrier()
        expect_equal(peer.ask("members", "members", room="lobby")["names"], ["bob"])
        bench.browser.take_events()  # what the foreign page did is no fault of ours


@page_check("texts that look like frames, events or nothing are messages like others")
def odd_texts(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        for text in (json.dumps({"type": "message"}), "5         hello", "GLASSLINE2", "\r\n", " ", "\n" * 300):
            seq = peer.said("lobby", text)["seq"]
            page.wait_number(seq)
        page.say("still here")
        page.wait_message("still here")
