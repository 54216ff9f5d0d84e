"""WebDriver BiDi (W3C): one connection to a browser, its commands and its events.

Chromium speaks it through chromedriver, Firefox by itself.
"""

import itertools
import json
import os
import shutil
import time
import urllib.request

from harness import Failure, Program, Skipped
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

COMMAND_S = 40  # seconds that a browser may take for one command

CHROMIUM_ARGUMENTS = [
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    # Pages behind other windows run on, as those of thirty people on thirty machines do.
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]


class CommandFailed(Exception):
    """The browser refused a command."""


class Browser:
    """A browser without windows on a screen. `events` keeps everything that it reported since `take_events`."""

    def __init__(self, url, programs, capabilities=None):
        self.programs = programs
        self.events = []
        self._ids = itertools.count(1)
        self._socket = connect(url, max_size=None, compression=None, legacy=True)
        if capabilities is not None:
            self.call("session.new", capabilities=capabilities)

    @classmethod
    def chromium(cls, host_rules=""):
        """Chromium, in which `host_rules` say where the addresses of hosts that do not exist lead."""
        binary, driver = found("chromium"), found("chromedriver")
        program = Program([driver, "--port=0"])
        try:
            port = program.wait_text(r"started successfully on port (\d+)", timeout=COMMAND_S)[1]
            arguments = [*CHROMIUM_ARGUMENTS, f"--host-resolver-rules={host_rules}"]
            if os.geteuid() == 0:
                arguments.append("--no-sandbox")  # which root cannot set up
            options = {"browserName": "chrome", "webSocketUrl": True, "acceptInsecureCerts": True,
                       "goog:chromeOptions": {"binary": binary, "args": arguments}}
            body = json.dumps({"capabilities": {"alwaysMatch": options}}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{port}/session", body,
                                             {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=2 * COMMAND_S) as answer:
                url = json.load(answer)["value"]["capabilities"]["webSocketUrl"]
            return cls(url, [program])
        except BaseException:
            program.stop()
            raise

    @classmethod
    def firefox(cls):
        program = Program([found("firefox-esr"), "--headless", "--no-remote", "--remote-debugging-port", "0"])
        try:
            url = program.wait_text(r"BiDi listening on (ws://\S+)", "err", timeout=2 * COMMAND_S)[1]
            return cls(f"{url}/session", [program], {})
        except BaseException:
            program.stop()
            raise

    def call(self, method, /, within_s=COMMAND_S, **params):
        """A command and its result; events that come before the result are kept."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        deadline = time.monotonic() + within_s
        while True:
            message = self._receive(deadline, method)
            if message.get("id") == number:
                if message["type"] == "error":
                    raise CommandFailed(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def wait_event(self, method):
        """Parameters of the next event of this kind that is not taken yet; those before it stay."""
        deadline = time.monotonic() + COMMAND_S
        while True:
            for at, event in enumerate(self.events):
                if event["method"] == method:
                    return self.events.pop(at)["params"]
            self._receive(deadline, f"with {method}")

    def take_events(self):
        """Everything that happened before this call, and is not taken yet."""
        self.call("session.status")
        taken, self.events = self.events, []
        return taken

    def _receive(self, deadline, what):
        try:
            message = json.loads(self._socket.recv(timeout=max(deadline - time.monotonic(), 0)))
        except TimeoutError:
            raise Failure(f"an answer of the browser to {what} in time", "nothing") from None
        except ConnectionClosed as error:
            raise Failure(f"a browser that answers {what}", f"the end of its connection: {error}") from None
        if message["type"] == "event":
            self.events.append(message)
        return message

    def close(self):
        try:
            self.call("browser.close")
        except (CommandFailed, Failure):
            pass  # it ends with its program
        self._socket.close()
        for program in self.programs:
            program.stop()


def found(name):
    path = shutil.which(name)
    if not path:
        raise Skipped(f"{name} is missing")
    return path


