"""A smoke test in Firefox: the page is not written for one engine."""

from bidi import Browser
from chat import Chat, url, watch
from harness import check, expect, expect_equal
from page import ENTER, SHIFT


@check("page", "Firefox: name form, messages in both directions, a new line, reload as the same person")
def smoke(bench):
    browser = watch(Browser.firefox())
    try:
        with bench.host(history=bench.history(["old"])) as server:
            peer = server.event("bob")
            page = Chat.opened(browser).join(url(server), "alice")
            page.wait_message("old")
            page.focus_line()
            page.type("one", (SHIFT, ENTER), *"two")
            page.keys(ENTER)
            expect_equal(peer.wait("message")["text"], "one\ntwo")
            peer.said("lobby", "from bob")
            page.wait_message("from bob")
            page.reload()
            page.wait_online()
            page.wait_message("from bob")
            expect_equal(page.text("#self-name"), "alice")
            errors = [event["params"]["text"] for event in browser.take_events()
                      if event["method"] == "log.entryAdded" and event["params"]["level"] == "error"]
            expect(not errors, "no error of a script, no violation of the policy", errors)
    finally:
        browser.close()
