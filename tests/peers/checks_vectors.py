"""The golden conversations of `spec/vectors/`, spoken with a real server."""

import json
import time

from frames import Late, frame
from harness import HERE, Failure, check, expect, expect_equal

VECTORS = HERE.parent.parent / "spec" / "vectors"
PAUSE = 0.3  # seconds: the README's word


def unquoted(text):
    """A string of `conversation-tutorial.txt` as bytes."""
    out, position = bytearray(), 1
    while position < len(text) - 1:
        if text[position] != "\\":
            out += text[position].encode()
        elif text[position + 1] == "x":
            out.append(int(text[position + 2:position + 4], 16))
            position += 3
        else:
            out += {"n": b"\n", "t": b"\t"}.get(text[position + 1], text[position + 1].encode())
            position += 1
        position += 1
    return bytes(out)


def pause(peers):
    """Until all that was to be announced is; nothing else may have come."""
    end = time.monotonic() + PAUSE
    for name, peer in peers.items():
        try:
            raise Failure(f"nothing more for {name}", peer.read_frame(end - time.monotonic()))
        except Late:
            pass


def closed(peers, name):
    expect_equal(peers.pop(name).read_to_end(), b"", f"what else came before the close of {name}")


@check("T", "conversation-tutorial.txt, byte for byte")
def tutorial_conversation(bench):
    peers = {}
    with bench.server("--history", "none") as server:
        for line in (VECTORS / "conversation-tutorial.txt").read_text(encoding="utf-8").splitlines():
            words = line.split(" ", 2)
            if not line or line.startswith("#"):
                continue
            if line == "pause":
                pause(peers)
            elif words[1] == "connects":
                peers[words[0]] = server.bare()
            elif words[1] == ">":
                peers[words[0]].send_raw(unquoted(words[2]))
            elif words[1] == "<":
                expect_equal(frame(peers[words[0]].read_frame()), unquoted(words[2]), line)
            else:
                closed(peers, words[0])


def without(event, varies):
    """The event without what differs from run to run, in the messages of a page as well."""
    if isinstance(event, dict):
        worded = event.get("type") in ("error", "bye")
        return {key: without(value, varies) for key, value in event.items()
                if key not in varies and not (worded and key == "text")}
    return [without(entry, varies) for entry in event] if isinstance(event, list) else event


def converse(bench, file, *options):
    conversation = json.loads((VECTORS / file).read_text(encoding="utf-8"))
    peers, first_told = {}, {}
    with bench.server(*options) as server:
        for index, step in enumerate(conversation["steps"]):
            who = step.get("who")
            if "pause" in step:
                pause(peers)
            elif "connects" in step:
                peers[who] = server.bare()
            elif "sends_bytes" in step:
                peers[who].send_raw(step["sends_bytes"].encode())
            elif "sends" in step:
                peers[who].send_raw(frame(json.dumps(step["sends"], ensure_ascii=False)))
            elif "gets" in step:
                came = json.loads(peers[who].read_frame())
                expect_equal(without(came, conversation["varies"]), without(step["gets"], conversation["varies"]),
                             f"{file}, step {index}, {who}")
                for said in [came] if came["type"] == "message" else came.get("messages", []):
                    at = first_told.setdefault((said["room"], said["seq"]), said["at"])
                    expect_equal(said["at"], at, f"{file}, step {index}: the time of a message that is sent again")
            else:
                expect(step.get("is_closed"), "a step of a known kind", step)
                closed(peers, who)
        pause(peers)


@check("E", "conversation-event.json with a server that keeps no history")
def event_conversation(bench):
    converse(bench, "conversation-event.json", "--history", "none")


@check("E7 E8", "conversation-history.json with a server that keeps one")
def history_conversation(bench):
    converse(bench, "conversation-history.json")
