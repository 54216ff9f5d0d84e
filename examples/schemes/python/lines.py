"""The JSON lines of a scheme that is a program (docs/scheme-programs.md), for schemes in Python.

A scheme is a class of layers with the methods of `Layer` below, and a class of members with those
of `Member`; `serve` reads requests and prints answers until the end of the input.
"""

import json
import sys


class Fault(Exception):
    """Ends a connection. `kind` is `malformed`, `truncated` or `untrusted`."""

    def __init__(self, kind, text=""):
        super().__init__(text)
        self.kind = kind


class Layer:
    """One side of a connection. `known` is the server's public key: set it to have it remembered."""

    def __init__(self, is_client, own, shared, known, random):
        self.is_client, self.known = is_client, known
        self.state, self.output = "handshaking", b""

    def receive(self, data):
        """Takes bytes that arrived; returns plaintext."""
        raise NotImplementedError

    def send(self, plaintext):
        raise NotImplementedError

    def close(self):
        """Announces that nothing more is sent."""

    def end(self):
        """Judges the end of the stream: a scheme that announces it can tell that it was cut off."""
        if self.state == "open":
            raise Fault("truncated")


class Member:
    """A member of a room, with what it remembers."""

    def __init__(self, name, room, passphrase, own, random):
        raise NotImplementedError

    def seal(self, id, text):
        """Returns `text`, which everyone can read, and `sealed`."""
        return {"text": text}

    def open(self, message):
        """Returns a `text`, a `warning`, or both."""
        return {"text": message["text"]}


def serve(name, layer=None, member=None, public=lambda own: b""):
    layers, members = {}, {}

    def layer_answer(key, call):
        answer, known = {}, layers[key].known
        try:
            answer["plaintext"] = (call(layers[key]) or b"").hex()
        except Fault as fault:
            answer["error"] = {"kind": fault.kind, "text": str(fault)}
        now = layers[key]
        answer.update(state=now.state, output=now.output.hex())
        now.output = b""
        if now.known != known:
            answer["known"] = now.known.hex()
        return answer

    def answer(do, request):
        data = {key: bytes.fromhex(value) for key, value in request.items() if key in BYTES and value is not None}
        key = request.get("layer")
        if do == "hello":
            return {"version": 1, "name": name, "link": layer is not None, "seal": member is not None}
        if do == "public":
            return {"public": public(data["own"]).hex()}
        if do in ("client", "server"):
            layers[key] = layer(do == "client", data["own"], data["shared"], data.get("known"), data["random"])
            return layer_answer(key, lambda new: None)
        if do == "receive":
            return layer_answer(key, lambda open: open.receive(data["bytes"]))
        if do == "send":
            return layer_answer(key, lambda open: open.send(data["plaintext"]))
        if do in ("close", "end"):
            return layer_answer(key, lambda open: getattr(open, do)())
        if do == "member":
            texts = (request[field] for field in ("name", "room", "passphrase"))
            members[request["member"]] = member(*texts, data["own"], data["random"])
            return {}
        if do == "seal":
            return members[request["member"]].seal(request["id"], request["text"])
        if do == "open":
            return members[request["member"]].open(request["message"])
        if do == "forget":
            layers.pop(key, None)
            members.pop(request.get("member"), None)
        return {}  # also to requests of later versions

    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(request["do"], request)), flush=True)


BYTES = ("own", "shared", "known", "random", "bytes", "plaintext")
