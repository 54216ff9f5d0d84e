"""Sealed messages (S1 to S6), with PyNaCl (libsodium) and argon2-cffi (the reference Argon2).

    keys = derive("passphrase", "den", 1, salt)
    record = begin("den", 1, None, "passphrase", signing_key)
    field = seal(record, keys, signing_key, "alice", "hello", message_id, run, counter)
    opened = open_sealed(field, "den", message_id, {record.number: (record, keys)})

Each refusal is a `Refused` whose `cause` is one of S5.
"""

import base64
import binascii
import hashlib
import hmac
import os
import struct
import unicodedata
from dataclasses import dataclass, field

try:
    from argon2.low_level import Type, hash_secret_raw
    from nacl.bindings import (crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open,
                               crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal)
    from nacl.exceptions import BadSignatureError, CryptoError
    from nacl.signing import SigningKey, VerifyKey
    MISSING = None
except ImportError as error:
    MISSING = f"{error}; python3 -m pip install --target target/python -r tests/peers/requirements.txt"

FIELD_MAX = 24_576
STEP_MAX = 2**16  # of a record's number above the newest accepted one (S2)
ZEROS = bytes(32)
KINDS = {1: "text", 2: "action", 3: "edit", 4: "deletion"}
NUMBERS = {kind: number for number, kind in KINDS.items()}


class Refused(Exception):
    """It is not accepted, for this cause (S5)."""

    def __init__(self, cause):
        super().__init__(cause)
        self.cause = cause


@dataclass
class Keys:
    message: bytes
    id: bytes
    record: bytes


@dataclass
class Record:
    room: str
    number: int
    salt: bytes
    previous: bytes
    key_id: bytes
    signer: bytes
    body: bytes
    mac: bytes
    signature: bytes

    @property
    def bytes(self):
        return self.body + self.mac + self.signature

    @property
    def hash(self):
        return hashlib.sha256(self.bytes).digest()


@dataclass
class Opened:
    sender: bytes
    name: str
    kind: str
    target: str
    revision: int
    text: str
    counter: int
    last_seen: int
    run: bytes
    hash: bytes = field(default=b"")


class Reader:
    def __init__(self, data):
        self.rest = data

    def take(self, length):
        if len(self.rest) < length:
            raise Refused("malformed")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def field(self, longest):
        length = self.number(4)
        if length > longest:
            raise Refused("malformed")
        return self.take(length)

    def text(self, longest):
        try:
            return self.field(longest).decode()
        except UnicodeDecodeError:
            raise Refused("malformed") from None

    def version(self):
        if self.number(1) != 1:
            raise Refused("version")

    def end(self):
        if self.rest:
            raise Refused("malformed")


def packed(data):
    return struct.pack(">I", len(data)) + data


def derive(passphrase, room, epoch, salt):
    normal = unicodedata.normalize("NFC", passphrase.strip()).encode()
    secret = hash_secret_raw(normal, salt, time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, type=Type.ID)
    extracted = hmac.digest(ZEROS, secret, "sha256")

    def expand(label):
        info = packed(label) + packed(room.encode()) + struct.pack(">Q", epoch)
        return hmac.digest(extracted, info + b"\x01", "sha256")

    labels = (b"glassline/sealed/1/key", b"glassline/sealed/1/key-id", b"glassline/sealed/1/record-mac")
    return Keys(*(expand(label) for label in labels))


def verify(key, signed, signature, cause):
    try:
        VerifyKey(key).verify(signed, signature)
    except (BadSignatureError, ValueError, TypeError):
        raise Refused(cause) from None


def signed_record(body, mac):
    return b"glassline/sealed/1/record" + packed(body) + mac


def signed_message(associated, body):
    return b"glassline/sealed/1/message" + packed(associated) + body


def begin(room, number, previous, passphrase, signer, salt=None):
    salt = salt or os.urandom(16)
    keys = derive(passphrase, room, number, salt)
    before = previous.hash if previous else ZEROS
    public = bytes(signer.verify_key)
    body = b"\x01" + packed(room.encode()) + struct.pack(">Q", number) + salt + before + keys.id + public
    mac = hmac.digest(keys.record, body, "sha256")
    signature = signer.sign(signed_record(body, mac)).signature
    return Record(room, number, salt, before, keys.id, public, body, mac, signature), keys


def parse_record(data):
    reader = Reader(data)
    reader.version()
    room, number = reader.text(64), reader.number(8)
    salt, previous, key_id, signer = reader.take(16), reader.take(32), reader.take(32), reader.take(32)
    mac, signature = reader.take(32), reader.take(64)
    reader.end()
    if not 1 <= number <= 2**32 or (number == 1) != (previous == ZEROS):
        raise Refused("malformed")
    return Record(room, number, salt, previous, key_id, signer, data[:-96], mac, signature)


def verify_record(record, keys):
    """What a member verifies before it accepts a record (S2)."""
    verify(record.signer, signed_record(record.body, record.mac), record.signature, "record_signature")
    if keys.id != record.key_id:
        raise Refused("wrong_key")
    if not hmac.compare_digest(hmac.digest(keys.record, record.body, "sha256"), record.mac):
        raise Refused("record_forged")


def associated_data(record, message_id, run, counter, last_seen=(0, ZEROS)):
    seq, seen = last_seen
    head = b"\x01" + packed(record.bytes) + bytes.fromhex(message_id) + run
    return head + struct.pack(">QQ", counter, seq) + seen


def content(associated, signer, name, text, kind="text", target=None, revision=0, claimed=None):
    """The plaintext; with `claimed`, another member's public key before the signature of `signer`."""
    body = (claimed or bytes(signer.verify_key)) + packed(name.encode()) + bytes([NUMBERS[kind]])
    body += bytes.fromhex(target or "00" * 16) + struct.pack(">I", revision) + packed(text.encode())
    return body + signer.sign(signed_message(associated, body)).signature


def encode(associated, plaintext, keys):
    nonce = os.urandom(24)
    sealed = aead_seal(plaintext, associated, nonce, keys.message)
    return base64.b64encode(associated + nonce + sealed).decode().rstrip("=")


def seal(record, keys, signer, name, text, message_id, run, counter, last_seen=(0, ZEROS), **options):
    associated = associated_data(record, message_id, run, counter, last_seen)
    return encode(associated, content(associated, signer, name, text, **options), keys)


def decoded(text):
    if len(text) > FIELD_MAX:
        raise Refused("too_long")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed") from None
    if base64.b64encode(data).decode().rstrip("=") != text:
        raise Refused("malformed")
    return data


def record_of(text):
    reader = Reader(decoded(text))
    reader.version()
    return parse_record(reader.field(2**16))


def open_sealed(text, room, message_id, epochs):
    """Opens a field that came in `room` under `message_id`; `epochs`: records and keys by number."""
    data = decoded(text)
    reader = Reader(data)
    reader.version()
    record = parse_record(reader.field(2**16))
    id_inside, run, counter = reader.take(16).hex(), reader.take(16), reader.number(8)
    seq, seen = reader.number(8), reader.take(32)
    if counter == 0 or (seq == 0) != (seen == ZEROS):
        raise Refused("malformed")
    if record.room != room:
        raise Refused("other_room")
    if id_inside != message_id:
        raise Refused("other_message")
    known = epochs.get(record.number)
    if known is None or known[0].bytes != record.bytes:
        verify(record.signer, signed_record(record.body, record.mac), record.signature, "record_signature")
        raise Refused(cause_of_unknown(record, {number: accepted for number, (accepted, _) in epochs.items()}))
    associated = data[:len(data) - len(reader.rest)]
    nonce = reader.take(24)
    try:
        plaintext = aead_open(reader.rest, associated, nonce, known[1].message)
    except (CryptoError, ValueError):
        raise Refused("forged") from None
    if len(plaintext) < 64:
        raise Refused("malformed")
    return read_content(plaintext[:-64], plaintext[-64:], associated, (counter, seq, run, hashlib.sha256(data).digest()))


def cause_of_unknown(record, accepted):
    """Why a record that is not accepted opens nothing; `accepted`: the others by number."""
    before, after = accepted.get(record.number - 1), accepted.get(record.number + 1)
    is_unchained = before and before.hash != record.previous or after and after.previous != record.hash
    if record.number in accepted or is_unchained:
        return "fork"
    if accepted and record.number > max(accepted) + STEP_MAX:
        return "far_epoch"
    return "unknown_epoch"


def read_content(body, signature, associated, placed):
    reader = Reader(body)
    sender = reader.take(32)
    verify(sender, signed_message(associated, body), signature, "signature")
    name, kind = reader.text(64), KINDS.get(reader.number(1))
    target, revision, text = reader.take(16).hex(), reader.number(4), reader.text(16_384)
    reader.end()
    is_about = kind in ("edit", "deletion")
    if kind is None or is_about != (revision > 0) or not is_about and target != "00" * 16:
        raise Refused("malformed")
    counter, seq, run, hashed = placed
    return Opened(sender, name, kind, target if is_about else None, revision, text, counter, seq, run, hashed)


def signing_key(seed):
    return SigningKey(bytes([seed]) * 32)
