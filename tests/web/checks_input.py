"""Keys, touch and input methods."""

from chat import page_check, url
from harness import expect, expect_equal
from page import ALT, BACKSPACE, DOWN, ENTER, ESCAPE, SHIFT, TAB, UP


@page_check("Enter sends, Shift-Enter begins a line, an empty line sends nothing")
def enter(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        page.focus_line()
        page.type("one", (SHIFT, ENTER), *"two")
        expect_equal(page.draft, "one\ntwo")
        peer.barrier()
        page.keys(ENTER)
        expect_equal(peer.wait("message")["text"], "one\ntwo")
        page.wait("() => document.querySelector('#line').value === ''", what="an empty line")
        page.keys(ENTER, " ", ENTER, BACKSPACE, ENTER)
        page.say("next")
        expect_equal(peer.wait("message")["text"], "next")
        shown = page.js("() => [...document.querySelectorAll('#log .message[data-seq]')].map(e => e.innerText)")
        expect("one\ntwo" in shown[0], "two lines on the screen", shown)


def taken_key(page, key, code):
    """An Enter that an input method takes: a page sees the key, and no character follows."""
    for kind in ("rawKeyDown", "keyUp"):
        page.cdp("Input.dispatchKeyEvent", type=kind, windowsVirtualKeyCode=code, key=key, code="Enter")


@page_check("an Enter that ends an IME composition never sends, in either order of events")
def ime(bench):
    with bench.host() as server:
        peer, page = server.event("bob"), bench.join(server, "alice")
        page.focus_line()
        page.cdp("Input.imeSetComposition", text="にほん", selectionStart=3, selectionEnd=3)
        page.js("() => { globalThis.seen = []; addEventListener('keydown', e => seen.push([e.key, e.keyCode, e.isComposing]), true); }")
        taken_key(page, "Enter", 13)  # while the composition is open
        taken_key(page, "Process", 229)
        page.cdp("Input.insertText", text="日本")  # the input method commits
        expect_equal(page.draft, "日本")
        taken_key(page, "Enter", 229)  # WebKit: the key comes behind compositionend
        page.settle()
        seen = page.js("() => seen")
        expect(any(composing for _, _, composing in seen) and any(code == 229 for _, code, _ in seen),
               "keys of a composition", seen)
        peer.barrier()
        expect_equal([event["text"] for event in peer.messages()], [], "messages sent")
        expect_equal(page.draft, "日本")
        page.keys(ENTER)
        expect_equal(peer.wait("message")["text"], "日本")


@page_check("Tab completes names, commands and rooms, and moves the focus where nothing can be completed")
def tab_completes(bench):
    with bench.host() as server:
        server.event("barbara", rooms=["lobby", "workshop"])
        page = bench.join(server, "alice")
        page.wait_text("#people", "barbara")
        for typed, wanted in (("bar", "barbara: "), ("hi bar", "hi barbara "), ("/whoi", "/whois "), ("/msg bar", "/msg barbara ")):
            page.js("() => { const l = document.querySelector('#line'); l.focus(); l.select(); }")
            page.type(typed, TAB)
            expect_equal(page.draft, wanted, typed)
        page.js("() => { const l = document.querySelector('#line'); l.value = '';"
                " l.dispatchEvent(new Event('input', {bubbles: true})); l.focus(); }")
        page.keys(TAB)
        expect(page.js("() => document.activeElement.id") != "line", "the focus elsewhere", "in the line")


@page_check("Alt-Shift-Up and Down go to the next unread room, Esc marks as read")
def next_unread(bench):
    with bench.host() as server:
        peer = server.event("bob", rooms=["lobby", "den", "attic"])
        page = bench.join(server, "alice")
        for room in ("den", "attic"):
            page.say(f"/join {room}")
            page.wait_room(room)
        page.say("/join lobby")
        page.wait_room("lobby")
        for room in ("den", "attic"):
            peer.said(room, f"news of {room}")
        page.wait_unread("den", "attic")
        visited = []
        for _ in range(2):
            before = page.text("#room-title")
            page.keys((ALT, SHIFT, DOWN))
            page.wait("t => document.querySelector('#room-title').innerText !== t", before, what="another room")
            visited.append(page.text("#room-title").strip("# "))
        expect_equal(sorted(visited), ["attic", "den"])
        page.focus_line()
        page.keys(ESCAPE)
        peer.said("lobby", "news of the lobby")
        page.wait_unread("lobby")
        page.keys((ALT, SHIFT, UP))
        page.wait_room("lobby")
        page.wait_message("news of the lobby")


@page_check("Alt-Up and Down go along the list as it is shown: rooms, then persons")
def next_shown(bench):
    with bench.host() as server:
        server.event("zoe")
        page = bench.join(server, "alice")
        page.say("/msg zoe")
        page.wait_room("zoe")
        page.say("/join den")
        page.wait_room("den")
        page.open_entry("rooms", "lobby")
        for name in ("den", "zoe", "lobby"):
            page.keys((ALT, DOWN))
            page.wait_room(name)
        page.keys((ALT, UP))
        page.wait_room("zoe")


@page_check("a help screen lists the keys and commands, opens and closes by keyboard, and gives the focus back")
def help_screen(bench):
    with bench.host() as server:
        page = bench.join(server, "alice")
        page.say("/help")
        page.wait_help()
        text = page.text("#help")
        for word in ("Enter", "Shift", "Tab", "Alt", "Esc", "/me", "/msg", "/search"):
            expect(word.lower() in text.lower(), f"{word} in the help", text[:400])
        page.keys(ESCAPE)
        page.wait("() => !document.querySelector('#help').open", what="the help closed")
        expect_equal(page.js("() => document.activeElement.id"), "line", "the focus")


# Everything that takes the focus in turn is seen, not covered by anything, and on the screen (WCAG 2.4.7, 2.4.11).
FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const box = e.getBoundingClientRect();
    const parts = [0.1, 0.5, 0.9].flatMap(x => [0.2, 0.5, 0.8].map(y => [box.x + x * box.width, box.y + y * box.height]));
    const isFree = parts.some(([x, y]) => {
        const at = document.elementFromPoint(x, y);
        return e.contains(at) || at?.contains(e) && at !== document.body || e.labels?.[0]?.contains(at);
    });
    const isMarked = [e, e.parentElement].map(marked => getComputedStyle(marked)).some(style =>
        style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none');
    return {name: e.id || e.className || e.tagName, isFree, isMarked,
            isOnScreen: box.bottom > 0 && box.top < innerHeight && box.width > 0};
}"""


@page_check("with the keyboard alone everything is reached, seen and not covered; the focus is never caught", "page WCAG")
def keyboard_only(bench):
    with bench.host(history=bench.history([f"old {n} https://example.org/{n}" for n in range(30)])) as server:
        server.event("bob")
        page = bench.page()
        page.go(url(server))
        page.wait("() => document.activeElement?.id === 'name'", what="the cursor in the name field")
        page.type("alice", TAB)
        page.keys(ENTER)
        page.wait_online()
        page.wait_text("#people", "bob")
        for width, height in ((1280, 800), (320, 568)):
            page.viewport(width, height)
            page.js("() => document.querySelector('#line').focus()")
            seen = []
            for _ in range(120):
                page.keys(TAB)
                found = page.js(FOCUSED)
                if found is None:
                    continue
                if found["name"] == "line":
                    break
                seen.append(found)
            expect(seen and found["name"] == "line", f"the focus to come round at {width} px", seen[-5:])
            faults = [entry for entry in seen if not (entry["isOnScreen"] and entry["isFree"] and entry["isMarked"])]
            expect_equal(faults, [], f"at {width} px")
            names = {entry["name"] for entry in seen}
            expect({"search", "log"} <= names or width == 320, "search and log among what is reached", sorted(names))


@page_check("by touch at 320 px: name, message, rooms, people; every target is at least 24 px", "page WCAG")
def touch(bench):
    with bench.host() as server:
        peer = server.event("bob")
        page = bench.page()
        page.cdp("Emulation.setDeviceMetricsOverride", width=320, height=568, deviceScaleFactor=2, mobile=True)
        page.cdp("Emulation.setTouchEmulationEnabled", enabled=True)
        page.go(url(server))
        page.wait_for("#name")
        page.tap("#name")
        page.type("alice")
        page.tap("#name-form button")
        page.wait_online()
        page.tap("#line")
        page.type("by touch")
        page.js("() => { globalThis.left = 0; document.querySelector('#line').addEventListener('blur', () => { left += 1; }); }")
        page.tap("#send")
        expect_equal(peer.wait("message")["text"], "by touch")
        expect_equal(page.js("() => [document.activeElement.id, left]"), ["line", 0], "the focus, and how often it left the line")
        expect_equal(small_targets(page), [], "targets below 24 px")
        page.tap("#open-side")
        page.wait_for("#rooms")
        page.tap("#join-room")
        page.type("den")
        page.tap("#join-form button")
        page.wait_room("den")
        page.wait("() => !document.querySelector('#side').contains(document.elementFromPoint(160, 300))",
                  what="the list of rooms out of the way")
        expect_equal(small_targets(page), [], "targets below 24 px")
        page.tap("[popovertarget=people-pane]")
        page.wait_for("#people")
        page.wait_text("#people", "alice")
        expect_equal(small_targets(page), [], "targets below 24 px")
        page.tap_at(10, 300)  # beside it
        page.wait("() => !document.querySelector('#people').checkVisibility()", what="people closed")


def small_targets(page):
    """Buttons, links apart from those in texts, and fields on the screen that are below 24 × 24 px (WCAG 2.5.8)."""
    return page.js("() => [...document.querySelectorAll('button, input, textarea, summary, select')]"
                   ".filter(e => e.checkVisibility({visibilityProperty: true}))"
                   ".map(e => [e.id || e.innerText, e.getBoundingClientRect()])"
                   ".filter(([, b]) => b.width && (b.width < 24 || b.height < 24) && b.right > 0 && b.left < innerWidth)"
                   ".map(([name, b]) => `${name} ${b.width} x ${b.height}`)")
