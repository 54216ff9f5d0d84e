"""What a check of the page gets: servers with a history, pages of one browser that all checks share, and the chat on them."""

import contextlib
import functools
import json
from datetime import datetime, timedelta, timezone

from harness import Bench, Server, check, expect
from page import ENTER, PAGE_S, Page

AT_END = """() => { const log = document.querySelector('#log');
    return log.scrollHeight - log.scrollTop - log.clientHeight < 4; }"""

# A message of the log, by its number.
MESSAGE = "#log .message[data-seq='%s']"

# In every page before its own scripts: what the policy stops is an error of the console, which the browser reports.
WATCH = """() => addEventListener("securitypolicyviolation",
    event => console.error("violation", event.violatedDirective, event.blockedURI, event.sample), true)"""

# Hosts that do not exist lead to this machine: an address of a LAN is no secure context, and a name is a rebound one.
LAN, REBOUND = "192.0.2.1", "rebound.example"
HOST_RULES = f"MAP {LAN} 127.0.0.1, MAP {REBOUND} 127.0.0.1"


def page_check(title, clauses="page"):
    """Registers a check of the page, which ends with what holds for all of them: see `WebBench.verify`."""
    def register(function):
        @functools.wraps(function)
        def verified(bench):
            function(bench)
            bench.verify()
        return check(clauses, title)(verified)
    return register


def watch(browser):
    """Prepares a browser for the checks: it reports requests, errors and violations."""
    browser.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent", "browsingContext.contextCreated"])
    browser.call("script.addPreloadScript", functionDeclaration=WATCH)
    return browser


class WebBench(Bench):
    def __init__(self, binary, browser):
        super().__init__(binary)
        self.browser = browser
        self.user_contexts = []
        self.origins = []

    def host(self, *options, at="127.0.0.1:0", history=None):
        """A server, with a history in `history` or in a home of its own, whose page may be opened."""
        chosen = ["--history", history / "history.db"] if history else []
        server = self._keep(Server([self.binary, "serve", "--listen", at, *chosen, *options]))
        self.permit(server)
        return server

    def permit(self, server):
        """Requests to this server are no foreign ones."""
        for host in ("127.0.0.1", "localhost", LAN):
            self.origins += [f"{scheme}://{host}:{server.address[1]}/" for scheme in ("http", "https", "ws", "wss")]

    def history(self, messages):
        """A folder with a history of these messages: texts of the lobby, or fields of `message`."""
        folder = self.folder()
        first = datetime(2026, 3, 1, 9, 0, tzinfo=timezone.utc)
        lines = [json.dumps({"type": "schema", "version": 1})]
        newest = {}
        for number, message in enumerate(messages):
            fields = message if isinstance(message, dict) else {"text": message}
            room = fields.get("room", "lobby")
            newest[room] = newest.get(room, 0) + 1
            at = (first + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            lines.append(json.dumps({"type": "message", "room": room, "seq": newest[room], "at": at, "from": "bob",
                                     "text": ""} | fields))
        exported = folder / "exported.jsonl"
        exported.write_text("\n".join(lines) + "\n")
        program = self.run("history", "import", "--history", folder / "history.db", exported)
        expect(program.wait_exit() == 0, "an import", program.err)
        return folder

    def user_context(self):
        """Storage of its own: another person's browser."""
        self.user_contexts.append(self.browser.call("browser.createUserContext")["userContext"])
        return self.user_contexts[-1]

    def page(self, user_context=None):
        """An empty tab, of somebody else than every page before unless `user_context` says whose."""
        page = Chat.opened(self.browser, user_context or self.user_context())
        page.viewport(1280, 800)
        return page

    def tab(self, page, context):
        """A tab that the page has opened."""
        return Chat(self.browser, page.user_context, context)

    def join(self, server, name, **how):
        """A page of `server` on which a person has chosen a name."""
        return self.page().join(url(server), name, **how)

    @contextlib.contextmanager
    def preloaded(self, function):
        """Within it, pages that are opened run this JavaScript function before their own scripts."""
        script = self.browser.call("script.addPreloadScript", functionDeclaration=function)["script"]
        try:
            yield
        finally:
            self.browser.call("script.removePreloadScript", script=script)

    def verify(self):
        """No error, no violation of the policy, and no request to anybody but the server."""
        faults = []
        for event in self.browser.take_events():
            params = event["params"]
            if event["method"] == "log.entryAdded" and params["level"] == "error":
                faults.append(params["text"])
            if event["method"] == "network.beforeRequestSent":
                asked = params["request"]["url"]
                if asked != "about:blank" and not asked.startswith(tuple(self.origins)):
                    faults.append(f"a request to {asked}")
        expect(not faults, "no error of a script, no violation, no foreign request", faults[:5])

    def clean_up(self):
        for user_context in self.user_contexts:
            self.browser.call("browser.removeUserContext", userContext=user_context)
        self.user_contexts.clear()
        self.browser.take_events()
        super().clean_up()


def url(server, host="127.0.0.1", scheme="http"):
    return f"{scheme}://{host}:{server.address[1]}/"


class Chat(Page):
    """The page of the program, by the ids and classes that its elements have."""

    @classmethod
    def opened(cls, browser, user_context=None):
        """An empty tab, of somebody else than every page before unless `user_context` says whose."""
        user_context = user_context or browser.call("browser.createUserContext")["userContext"]
        created = browser.call("browsingContext.create", type="window", userContext=user_context)
        return cls(browser, user_context, created["context"])

    def join(self, address, name, timeout=PAGE_S):
        self.go(address)
        self.choose_name(name)
        self.wait_online(timeout)
        return self

    def choose_name(self, name):
        self.wait_for("#name")
        self.click("#name")
        self.js("() => document.querySelector('#name').select()")
        self.type(name, ENTER)

    def wait_online(self, timeout=PAGE_S):
        self.wait_for("#line", timeout)
        self.wait("() => /^online/i.test(document.querySelector('#connection').innerText.trim())", timeout=timeout,
                  what="the word online in #connection")

    def wait_not_online(self):
        """Waits until the page knows that the connection is lost."""
        self.wait("() => !/^online/i.test(document.querySelector('#connection').innerText)", what="another word than online")

    def leave(self):
        """Goes to another site; the tab keeps what the page has stored."""
        self.go("about:blank")

    def come_back(self, server):
        self.go(url(server))
        self.wait_online()

    def say(self, text):
        """Types a line and sends it."""
        self.focus_line()
        self.type(text, ENTER)

    def focus_line(self):
        self.js("() => document.querySelector('#line').focus()")

    @property
    def draft(self):
        return self.js("() => document.querySelector('#line').value")

    def messages(self):
        """Numbers and texts of the messages on the page, in their order."""
        return self.js("() => [...document.querySelectorAll('#log .message')].map(e =>"
                       "  [e.dataset.seq ? Number(e.dataset.seq) : null, e.innerText])")

    def numbers(self):
        return [seq for seq, _ in self.messages() if seq is not None]

    def wait_message(self, text, timeout=PAGE_S):
        """Waits until one message of the server contains `text`; returns its number."""
        return self.wait("t => [...document.querySelectorAll('#log .message[data-seq]')]"
                         "  .findLast(e => e.innerText.includes(t))?.dataset.seq", text, timeout=timeout,
                         what=f"a message {text!r}")

    def wait_number(self, seq, timeout=PAGE_S):
        self.wait("s => document.querySelector(s)", MESSAGE % seq, timeout=timeout, what=f"message {seq}")

    def wait_room(self, name):
        self.wait_text("#room-title", name)

    def wait_unread(self, *rooms):
        """Waits until each of the rooms has one unread message in the list."""
        self.wait("rooms => rooms.every(room => [...document.querySelectorAll('#rooms li')]"
                  ".some(e => e.innerText.includes(room) && /1/.test(e.innerText)))", rooms, what=f"one unread in {rooms}")

    def open_entry(self, of, name):
        """Shows a conversation of the list `of`: `rooms` or `directs`."""
        self.js("([of, name]) => [...document.querySelectorAll(`#${of} button`)].find(e => e.innerText.includes(name)).click()",
                [of, name])

    def wait_help(self):
        self.wait("() => document.querySelector('#help').open", what="the help")

    def marks(self):
        """Number of marks of unread messages in the log."""
        return self.js("() => document.querySelectorAll('.unread-divider').length")

    def wait_no_mark(self):
        self.wait("() => !document.querySelector('.unread-divider')", what="no mark")

    def wait_on_screen(self, selector):
        """Waits until an element is wholly within the window."""
        self.wait("s => { const box = document.querySelector(s)?.getBoundingClientRect();"
                  "  return box && box.top >= 0 && box.bottom <= innerHeight; }", selector, what=f"{selector} on the screen")

    def wait_nothing_pending(self):
        self.wait("() => !document.querySelector('.pending')", what="nothing pending")

    def top(self, seq):
        """Distance of a message from the top of the window, in CSS pixels."""
        return self.js("s => document.querySelector(s).getBoundingClientRect().top", MESSAGE % seq)

    def scroll_to(self, seq):
        """Scrolls as a person does until the message is in the middle of the log; returns its distance from the top."""
        self.js("s => document.querySelector(s).scrollIntoView({block: 'center'})", MESSAGE % seq)
        self.settle()
        return self.top(seq)

    def look_away(self):
        """The window goes behind another one, as its browser reports it."""
        self._attend(False)

    def look_back(self):
        self._attend(True)

    def _attend(self, is_seen):
        self.js("""isSeen => {
            Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => isSeen ? 'visible' : 'hidden'});
            Object.defineProperty(document, 'hidden', {configurable: true, get: () => !isSeen});
            document.hasFocus = () => isSeen;
            document.dispatchEvent(new Event('visibilitychange'));
            dispatchEvent(new Event(isSeen ? 'focus' : 'blur'));
        }""", is_seen)

    def is_at_end(self):
        return self.js(AT_END)

    def wait_at_end(self):
        self.wait(AT_END, what="the end of the log")


def fill(peer, count, room="lobby", text="message"):
    """Lets a peer say `count` messages, each acknowledged; returns the number of the last."""
    last = None
    for number in range(1, count + 1):
        last = peer.said(room, f"{text} {number}")
    return last["seq"]
