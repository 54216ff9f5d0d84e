#!/usr/bin/env python3
"""A scheme of one's own (docs/schemes.md): fresh keys, the server's proof, numbered records."""
import hashlib, hmac, json, sys

# Group 14 of RFC 3526, in which 2 generates the keys of the exchange.
P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879"
        "8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B"
        "0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA4836"
        "1C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804"
        "F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6"
        "955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16)
KEY, TAG = 256, 32


def public(secret):
    return pow(2, int.from_bytes(secret, "big"), P).to_bytes(KEY, "big")


def shared(secret, other):
    number = int.from_bytes(other, "big")
    if not 1 < number < P - 1:
        raise ValueError("the peer's key gives a secret that everybody knows")
    return pow(number, int.from_bytes(secret, "big"), P).to_bytes(KEY, "big")


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


class Half:
    """One direction: its key, and the number of its next record."""

    def __init__(self, session, label):
        self.key, self.number = mac(session, label), 0

    def crypt(self, data):
        stream = hashlib.shake_256(self.key + b"stream" + self.number.to_bytes(8, "big")).digest(len(data))
        return bytes(a ^ b for a, b in zip(data, stream))

    def tag(self, data):
        return mac(self.key, self.number.to_bytes(8, "big") + data)


class Layer:
    def __init__(self, role, own, server, random):
        self.role, self.own, self.server, self.fresh = role, own, server, random
        self.state, self.held, self.output = "handshaking", b"", b""
        if role == "client":
            self.output = public(random)

    def start(self, fresh, own, client, server):
        session = hashlib.sha256(fresh + own + client + server).digest()
        up, down = Half(session, b"to server"), Half(session, b"to client")
        self.sending, self.receiving = (up, down) if self.role == "client" else (down, up)
        self.state = "open"
        return mac(session, b"proof")

    def receive(self, data):
        self.held += data
        plaintext, size = b"", KEY + (TAG if self.role == "client" else 0)
        if self.state == "handshaking":
            if len(self.held) < size:
                return plaintext
            message, self.held = self.held[:size], self.held[size:]
            peer, mine = message[:KEY], public(self.fresh)
            if self.role == "server":
                proof = self.start(shared(self.fresh, peer), shared(self.own, peer), peer, mine)
                self.output += mine + proof
            elif not self.server:
                raise ValueError("get the server's key from its owner first")
            else:
                proof = self.start(shared(self.fresh, peer), shared(self.fresh, self.server), mine, peer)
                if not hmac.compare_digest(proof, message[KEY:]):
                    raise ValueError("the server does not have its key")
        while self.state == "open" and len(self.held) >= 2:
            end = 2 + int.from_bytes(self.held[:2], "big")
            if len(self.held) < end:
                break
            record, self.held = self.held[2:end], self.held[end:]
            data, half = record[:-TAG], self.receiving
            if not hmac.compare_digest(half.tag(data), record[-TAG:]):
                raise ValueError("a record was changed, or is not the next one")
            plaintext += half.crypt(data)
            half.number += 1
            if not data:
                self.state = "peer_closed"
        return plaintext

    def send(self, data):
        data, half = self.sending.crypt(data), self.sending
        record = data + half.tag(data)
        half.number += 1
        self.output += len(record).to_bytes(2, "big") + record


layers = {}
for line in sys.stdin:
    ask, answer = json.loads(line), {}
    data = {name: bytes.fromhex(ask.get(name) or "") for name in ("own", "server", "random", "bytes")}
    if ask["do"] == "public":
        answer["public"] = public(data["own"]).hex()
    elif ask["do"] == "open":
        layers[ask["id"]] = Layer(ask["role"], data["own"], data["server"], data["random"])
    elif ask["do"] == "drop":
        layers.pop(ask["id"], None)
    layer = layers.get(ask.get("id"))
    try:
        if layer and ask["do"] == "receive":
            answer["plaintext"] = layer.receive(data["bytes"]).hex()
        elif layer and ask["do"] == "send":
            layer.send(data["bytes"])
        elif layer and ask["do"] == "close" and layer.state != "handshaking":
            layer.send(b"")
    except ValueError as error:
        answer["error"] = str(error)
    if layer:
        answer.update(state=layer.state, output=layer.output.hex())
        layer.output = b""
    print(json.dumps(answer), flush=True)
