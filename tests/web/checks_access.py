"""The page for everybody: screen readers, sizes of screens, light and dark."""

import json
import time

from chat import page_check, url
from harness import Skipped, expect, expect_equal
from page import ESCAPE, PAGE_S
from paths import NODE_MODULES

AXE = NODE_MODULES / "axe-core/axe.min.js"
WIDTHS = (320, 360, 480, 640, 768, 1024, 1280, 1920, 2560, 3840)
UNBROKEN = "w" * 400
WIDE = [f"https://example.org/{'path/' * 60}", UNBROKEN, "漢" * 300, "a | b | c\n" * 20, "hi"]


def violations(page):
    """Rules of axe-core that the page breaks, with the first element of each."""
    return page.js("() => axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v =>"
                   "  `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', ')}`))")


def load_axe(page):
    if not AXE.is_file():
        raise Skipped("the npm package axe-core is missing: npm ci (tests/web/README.md)")
    page.browser.call("script.evaluate", expression=AXE.read_text() + ";undefined", awaitPromise=False,
                      target={"context": page.context})


@page_check("axe-core finds no violation: name form, chat, help, search and people, light and dark, 320 and 1,280 px",
            "page WCAG")
def axe(bench):
    said = [{"from": name, "text": text} for name in ("bob", "eve") for text in ("hi alice", "see https://example.org/")]
    with bench.host(history=bench.history(said)) as server:
        server.event("bob")
        page = bench.page()
        page.go(url(server))
        page.wait_for("#name")
        load_axe(page)
        found = {}

        def judge(what):
            for scheme in ("light", "dark"):
                page.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
                for width, height in ((320, 568), (1280, 800)):
                    page.viewport(width, height)
                    page.settle()
                    if faults := violations(page):
                        found[f"{what}, {scheme}, {width}"] = faults
        judge("name form")
        page.choose_name("alice")
        page.wait_online()
        page.wait_number(4)
        page.say("a message of my own")
        page.wait_number(5)
        judge("chat")
        page.viewport(1280, 800)
        page.say("/help")
        page.wait_help()
        judge("help")
        page.keys(ESCAPE)
        page.viewport(1280, 800)
        page.say("/search hi")
        page.wait("() => document.querySelectorAll('#results li').length > 0", what="results")
        judge("search")
        expect_equal(found, {}, "violations")


@page_check("screen readers: the log is filled before it has its role, and one message is one new node", "page WCAG")
def announced(bench):
    with bench.host(history=bench.history([f"old {n}" for n in range(40)])) as server:
        peer = server.event("bob")
        peer.said("lobby", "the first of today")
        watch = """() => { globalThis.atRole = null;
            new MutationObserver(() => { const log = document.querySelector('#log');
                if (atRole === null && log?.getAttribute('role') === 'log')
                    globalThis.atRole = log.querySelectorAll('.message').length; })
            .observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['role']}); }"""
        with bench.preloaded(watch):
            page = bench.join(server, "alice")
        page.wait_number(41)
        page.wait("() => document.querySelector('#log').getAttribute('role') === 'log'", what="the role of the log")
        expect(page.js("() => atRole") >= 40, "40 messages when the log gets its role", page.js("() => atRole"))
        page.js("""() => { globalThis.added = []; new MutationObserver(all => { for (const one of all) for (const node of one.addedNodes)
            added.push(node.className ?? node.textContent); }).observe(document.querySelector('#log'), {subtree: true, childList: true}); }""")
        before = log_nodes(page)
        seq = peer.said("lobby", "the new one")["seq"]
        page.wait_number(seq)
        page.settle()
        expect_equal(len(page.js("() => added")), 1, "nodes added to the log")
        deadline = time.monotonic() + PAGE_S
        while "the new one" not in " ".join(after := log_nodes(page)):  # the browser brings its tree up to date at leisure
            expect(time.monotonic() < deadline, "the new message in the accessibility tree", after[-3:])
        expect_equal(len(after) - len(before), 1, "children of the log in the accessibility tree")
        expect("the new one" in after[-1], "the text in the last one", after[-1])
        for kind, selector in (("status", "#connection"), ("status", "#hint")):
            expect_equal(page.js("s => document.querySelector(s).getAttribute('role')", selector), kind, selector)


def log_nodes(page):
    """Texts of the children of the log, as assistive technology gets them."""
    nodes = {node["nodeId"]: node for node in page.accessibility_tree()}
    log = next(node for node in nodes.values() if node.get("role", {}).get("value") == "log")

    def text(node):
        own = node.get("name", {}).get("value", "") if not node.get("ignored") else ""
        return own + " " + " ".join(text(nodes[child]) for child in node.get("childIds", []) if child in nodes)

    def children(node):
        for child in (nodes[child] for child in node.get("childIds", []) if child in nodes):
            if child.get("ignored") or child.get("role", {}).get("value") in ("none", "generic"):
                yield from children(child)
            else:
                yield child
    return [text(child) for child in children(log)]


@page_check("a screen reader is not told again what it knows: reconnect and older messages announce nothing", "page WCAG")
def not_announced_again(bench):
    folder = bench.history([f"old {n}" for n in range(200)])
    server = bench.host(history=folder)
    page = bench.join(server, "alice")
    page.wait_number(200)
    page.wait("() => document.querySelector('#log').getAttribute('role') === 'log'", what="the role of the log")
    page.js("""() => { globalThis.announced = 0; const log = document.querySelector('#log');
        new MutationObserver(all => {
            const isLive = log.getAttribute('role') === 'log' && log.getAttribute('aria-live') !== 'off' && log.ariaBusy !== 'true';
            for (const one of all) if (isLive) announced += [...one.addedNodes].filter(n => n.matches?.('.message')).length;
        }).observe(log, {subtree: true, childList: true}); }""")
    oldest = page.numbers()[0]
    page.js("() => { document.querySelector('#log').scrollTop = 0; }")
    page.wait_number(oldest - 1)
    server.kill()
    page.wait_not_online()
    bench.host(history=folder, at=server.at)
    page.wait_online(10)
    page.settle()
    expect_equal(page.js("() => announced"), 0, "old messages announced")


@page_check("from 320 to 3,840 px nothing scrolls sideways, and line, log and connection are on the screen", "page WCAG")
def sizes(bench):
    with bench.host(history=bench.history(WIDE)) as server:
        server.event("x" * 32, rooms=["lobby"])
        page = bench.page()
        page.go(url(server))
        page.wait_for("#name")
        for width in WIDTHS:
            page.viewport(width, 700)
            expect(not sideways(page), f"no sideways scrolling of the name form at {width} px", sideways(page))
        page.choose_name("a" * 32)
        page.wait_online()
        page.say("/join " + "r" * 32)
        page.wait_room("rrr")
        page.say("/join lobby")
        page.wait_room("lobby")
        page.wait_number(len(WIDE))
        for width in WIDTHS:
            page.viewport(width, 568 if width < 600 else 900)
            page.settle()
            expect(not sideways(page), f"no sideways scrolling at {width} px", sideways(page))
            seen = page.js("() => ['#line', '#send', '#log', '#connection', '#readers'].filter(s => {"
                           "  const e = document.querySelector(s); const box = e.getBoundingClientRect();"
                           "  return !(e.checkVisibility() && box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight"
                           "    && box.top >= 0 && box.width > 10); })")
            expect_equal(seen, [], f"hidden or cut at {width} px")
            expect(page.js("() => document.querySelector('#log').clientHeight") >= 200, f"room for messages at {width} px",
                   page.js("() => document.querySelector('#log').clientHeight"))


def sideways(page):
    return page.js("() => [document.documentElement, document.body, document.querySelector('#log')]"
                   ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => [e.id || e.tagName, e.scrollWidth, e.clientWidth])")


@page_check("light and dark follow the system; texts of 200 % leave everything in reach", "page WCAG")
def schemes(bench):
    with bench.host(history=bench.history(["hi"])) as server:
        page = bench.join(server, "alice")
        page.wait_number(1)
        grounds = {}
        for scheme in ("light", "dark"):
            page.media(prefers_color_scheme=scheme)
            page.settle()
            grounds[scheme] = page.js("() => { const at = [document.documentElement, document.body, document.querySelector('main')]"
                                      "  .map(e => getComputedStyle(e).backgroundColor).filter(c => c !== 'rgba(0, 0, 0, 0)');"
                                      "  return at[0].match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0); }")
        expect(grounds["light"] > 600 and grounds["dark"] < 150, "a light and a dark ground", grounds)
        page.viewport(640, 900)
        page.js("() => { document.documentElement.style.fontSize = '200%'; }")
        page.settle()
        expect(not sideways(page), "no sideways scrolling at 200 %", sideways(page))
        page.say("large")
        page.wait_message("large")


@page_check("without JavaScript the page says so, and how to join")
def without_scripts(bench):
    with bench.host() as server:
        page = bench.page()
        page.cdp("Emulation.setScriptExecutionDisabled", value=True)
        page.go(url(server))
        tree = json.dumps(page.accessibility_tree())
        expect("JavaScript" in tree and "glassline join" in tree, "a word about JavaScript and glassline join", tree[:300])
        page.cdp("Emulation.setScriptExecutionDisabled", value=False)
