#!/usr/bin/env python3
"""A scheme in Python: a key that both sides know in advance, fresh keys for each connection, and
records that are encrypted, numbered and authenticated. The seal does the same with a passphrase.

Sound against who is on the way, but whoever has the shared key later reads what was recorded: only
an exchange of fresh public keys prevents that. Standard library only.
"""

import base64
import hashlib
import hmac

from lines import Fault, Layer, Member, serve

TAG = 32


def mac(key, *parts):
    """Each part is preceded by its length, so that none can pass for two."""
    return hmac.digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")


class Direction:
    """Keys of one direction, and the number of its next record."""

    def __init__(self, key, label):
        self.encryption, self.authentication = mac(key, label, b"encrypt"), mac(key, label, b"confirm")
        self.number = 0

    def cipher(self, data):
        """Encrypts or decrypts: a block of keystream is the MAC of the record's and the block's number."""
        number = self.number.to_bytes(8, "big")
        blocks = range(0, len(data), 32)
        stream = b"".join(mac(self.encryption, number, at.to_bytes(4, "big")) for at in blocks)
        return bytes(byte ^ key for byte, key in zip(data, stream))

    def tag(self, ciphertext):
        return mac(self.authentication, self.number.to_bytes(8, "big"), ciphertext)

    def seal(self, plaintext):
        ciphertext = self.cipher(plaintext)
        tag = self.tag(ciphertext)
        self.number += 1
        return ciphertext + tag

    def open(self, record):
        ciphertext, tag = record[:-TAG], record[-TAG:]
        if not hmac.compare_digest(tag, self.tag(ciphertext)):
            raise Fault("a record was changed, repeated, left out or reordered on the way")
        plaintext = self.cipher(ciphertext)
        self.number += 1
        return plaintext


class SharedKey(Layer):
    """Both sides send 32 random bytes, then a record that proves the key; an empty record is the end."""

    def __init__(self, is_client, own, shared, server, random):
        super().__init__(is_client, own, shared, server, random)
        self.shared, self.random, self.held, self.sending = shared, random, b"", None
        if is_client:
            self.output = random

    def receive(self, data):
        self.held += data
        if self.sending is None:
            if len(self.held) < 32:
                return b""
            peer, self.held = self.held[:32], self.held[32:]
            self.derive(peer)
        plaintext = b""
        while self.state != "peer_closed" and len(self.held) >= 2:
            size = int.from_bytes(self.held[:2], "big")
            if size < TAG:
                raise Fault("a record is shorter than its tag")
            if len(self.held) < 2 + size:
                break
            record, self.held = self.held[2:2 + size], self.held[2 + size:]
            text = self.receiving.open(record)
            if self.state == "handshaking":
                self.state = "open"  # the record proves that the peer is there now and has the key
            elif not text:
                self.state = "peer_closed"
            plaintext += text
        return plaintext

    def derive(self, peer):
        ours = (self.random, peer) if self.is_client else (peer, self.random)
        key = mac(self.shared, b"connection", *ours)
        labels = (b"to server", b"to client") if self.is_client else (b"to client", b"to server")
        self.sending, self.receiving = (Direction(key, label) for label in labels)
        self.output += (b"" if self.is_client else self.random) + self.record(b"")

    def record(self, plaintext):
        sealed = self.sending.seal(plaintext)
        return len(sealed).to_bytes(2, "big") + sealed

    def send(self, plaintext):
        self.output += self.record(plaintext)

    def close(self):
        if self.sending:
            self.output += self.record(b"")


class Passphrase(Member):
    """Texts under a key from the passphrase; room, id and sender are authenticated with them."""

    def __init__(self, name, room, passphrase, own, random):
        self.name, self.room = name, room
        self.key = hashlib.scrypt(passphrase.encode(), salt=room.encode(), n=1 << 14, r=8, p=1, dklen=32)

    def direction(self, message, sender):
        return Direction(mac(self.key, self.room.encode(), message.encode(), sender.encode()), b"text")

    def seal(self, message, text):
        sealed = base64.b64encode(self.direction(message, self.name).seal(text.encode())).decode()
        return {"text": "[sealed message]", "sealed": sealed}

    def unseal(self, message):
        if not message["sealed"]:
            return {"warning": "not sealed: anyone on the way can have said this"}
        try:
            sealed = base64.b64decode(message["sealed"], validate=True)
            text = self.direction(message["id"], message["from"]).open(sealed)
            return {"text": text.decode()}
        except (Fault, ValueError):
            return {"warning": "sealed with another passphrase, or not by this sender"}


if __name__ == "__main__":
    serve("shared key", SharedKey, Passphrase)
