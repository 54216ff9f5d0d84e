"""A Noise link (N1 to N9) over a connected socket, with the handshake of PyPI `noiseprotocol`.

    peer = EventPeer(address, "eve", link=NoiseLink)

`Link` is the cryptography without a socket; `NoiseLink` gives it the methods of a socket.
"""

import os
import struct
import warnings

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from noise.connection import Keypair, NoiseConnection
    MISSING = None
except ImportError as error:
    MISSING = f"{error}; python3 -m pip install --target target/python -r tests/peers/requirements.txt"

NAME = b"Noise_XX_25519_ChaChaPoly_SHA256"
LABEL = b"glassline noise static key"
REKEY_RECORDS = 256
PLAINTEXT_MAX = 65_535 - 16


class Refused(Exception):
    """The other side did not keep to the clauses of N."""


class Truncated(Exception):
    """The stream ended without the end record (N7)."""


def public_bytes(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Link:
    """One side's handshake and records. `keys` fixes `identity`, `static` and, for vectors, `ephemeral`: 32 bytes each."""

    def __init__(self, is_client, name=b"127.0.0.1", keys=None, shows_identity=True):
        keys = keys or {kind: os.urandom(32) for kind in ("identity", "static")}
        self.identity = Ed25519PrivateKey.from_private_bytes(keys["identity"])
        self.is_client, self.shows_identity = is_client, shows_identity
        self.peer = None
        self.sent = self.received = 0
        self.offer = b"GLASSNOISE" + bytes([1, len(name)]) + name
        self.noise = NoiseConnection.from_name(NAME)
        self.noise.set_prologue(self.offer)
        (self.noise.set_as_initiator if is_client else self.noise.set_as_responder)()
        self.noise.set_keypair_from_private_bytes(Keypair.STATIC, keys["static"])
        if "ephemeral" in keys:
            self.noise.set_keypair_from_private_bytes(Keypair.EPHEMERAL, keys["ephemeral"])
        with warnings.catch_warnings(action="ignore"):  # one about fixed ephemeral keys
            self.noise.start_handshake()

    def message(self, label=LABEL):
        """The next message of the handshake that this side sends, with its length (N2, N3)."""
        state = self.noise.noise_protocol.handshake_state
        is_first = len(state.message_patterns) == 3
        payload = b""
        if self.shows_identity and not is_first:
            payload = public_bytes(self.identity) + self.identity.sign(label + state.s.public_bytes)
        return framed(bytes(self.noise.write_message(payload)))

    def take_message(self, message):
        """A message of the handshake of the other side, without its length."""
        # The state is gone once the handshake is over, and with it the static key.
        state = self.noise.noise_protocol.handshake_state
        payload = bytes(self.noise.read_message(message))
        if not payload:
            return
        key, signature = payload[:32], payload[32:]
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, LABEL + state.rs.public_bytes)
        except InvalidSignature:
            raise Refused("the identity did not sign the static key (N3)") from None
        self.peer = key

    def seal(self, plaintext):
        """A record, with its length (N5, N6)."""
        record = self.noise.encrypt(plaintext)
        self.sent += 1
        if self.sent % REKEY_RECORDS == 0:
            self.noise.rekey_outbound_cipher()
        return framed(record)

    def open(self, record):
        """The plaintext of a record; empty at the end (N7)."""
        plaintext = self.noise.decrypt(record)
        self.received += 1
        if self.received % REKEY_RECORDS == 0:
            self.noise.rekey_inbound_cipher()
        return plaintext


def framed(message):
    return struct.pack(">H", len(message)) + message


class NoiseLink:
    """A connected socket whose bytes pass a link: the client's side, whose handshake is over when it is there."""

    def __init__(self, sock, **options):
        self.sock, self.link = sock, Link(True, **options)
        self.has_ended = False
        self._held = bytearray()
        sock.sendall(self.link.offer + self.link.message())
        self.link.take_message(self._message())
        if self.link.peer is None:
            raise Refused("the server shows no identity (N2)")
        sock.sendall(self.link.message())

    def _message(self):
        while True:
            if len(self._held) >= 2:
                end = 2 + int.from_bytes(self._held[:2], "big")
                if len(self._held) >= end:
                    message = bytes(self._held[2:end])
                    del self._held[:end]
                    return message
            chunk = self.sock.recv(1 << 16)
            if not chunk:
                raise Truncated("the stream ended without the end record (N7)")
            self._held += chunk

    def sendall(self, data, size=PLAINTEXT_MAX):
        self.sock.sendall(b"".join(self.link.seal(bytes(data[at:at + size])) for at in range(0, len(data), size)))

    def recv(self, _size):
        """The plaintext of one record; empty once the other side has announced its end."""
        if not self.has_ended:
            plaintext = self.link.open(self._message())
            self.has_ended = not plaintext
            return plaintext
        return b""

    def end(self):
        """Announces that nothing more is sent."""
        self.sock.sendall(self.link.seal(b""))

    def __getattr__(self, name):
        """Timeouts, options and the close are the socket's."""
        return getattr(self.sock, name)
