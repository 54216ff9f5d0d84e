"""A class: `classroom.py BINARY [--browsers N] [--terminals N] [--rounds N]`.

A teacher hosts, people in browsers and in terminals join by the address and talk in one room, in a
network of their own, from an address that is not this machine's loopback. All must see the same
messages in the same order, and a newcomer must be talking in ten seconds.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

import paths  # noqa: E402, F401
from bidi import Browser  # noqa: E402
from chat import Chat, watch  # noqa: E402
from harness import Program, expect, expect_equal  # noqa: E402

ADDRESS, PORT = "192.0.2.1", 1234
CHROMIUMS = 3
NEWCOMER_S_MAX = 10
PATIENCE = 120


def in_own_network():
    """Runs this script again in a network of its own; no other program is in the way, and none is disturbed."""
    unshare = shutil.which("unshare")
    if not unshare or not shutil.which("ip"):
        sys.exit("NOT RUN: unshare or ip is missing")
    network = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--user", "--map-root-user", "--net"]
    script = f'ip link set lo up && ip address add {ADDRESS}/24 dev lo && exec "$@"'
    if subprocess.run([*network, "sh", "-c", script, "sh", "true"], capture_output=True).returncode != 0:
        sys.exit("NOT RUN: this machine does not permit a network of its own (unshare --net)")
    os.execv(unshare, [*network, "sh", "-c", script, "sh", sys.executable, *sys.argv, "--inside"])


class Terminal:
    """The client for terminals, with one event a line."""

    def __init__(self, binary, name):
        self.name = name
        self.program = Program([binary, "join", f"{ADDRESS}:{PORT}", "--name", name, "--json"])

    def wait_joined(self):
        self.program.wait_text(r'"type":"welcome"', timeout=PATIENCE)

    def say(self, text):
        self.program.type(json.dumps({"type": "send", "text": text}) + "\n")

    def seen(self, since):
        """Numbers and texts of the messages that came live or as history, in their order."""
        messages = {}
        for line in self.program.out.splitlines():
            event = json.loads(line)
            for message in event.get("messages", [event]):
                if message.get("type", "message") == "message" and message["seq"] > since:
                    messages.setdefault(message["seq"], message["text"])
        return list(messages.items())


class Classroom:
    def __init__(self, binary):
        self.binary = binary
        self.teacher = Program([binary, "--listen", f"0.0.0.0:{PORT}", "--name", "teacher"])
        self.teacher.wait_text(rf"http://{re.escape(ADDRESS)}:{PORT}\b", "err", timeout=PATIENCE)
        self.browsers, self.pages, self.terminals = [], [], []

    def join_terminals(self, count):
        self.terminals = [Terminal(self.binary, f"terminal{number}") for number in range(count)]
        for terminal in self.terminals:
            terminal.wait_joined()

    def join_browsers(self, count):
        """Returns the seconds of each from the address to the room."""
        self.browsers = [watch(Browser.chromium()) for _ in range(min(CHROMIUMS, count))]
        return [self.join_page(self.browsers[number % len(self.browsers)], f"browser{number}") for number in range(count)]

    def join_page(self, browser, name):
        page = Chat.opened(browser)
        started = time.monotonic()
        page.join(f"http://{ADDRESS}:{PORT}/", name, timeout=PATIENCE)
        self.pages.append(page)
        return time.monotonic() - started

    def talk(self, rounds):
        """Everybody says something in each round; returns how many messages that are."""
        for number in range(rounds):
            for at in range(max(len(self.pages), len(self.terminals))):
                for people in (self.pages, self.terminals):
                    if at < len(people):
                        people[at].say(f"round {number} of {'a page' if people is self.pages else 'a terminal'}, {at}")
        return rounds * (len(self.pages) + len(self.terminals))

    def newcomer(self):
        """Seconds from the address to the newcomer's first message, with everybody else in the room."""
        started = time.monotonic()
        self.join_page(self.browsers[0], "newcomer")
        self.pages[-1].say("hello, I am new")
        self.pages[-1].wait_message("hello, I am new", timeout=PATIENCE)
        return time.monotonic() - started

    def orders(self, last):
        """What each of them has seen, by name, once all have seen the message of the number `last`."""
        orders = {}
        for page in self.pages:
            page.wait_number(last, timeout=PATIENCE)
            orders[page.text("#self-name")] = page.js(
                "() => [...document.querySelectorAll('#log .message[data-seq]')].map(e =>"
                "  [Number(e.dataset.seq), e.querySelector('.text').textContent])")
        for terminal in self.terminals:
            terminal.program.wait_text(rf'"seq":{last}\b', timeout=PATIENCE)
            orders[terminal.name] = [list(pair) for pair in terminal.seen(0)]
        return orders

    def close(self):
        for browser in self.browsers:
            browser.close()
        for terminal in self.terminals:
            terminal.program.stop()
        self.teacher.stop()


def run(binary, options):
    classroom = Classroom(binary)
    try:
        started = time.monotonic()
        classroom.join_terminals(options.terminals)
        print(f"{options.terminals} terminals joined in {time.monotonic() - started:.1f} s", flush=True)
        started = time.monotonic()
        joined_s = classroom.join_browsers(options.browsers)
        print(f"{options.browsers} browser contexts in {len(classroom.browsers)} Chromium processes joined in "
              f"{time.monotonic() - started:.1f} s; from the address to the room: median {statistics.median(joined_s):.2f} s, "
              f"longest {max(joined_s):.2f} s", flush=True)
        started = time.monotonic()
        count = classroom.talk(options.rounds)
        orders = classroom.orders(count)
        print(f"{count} messages said and seen by all in {time.monotonic() - started:.1f} s", flush=True)
        first = orders[classroom.terminals[0].name if classroom.terminals else "browser0"]
        expect_equal([seq for seq, _ in first], list(range(1, count + 1)), "numbers of the first")
        different = [name for name, seen in orders.items() if seen != first]
        expect(not different, "the same messages in the same order for all", {name: orders[name][:5] for name in different})
        print(f"all {len(orders)} saw the same {len(first)} messages in the same order")
        newcomer_s = classroom.newcomer()
        print(f"a newcomer with only the address was talking after {newcomer_s:.2f} s")
        expect(newcomer_s <= NEWCOMER_S_MAX, f"a newcomer who is talking in {NEWCOMER_S_MAX} s", newcomer_s)
    finally:
        classroom.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--browsers", type=int, default=30, help="isolated browser contexts, in three Chromium processes")
    parser.add_argument("--terminals", type=int, default=30, help="clients in terminals")
    parser.add_argument("--rounds", type=int, default=5, help="messages of each")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        in_own_network()
    run(options.binary.resolve(), options)


if __name__ == "__main__":
    main()
