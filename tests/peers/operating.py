"""Shared parts of the checks of operators (O): a server with a token, clients that present it, and the notices to each."""

import re
import socket

from checks_event import expect_error
from event_peer import EventPeer
from frames import Ended, new_id
from harness import Skipped, expect, expect_equal

TOKEN = "c0ffee-c0ffee-c0ffee-c0ffee"
LOOKS_LIKE_BOB = ("BOB", "Bob", "b\u043eb", "bo\u042c")  # with letters of Cyrillic: о, Ь
SILENCED = r"\bmuted?\b|\bvoice\b|\bfr[eo]+ze|\bspeak\b"  # what a refusal is about; its wording is free


def operated(bench, *options, token=TOKEN, **how):
    """A server with operators."""
    file = bench.folder() / "token"
    file.write_text(token + "\n")
    file.chmod(0o600)
    return bench.server("--operator-token-file", file, *options, **how)


def operator(server, name="eve", **hello):
    peer = server.event(name, **hello)
    act(peer, f"op {TOKEN}")
    return peer


def operate(peer, line):
    """All that comes in answer to a line, up to a barrier, without its `ref`."""
    peer.send("operate", line=line, ref="o")
    answers = [dict(event) for event in peer.barrier() if event.get("ref") == "o"]
    for event in answers:
        del event["ref"]
    return answers


def act(peer, line):
    """A line that must be carried out; gives its `act`."""
    answers = operate(peer, line)
    expect(answers and answers[0]["type"] == "act", f"an act in answer to {line[:80]!r}", answers)
    return answers[0]


def notice(peer, line):
    """A line that only shows something or changes nothing; gives the words."""
    answers = operate(peer, line)
    expect_equal([event["type"] for event in answers], ["notice"], f"the answers to {line[:80]!r}")
    return answers[0]["text"]


def no_act(peer, code, line):
    """A line that is refused, with nothing else in answer."""
    answers = operate(peer, line)
    expect_equal([event["type"] for event in answers], ["error"], f"the answers to {line[:80]!r}")
    expect_error(answers[0], (code,))


def acts(peer):
    """The acts that this peer was sent up to now, its own among them, without `ref`."""
    peer.barrier()
    return [{key: value for key, value in event.items() if key != "ref"} for event in peer.seen if event["type"] == "act"]


def notices(peer, start=0):
    """Its unsolicited notices."""
    peer.barrier()
    return [event["text"] for event in peer.seen[start:] if event["type"] == "notice" and "ref" not in event]


def answered(peer, text):
    """The server's words that a tutorial member gets from its text on."""
    start = len(peer.received)
    peer.say(text)
    peer.settle()
    return [pair.said for pair in peer.received[start:-1] if pair.is_word]


def expect_notice(peer, pattern):
    """A tutorial member received this notice, or does now."""
    peer.settle()
    expect(any(re.search(pattern, text, re.I | re.S) for text in peer.words()), f"a word matching {pattern!r}", peer.words())


def forms_of_speech(peer, friend):
    """Every request that is speech (O3)."""
    return (("send", {"room": "lobby", "text": "unheard", "id": new_id()}),
            ("send", {"room": "lobby", "text": "unheard", "id": new_id(), "action": True}),
            ("direct", {"to": friend, "text": "unheard", "id": new_id()}),
            ("rename", {"name": f"{peer.name}-unheard"}))


def silent(peer, code, friend):
    for kind, fields in forms_of_speech(peer, friend):
        expect_error(peer.ask(kind, "error", **fields), (code,))


def silent_tutorial(peer, friend, *more):
    for text in ("unheard", "/me unheard", "//unheard", f"/msg {friend} unheard", "/nick unheard", *more):
        words = answered(peer, text)
        expect(any(re.search(SILENCED, word, re.I) for word in words), f"a refusal of {text!r}", words)


def speaks(peer, ear):
    """It is acknowledged, and received."""
    text = f"heard {new_id()}"
    if hasattr(peer, "said"):
        peer.said("lobby", text)
    else:
        peer.say(text)
    ear.wait("message", text=text)


def unheard(ear):
    """Nothing that was refused reached this event peer."""
    ear.barrier()
    expect("unheard" not in str(ear.seen), "nothing of what was refused", [event for event in ear.seen if "unheard" in str(event)])


def thrown_out(peer, code, *facts):
    """An event peer gets `error` without `ref`, then `bye`, then the close (O4)."""
    try:
        while True:
            peer.recv()
    except Ended:
        last = peer.seen[-2:]
    expect_equal([(event["type"], event.get("code"), "ref" in event) for event in last],
                 [("error", code, False), ("bye", None, False)], "the last events")
    for fact in facts:
        expect(fact in last[0]["text"], f"{fact!r} in the reason", last[0])


def thrown_out_tutorial(peer, *facts):
    """A tutorial peer gets one word more, then the close."""
    start = len(peer.received)
    try:
        while True:
            peer.read_pair()
    except Ended:
        pass
    words = [pair.said for pair in peer.received[start:] if not re.search(r"joined$|left$", pair.said)]
    expect(len(words) == 1 and all(fact in words[0] for fact in facts), f"one word with {facts}", words)


def kept_out(server, name, **hello):
    """A `hello` that must be answered with `banned` and a close."""
    peer = EventPeer(server.address)
    server.peers.append(peer)
    kept_out_here(peer, name, **hello)


def kept_out_here(peer, name, **hello):
    peer.send("hello", name=name, **hello)
    expect_equal(peer.recv().get("code"), "banned", f"the answer to hello from {name}")
    expect_equal(peer.read_to_end(), b"", "what else comes before the close")


def kept_out_by_address(server, source):
    """Refused as soon as the dialect is known: behind the ten bytes, and behind one digit (D1)."""
    peer, tom = EventPeer(server.address, source=source), server.unregistered(source=source)
    server.peers.append(peer)
    expect_equal(peer.recv().get("code"), "banned", f"the answer to ten bytes from {source}")
    peer.read_to_end()
    tom.send_raw(b"3")
    pair = tom.read_pair()
    expect(pair.is_word, f"a word for {source}", pair)
    expect_equal(tom.read_to_end(), b"", "what else comes before the close")


def elsewhere(last=2):
    """Another address of this machine to come from."""
    address = f"127.0.0.{last}"
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise Skipped(f"{address} is no address of this machine ({error})") from None
    return address
