#!/usr/bin/env python3
"""Relays messages between the lobbies of two servers, both ways: relay.py ADDR ADDR. Needs Python 3."""
import json, subprocess, sys, threading


def join(address):
    program = ["glassline", "join", address, "--json", "--name", "relay"]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")


def carry(here, there):
    try:
        for line in here.stdout:
            event = json.loads(line)
            # Only the relay's own messages come back with a `ref`: relaying them would loop for ever.
            if event["type"] == "message" and "ref" not in event:
                request = {"type": "send", "text": f"{event['from']}: {event['text']}"}
                there.stdin.write(json.dumps(request) + "\n")
                there.stdin.flush()
            elif event["type"] == "error":
                print("not carried:", event["text"], file=sys.stderr)
        # This connection has ended: leave the other one, once it has acknowledged everything.
        there.stdin.close()
    except BrokenPipeError:
        pass  # The other connection has ended, which ends this one too.


one, other = (join(address) for address in sys.argv[1:3])
threads = [threading.Thread(target=carry, args=way) for way in ((one, other), (other, one))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(max(one.wait(), other.wait()))
