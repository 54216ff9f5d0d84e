"""Members of a --pure server, which sends no notices: a message of another member is the only proof of being in."""

import time

from frames import PATIENCE, Late
from harness import expect


def settle_pure(members):
    """With --pure the server sends no notices, so a message of another member is the only proof of being in.

    The first member speaks until all others hear it, then the second until the first does.
    """
    for speaker in members[:2]:
        deaf = [member for member in members if member is not speaker]
        deadline = time.monotonic() + PATIENCE
        while deaf:
            expect(time.monotonic() < deadline, "members that hear each other", f"{len(deaf)} hear nothing")
            speaker.say("probe")
            deaf = [member for member in deaf if not receives(member)]


def receives(member):
    try:
        return bool(member.read_pair(0.1))
    except Late:
        return False


def next_real(member):
    while (pair := member.read_pair()).text == b"probe":
        pass
    return pair
