"""A correct client of the tutorial dialect, for the checks (T1 to T6)."""

import re
import time
from typing import NamedTuple

from frames import PATIENCE, FrameStream, Late, frame


class Pair(NamedTuple):
    name: bytes
    text: bytes

    @property
    def who(self):
        return self.name.decode("utf-8", "replace")

    @property
    def said(self):
        return self.text.decode("utf-8", "replace")

    @property
    def is_word(self):
        """True for the server's own words (T9)."""
        return self.name == b"*"


class TutorialPeer(FrameStream):
    """`received` keeps every pair that ever came, so that a failing check can show it."""

    def __init__(self, address, name=None, **options):
        super().__init__(address, **options)
        self.received = []
        self._name = None  # a name frame whose text has not arrived yet
        self._settled = 0
        if name is not None:
            self.say(name)

    def say(self, text):
        self.send_raw(frame(text))

    def read_pair(self, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        if self._name is None:
            self._name = self.read_frame(timeout)
        text = self.read_frame(deadline - time.monotonic())
        pair, self._name = Pair(self._name, text), None
        self.received.append(pair)
        return pair

    def next_said(self, timeout=PATIENCE):
        """The next pair that another person said, past the server's own words."""
        return self._wait(lambda pair: not pair.is_word, "a message from a person", timeout)

    def wait_word(self, pattern, timeout=PATIENCE):
        """The next `*` pair whose text matches; anything else that comes first is only kept in `received`."""
        return self._wait(lambda pair: pair.is_word and re.search(pattern, pair.said, re.I | re.S),
                          f"a `*` pair matching {pattern!r}", timeout)

    def until_named(self, name):
        """Until a word of the server names this person: mostly, until its arrival is announced.

        Somebody who leaves before that might never be announced at all (T11 batches).
        """
        pattern = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
        if not any(re.search(pattern, text) for text in self.words()):
            self.wait_word(pattern)

    def until_left(self, name):
        """Until the departure of this person is announced."""
        name = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
        pattern = rf"{name}.*\bleft\b|\bleft\b.*{name}"
        if not any(re.search(pattern, text, re.I | re.S) for text in self.words()):
            self.wait_word(pattern)

    def _wait(self, wanted, what, timeout):
        deadline = time.monotonic() + timeout
        start = len(self.received)
        while True:
            try:
                pair = self.read_pair(deadline - time.monotonic())
            except Late:
                raise Late(f"{what} did not come in {timeout:g} s; received {self.received[start:][-12:]}") from None
            if wanted(pair):
                return pair

    def settle(self):
        """Returns once the server has worked through everything sent so far.

        The dialect has no ping, but an unknown command must be answered (T10). Not for --pure.
        """
        self._settled += 1
        self.say(f"/nosuch{self._settled}")
        self.wait_word(rf"nosuch{self._settled}\b|unknown|no such")
        return self

    def words(self):
        return [pair.said for pair in self.received if pair.is_word]

    def said_by_people(self):
        return [(pair.who, pair.said) for pair in self.received if not pair.is_word]


def pairs_in(data):
    """Pairs in a piece of the stream, and whether it ends exactly at the end of a pair."""
    pairs, position, frames = [], 0, []
    while position + 10 <= len(data):
        length = int(data[position:position + 10])
        if position + 10 + length > len(data):
            break
        frames.append(bytes(data[position + 10:position + 10 + length]))
        position += 10 + length
    for index in range(0, len(frames) - 1, 2):
        pairs.append(Pair(frames[index], frames[index + 1]))
    return pairs, position == len(data) and len(frames) % 2 == 0
