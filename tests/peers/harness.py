"""Starting programs, watching what they print, and the registry of checks."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from event_peer import EventPeer
from frames import PATIENCE, FrameStream, Late, parse_address
from tutorial_peer import TutorialPeer

HERE = Path(__file__).resolve().parent
CHECKS = []


class Failure(Exception):
    def __init__(self, expected, came):
        super().__init__(f"expected {expected}, came {came}")
        self.expected, self.came = expected, came


class Skipped(Exception):
    """The machine does not permit this check; the message states what is missing."""


def check(clauses, title, plain_only=None):
    """Registers a check: a function of one `Bench` that raises when the clause does not hold.

    `plain_only` is the reason for which it says nothing through a relay.
    """
    def register(function):
        function.plain_only = plain_only
        CHECKS.append((clauses, title, function))
        return function
    return register


def expect(holds, expected, came):
    if not holds:
        raise Failure(expected, came)


def expect_equal(came, expected, what=""):
    if came != expected:
        raise Failure(f"{what + ': ' if what else ''}{expected!r}", repr(came))


class Program:
    """A child process. Its two outputs are collected by threads, so no pipe ever fills up."""

    def __init__(self, argv, limit_files=None, environment=None):
        def lower_limit():
            import resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit_files, limit_files))
        added = environment or {}
        self.home = tempfile.TemporaryDirectory(prefix="peer-")
        # Nothing of whoever runs the checks is read or written: not their settings, not what they typed.
        foreign = ("XDG_", "GLASSLINE_", "NO_COLOR")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        home = Path(self.home.name)
        own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
               "XDG_STATE_HOME": str(home / ".local" / "state"), "TZ": "UTC", "PYTHONUNBUFFERED": "1"}
        environment.update(own | added)
        self.process = subprocess.Popen(
            [str(word) for word in argv], env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lower_limit if limit_files else None)
        self.pid = self.process.pid
        self._text = {"out": bytearray(), "err": bytearray()}
        self._changed = threading.Condition()
        self._open = 2
        self._threads = [threading.Thread(target=self._collect, args=(key, pipe), daemon=True)
                         for key, pipe in (("out", self.process.stdout), ("err", self.process.stderr))]
        for thread in self._threads:
            thread.start()

    def _collect(self, key, pipe):
        while chunk := os.read(pipe.fileno(), 1 << 16):
            with self._changed:
                self._text[key] += chunk
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def output(self, key):
        with self._changed:
            return bytes(self._text[key])

    @property
    def out(self):
        return self.output("out").decode("utf-8", "replace")

    @property
    def err(self):
        return self.output("err").decode("utf-8", "replace")

    def wait_text(self, pattern, key="out", timeout=PATIENCE):
        """Waits until the output matches; gives the match."""
        deadline = time.monotonic() + timeout
        expression = re.compile(pattern, re.I | re.M)
        with self._changed:
            while True:
                found = expression.search(self._text[key].decode("utf-8", "replace"))
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._open:
                    break
                self._changed.wait(left)
        raise Failure(f"std{key} matching {pattern!r} within {timeout:g} s",
                      f"out={self.out[-600:]!r} err={self.err[-600:]!r}")

    def type(self, text):
        try:
            self.process.stdin.write(text.encode() if isinstance(text, str) else text)
            self.process.stdin.flush()
        except OSError as error:
            raise Failure("a program that reads its stdin", f"{error}; err={self.err[-600:]!r}") from None

    def end_of_input(self):
        self.process.stdin.close()

    def wait_exit(self, timeout=PATIENCE):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"an exit within {timeout:g} s",
                          f"still running; out={self.out[-600:]!r} err={self.err[-600:]!r}") from None
        for thread in self._threads:
            thread.join(1)
        return code

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Always leaves no process behind: asks, then kills, this one process by its pid."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        for thread, pipe in zip(self._threads, (self.process.stdout, self.process.stderr)):
            thread.join(1)
            if not thread.is_alive():
                pipe.close()
        self.home.cleanup()

    def kill(self):
        """As a crash does: no signal handler runs, nothing is written any more."""
        self.process.kill()
        self.process.wait()

    def running(self):
        return self.process.poll() is None


class Server(Program):
    """A server that prints `listening on ADDRESS`; opens peers, and closes them at the end.

    `at` is its address for peers, `join_at` for the program under test: two where a relay is between them.
    """

    def __init__(self, argv, **options):
        super().__init__(argv, **options)
        self.peers = []
        try:
            self.at = self.join_at = self.wait_text(r"^listening on (127\.0\.0\.1:\d+)\r?$")[1]
        except BaseException:
            self.stop()
            raise

    @property
    def address(self):
        return parse_address(self.at)

    def _keep(self, peer):
        self.peers.append(peer)
        return peer

    def bare(self, **options):
        """A connection that has sent nothing yet."""
        return self._keep(FrameStream(self.address, **options))

    def unregistered(self, **options):
        """A tutorial connection that has not given a name."""
        return self._keep(TutorialPeer(self.address, **options))

    def tutorial(self, name, settle=True, **options):
        peer = self._keep(TutorialPeer(self.address, name, **options))
        return peer.settle() if settle else peer

    def event(self, name, **hello):
        return self._keep(EventPeer(self.address, name, **hello))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.close()
        self.stop()


class Bench:
    """What a check gets: ways to start the program under test and its counterparts.

    With `relay`, a program, the program under test speaks the test layer, and its counterparts reach it through relays.
    """

    def __init__(self, binary, relay=None):
        self.binary, self.relay = binary, relay
        self.environment = {"GLASSLINE_TEST_LAYER": "1"} if relay else {}
        self.programs = []
        self.folders = []

    def server(self, *options, **how):
        """Its history is in a home of its own, unless `--history` sets another."""
        server = self._keep(Server([self.binary, "serve", "--listen", "127.0.0.1:0", *options], **self._spoken(how)))
        server.at = self.relayed("to-server", server.at)
        return server

    def refused_server(self, *options, **how):
        """A server that must not start: its exit code and its output."""
        program = self.run("serve", "--listen", "127.0.0.1:0", *options, **how)
        code = program.wait_exit()
        expect(code != 0 and "panicked" not in program.err, "a server that refuses to start, without a panic",
               f"exit code {code}, err={program.err[-600:]!r}")
        return code, program.err

    def folder(self):
        """An empty folder that outlives the servers of this check, for a history that several use in turn."""
        self.folders.append(tempfile.TemporaryDirectory(prefix="peer-"))
        return Path(self.folders[-1].name)

    def tutorial_server(self, *options):
        server = self._keep(Server([sys.executable, HERE / "tutorial_server.py", "--port", "0", *options]))
        server.join_at = self.relayed("to-client", server.at)
        return server

    def relayed(self, direction, at):
        """The address of a relay `to-server` for peers or `to-client` for the program under test; without relays `at`."""
        if not self.relay:
            return at
        return self._keep(Program([self.relay, direction, at])).wait_text(r"^listening on (\S+)$")[1]

    def join(self, address, *options):
        return self.run("join", address, *options)

    def run(self, *options, **how):
        return self._keep(Program([self.binary, *options], **self._spoken(how)))

    def tutorial_client(self, address, name, *options):
        return self._keep(Program([sys.executable, HERE / "tutorial_client.py", address,
                                   "--name", name, *options]))

    def in_own_network(self, script, *options):
        """A script of this folder, for the program under test, in a network of its own with the address 192.0.2.1."""
        address = 'ip link set lo up && ip address add 192.0.2.1/24 dev lo && exec "$@"'
        network = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net", "sh", "-c", address, "sh"]
        try:
            made = subprocess.run([*network, "true"], capture_output=True).returncode == 0
        except OSError:
            made = False
        if not made:
            raise Skipped("`unshare --net` and `ip` make no network of its own here")
        return self._keep(Program([*network, sys.executable, HERE / script, self.binary, *options]))

    def _spoken(self, how):
        return {**how, "environment": {**self.environment, **(how.get("environment") or {})}}

    def _keep(self, program):
        self.programs.append(program)
        return program

    def clean_up(self):
        for program in self.programs:
            program.stop()
        self.programs.clear()
        for folder in self.folders:
            folder.cleanup()
        self.folders.clear()


def wait_until(holds, peer, what, timeout=PATIENCE):
    """For facts that send no event (such as a number in /proc): asks again after each ping of `peer`."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            raise Late(f"{what} did not happen in {timeout:g} s")
        peer.barrier()
