#!/usr/bin/env python3
"""A hook of `glassline tap`: what bob says arrives in capitals. Needs Python 3."""
import json, sys

for line in sys.stdin:
    frame = json.loads(line)
    answer = {key: frame[key] for key in ("connection", "direction", "frame")}
    content = frame["content"]  # a request or an event, where the frame is one
    if frame["speaker"] == "bob" and isinstance(content, dict) and content["type"] == "send":
        answer["set"] = {"text": content["text"].upper()}
    else:
        answer["action"] = "pass"
    print(json.dumps(answer), flush=True)
