"""Panes that lie over the log: results, people, rooms."""

from chat import MESSAGE, page_check
from harness import expect, expect_equal
from page import ENTER, ESCAPE

F1 = "\ue031"
OPEN = """() => document.querySelector(':popover-open')?.id
    ?? (document.querySelector('#results-pane').checkVisibility() ? 'results-pane' : '')"""


def wait_open(page, pane):
    page.wait(f"pane => ({OPEN})() === pane", pane, what=f"{pane or 'no pane'} open")


@page_check("on a phone nothing lies over what was chosen in a pane")
def chosen(bench):
    texts = ["needle" if n == 20 else f"hay {n}" for n in range(100)]
    with bench.host(history=bench.history(texts)) as server:
        server.event("zoe")
        page = bench.join(server, "alice")
        page.wait_number(100)
        page.wait_text("#people", "zoe")
        page.viewport(360, 640)
        page.say("/search needle")
        page.wait("() => document.querySelector('#results li')", what="a result")
        page.click("#results button")
        page.wait("s => { const box = document.querySelector(s)?.getBoundingClientRect();"
                  "  return box && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest(s); }",
                  MESSAGE % 21, what="the message, with nothing over it")
        page.keys(ESCAPE)
        wait_open(page, "")
        page.click("#people-button")
        wait_open(page, "people-pane")
        page.click("#people [data-person=zoe]")
        page.wait_room("zoe")
        wait_open(page, "")


@page_check("on a wide screen the results stay, beside the message that was chosen")
def results_stay(bench):
    with bench.host(history=bench.history(["needle", "hay"])) as server:
        page = bench.join(server, "alice")
        page.say("/search needle")
        page.wait("() => document.querySelector('#results li')", what="a result")
        page.click("#results button")
        page.wait("() => document.activeElement.dataset.seq === '1'", what="the message")
        expect_equal(page.js(OPEN), "results-pane", "what is open")


@page_check("Esc closes the results, also from the search field, and marks nothing as read; F1 shows the help meanwhile")
def escape_closes(bench):
    with bench.host(history=bench.history([f"needle {n}" for n in range(100)])) as server:
        page, peer = bench.join(server, "alice"), server.event("bob")
        page.wait_number(100)
        page.scroll_to(70)
        seq = peer.said("lobby", "new")["seq"]
        page.wait_number(seq)
        page.click("#search")
        page.type("needle", ENTER)
        wait_open(page, "results-pane")
        page.keys(ESCAPE)
        wait_open(page, "")
        expect("1" in page.text("#rooms"), "one unread still", page.text("#rooms"))
        page.click("#search")
        page.keys(ENTER)
        wait_open(page, "results-pane")
        page.keys(F1)
        page.wait_help()
