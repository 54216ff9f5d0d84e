"""The JSON lines of a scheme that is a program (docs/scheme-programs.md), for schemes in Python.

A scheme is a class of layers with the methods of `Layer` below, and a class of members with those
of `Member`; `serve` reads requests and prints answers until the end of the input.
"""

import json
import sys


class Fault(Exception):
    """Ends a connection: bytes that break the rules or were changed, or a server that is not trusted."""

    def __init__(self, text, untrusted=False):
        super().__init__(text)
        self.answer = {"untrusted": text} if untrusted else text


class Layer:
    """One side of a connection. `server` is the server's public key: set it to have it remembered."""

    has_end = True  # the end of a stream is announced

    def __init__(self, is_client, own, shared, server, random):
        self.is_client, self.server = is_client, server
        self.state, self.output = "handshaking", b""

    def receive(self, data):
        """Takes bytes that arrived; returns plaintext."""
        raise NotImplementedError

    def send(self, plaintext):
        raise NotImplementedError

    def close(self):
        """Announces that nothing more is sent."""


class Member:
    """A member of a room, with what it remembers."""

    def __init__(self, name, room, passphrase, own, random):
        raise NotImplementedError

    def seal(self, message, text):
        """Returns `text`, which everyone can read, and `sealed`; `message` is the id of the message."""
        return {"text": text}

    def unseal(self, message):
        """Returns a `text`, a `warning`, or both."""
        return {"text": message["text"]}


def serve(name, layer=None, member=None, public=lambda own: b""):
    held = {}  # layers and members by their ids

    def layer_answer(layer, call, **fields):
        server = layer.server
        try:
            fields["plaintext"] = (call() or b"").hex()
        except Fault as fault:
            fields["error"] = fault.answer
        fields.update(state=layer.state, output=layer.output.hex())
        layer.output = b""
        if layer.server != server:
            fields["server"] = layer.server.hex()
        return fields

    def answer(request):
        do, key = request["do"], request.get("id")
        data = {field: bytes.fromhex(request[field]) for field in BYTES if request.get(field) is not None}
        if do == "hello":
            return {"version": 1, "name": name, "link": layer is not None, "seal": member is not None}
        if do == "public":
            return {"public": public(data["own"]).hex()}
        if do == "open":
            is_client = request["role"] == "client"
            held[key] = layer(is_client, data["own"], data["shared"], data.get("server"), data["random"])
            return layer_answer(held[key], lambda: None, has_end=layer.has_end)
        if do in ("receive", "send"):
            return layer_answer(held[key], lambda: getattr(held[key], do)(data["bytes"]))
        if do == "close":
            return layer_answer(held[key], held[key].close)
        if do == "member":
            texts = (request[field] for field in ("name", "room", "passphrase"))
            held[key] = member(*texts, data["own"], data["random"])
        if do == "seal":
            return held[key].seal(request["message"], request["text"])
        if do == "unseal":
            return held[key].unseal(request["message"])
        if do == "drop":
            held.pop(key, None)
        return {}  # also to requests of later versions

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


BYTES = ("own", "shared", "server", "random", "bytes")
