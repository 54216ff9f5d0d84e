#!/usr/bin/env python3
"""A server's own key, fresh keys for each connection, numbered records (docs/schemes.md)."""

import hashlib
import hmac

from lines import Fault, Layer, serve


class Half:
    """One direction: its keys, and the number of its next record."""

    def __init__(self, session, label):
        self.encryption = hmac.digest(session, label + b" encrypt", "sha256")
        self.authentication = hmac.digest(session, label + b" confirm", "sha256")
        self.number = 0

    def cipher(self, data):
        stream = hashlib.shake_256(self.encryption + self.number.to_bytes(8, "big")).digest(len(data))
        return bytes(byte ^ key for byte, key in zip(data, stream))

    def tag(self, data):
        return hmac.digest(self.authentication, self.number.to_bytes(8, "big") + data, "sha256")

    def seal(self, plaintext):
        data = self.cipher(plaintext)
        record = data + self.tag(data)
        self.number += 1
        return len(record).to_bytes(2, "big") + record

    def open(self, record):
        data, tag = record[:-32], record[-32:]
        if not hmac.compare_digest(tag, self.tag(data)):
            raise Fault("a record was changed, or is not the next one")
        plaintext = self.cipher(data)
        self.number += 1
        return plaintext


P = int(  # group 14 of RFC 3526, in which public keys are powers of 2
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)


def public(secret):
    return pow(2, int.from_bytes(secret, "big"), P).to_bytes(256, "big")


def shared(secret, other):
    number = int.from_bytes(other, "big")
    if not 1 < number < P - 1:
        raise Fault("a key whose secret everybody knows")
    return pow(number, int.from_bytes(secret, "big"), P).to_bytes(256, "big")


class OwnKey(Layer):
    def __init__(self, is_client, own, shared, server, random):
        super().__init__(is_client, own, shared, server, random)
        self.own, self.fresh, self.held = own, random, b""
        self.output = public(random) if is_client else b""

    def derive(self, fresh, own, client, server):
        session = hashlib.sha256(fresh + own + client + server).digest()
        up, down = Half(session, b"to server"), Half(session, b"to client")
        self.sending, self.receiving = (up, down) if self.is_client else (down, up)
        return hmac.digest(session, b"proof", "sha256")

    def handshake(self, message):
        peer, mine, fresh = message[:256], public(self.fresh), shared(self.fresh, message[:256])
        if not self.is_client:
            self.output += mine + self.derive(fresh, shared(self.own, peer), peer, mine)
        elif self.server is None:
            raise Fault("get the server's key from its owner first", untrusted=True)
        elif not hmac.compare_digest(self.derive(fresh, shared(self.fresh, self.server), mine, peer), message[256:]):
            raise Fault("the server does not have the key that you know", untrusted=True)
        self.state = "open"

    def receive(self, data):
        self.held += data
        plaintext, size = b"", 288 if self.is_client else 256
        if self.state == "handshaking" and len(self.held) >= size:
            message, self.held = self.held[:size], self.held[size:]
            self.handshake(message)
        while self.state == "open" and len(self.held) >= (end := 2 + int.from_bytes(self.held[:2], "big")) > 2:
            text, self.held = self.receiving.open(self.held[2:end]), self.held[end:]
            self.state = "open" if text else "peer_closed"
            plaintext += text
        return plaintext

    def send(self, plaintext):
        self.output += self.sending.seal(plaintext)

    def close(self):
        if self.state != "handshaking":
            self.output += self.sending.seal(b"")


serve("own key", OwnKey, public=public)
