#!/usr/bin/env python3
"""Carries what is said in the lobby of one line to that of another, both ways: relay.py ADDR ADDR. Needs Python 3."""
import json, subprocess, sys, threading


def join(address):
    program = ["glassline", "join", address, "--json", "--name", "relay"]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")


def carry(here, there):
    try:
        for line in here.stdout:
            event = json.loads(line)
            # Only the relay's own words come back with a `ref`: carried on, they would go round for ever.
            if event["type"] == "message" and "ref" not in event:
                request = {"type": "send", "text": f"{event['from']}: {event['text']}"}
                there.stdin.write(json.dumps(request) + "\n")
                there.stdin.flush()
            elif event["type"] == "error":
                print("not carried:", event["text"], file=sys.stderr)
        # This line is gone: the other one is left, once it has acknowledged everything.
        there.stdin.close()
    except BrokenPipeError:
        pass  # The other line is gone, and ends this one.


one, other = (join(address) for address in sys.argv[1:3])
threads = [threading.Thread(target=carry, args=way) for way in ((one, other), (other, one))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(max(one.wait(), other.wait()))
