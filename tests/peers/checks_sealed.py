"""S: sealed messages, with an implementation that is not the program's."""

import json
import os

import sealed_message
from harness import HERE, Skipped, check, expect, expect_equal
from sealed_message import Refused, begin, open_sealed, parse_record, record_of, seal, signing_key, verify_record

PASSPHRASE = "correct horse"


def check_sealed(clauses, title):
    """A check that is not run where the packages of requirements.txt are missing."""
    def register(function):
        def run(bench):
            if sealed_message.MISSING:
                raise Skipped(sealed_message.MISSING)
            function(bench)
        run.__name__ = function.__name__
        return check(clauses, title)(run)
    return register


def cause_of(action):
    try:
        action()
    except Refused as refused:
        return refused.cause
    return None


@check_sealed("S1 to S5", "the vectors are those of an independent implementation")
def vectors(_bench):
    vector = json.loads((HERE.parent.parent / "spec/vectors/sealed.json").read_text())
    epochs = {}
    for epoch in vector["epochs"]:
        record = parse_record(bytes.fromhex(epoch["record"]))
        keys = sealed_message.derive(epoch["passphrase"], epoch["room"], epoch["epoch"], record.salt)
        verify_record(record, keys)
        came = (keys.message.hex(), keys.id.hex(), keys.record.hex(), record.hash.hex(), record.signer.hex())
        expect_equal(came, tuple(epoch[name] for name in ("key", "key_id", "record_key", "hash", "signer")))
        if record.room == "den":
            epochs[record.number] = (record, keys)
    for message in vector["messages"]:
        opened = open_sealed(message["sealed"], "den", message["id"], epochs)
        for name in ("name", "kind", "text", "target", "revision", "counter", "last_seen"):
            expect_equal(getattr(opened, name), message[name], name)
        expect_equal((opened.sender.hex(), opened.hash.hex()), (message["sender"], message["hash"]))
    for refused in vector["refused"]:
        came = cause_of(lambda: open_sealed(refused["sealed"], "den", refused["id"], epochs))
        expect_equal(came, refused["cause"], refused["what"])


@check_sealed("S2 S5", "the independent reader refuses a record that is not accepted for the first cause that holds")
def unknown_records(_bench):
    key, run, message_id = signing_key(7), bytes(16), "0a" * 16
    first = begin("den", 1, None, PASSPHRASE, key)
    second = begin("den", 2, first[0], PASSPHRASE, key)
    third = begin("den", 3, second[0], PASSPHRASE, key)
    step = 2**16
    for accepted, number, previous, cause in [
            ([first], 1, None, "fork"),
            ([first], 2, first[0], "unknown_epoch"),
            ([first], 2, third[0], "fork"),
            ([third], 2, first[0], "fork"),
            ([third], 1, None, "unknown_epoch"),
            ([first], 1 + step, first[0], "unknown_epoch"),
            ([first], 2 + step, first[0], "far_epoch"),
            ([second], 2 + step, first[0], "unknown_epoch"),
            ([], 2**32, first[0], "unknown_epoch")]:
        record, keys = begin("den", number, previous, PASSPHRASE, key)
        field = seal(record, keys, key, "eve", "text", message_id, run, 1)
        epochs = {known.number: (known, known_keys) for known, known_keys in accepted}
        expect_equal(cause_of(lambda: open_sealed(field, "den", message_id, epochs)), cause, f"epoch {number}")


class Room:
    """The program in a sealed room, and a peer in the same one."""

    def __init__(self, bench, server):
        file = bench.folder() / "passphrase"
        file.write_text(f"{PASSPHRASE}\n")
        self.peer = server.event("eve")
        self.peer.ask("join", "joined", room="den")
        self.program = bench.join(server.join_at, "--json", "--name", "bot", "--seal", f"den={file}")
        self.program.type('{"type":"join","room":"den"}\n{"type":"send","room":"den","text":"the secret"}\n')
        announced, said = self.peer.wait("message"), self.peer.wait("message")
        self.record = record_of(announced["sealed"])
        self.keys = sealed_message.derive(PASSPHRASE, "den", self.record.number, self.record.salt)
        verify_record(self.record, self.keys)
        self.epochs = {self.record.number: (self.record, self.keys)}
        opened = open_sealed(said["sealed"], "den", said["id"], self.epochs)
        expect_equal((said["text"], opened.text, opened.name, opened.counter),
                     ("[sealed message]", "the secret", "bot", 2))
        expect("the secret" not in json.dumps(said), "nothing readable", said)
        self.bot_key = opened.sender
        self.key, self.run, self.counter = signing_key(7), os.urandom(16), 0

    def say(self, text, make=None, **options):
        """Sends a sealed message, or what `make` makes of its id; returns its id and field."""
        message_id = os.urandom(16).hex()
        self.counter += 1
        field = make(message_id) if make else seal(
            self.record, self.keys, self.key, "eve", text, message_id, self.run, self.counter, **options)
        self.peer.send("send", room="den", text="", id=message_id, sealed=field)
        return message_id, field

    def shows(self, pattern):
        self.program.wait_text(pattern)


@check_sealed("S3 S4 S7", "the program opens what an independent implementation sealed, and the reverse")
def both_ways(bench):
    with bench.server() as server:
        room = Room(bench, server)
        room.say("good evening, naïve 二")
        room.shows(r'"text":"good evening, naïve 二"')
        room.say("waves", kind="action")
        room.shows(r'"text":"waves","action":true')


@check_sealed("S5 S6", "hostile sealed messages are refused or marked, each for its cause")
def hostile(bench):
    with bench.server() as server:
        room = Room(bench, server)
        room.say("honest")
        room.shows(r'"text":"honest"')

        def with_changed_end(message_id):
            field = seal(room.record, room.keys, room.key, "eve", "bad 1", message_id, room.run, 9)
            data = bytearray(sealed_message.decoded(field))
            data[-1] ^= 1
            return sealed_message.base64.b64encode(bytes(data)).decode().rstrip("=")

        room.say("bad 1", with_changed_end)
        room.shows(r"\[sealed: it was changed on the way")

        attic, attic_keys = begin("attic", 1, None, PASSPHRASE, room.key)
        room.say("bad 2", lambda id: seal(attic, attic_keys, room.key, "eve", "bad 2", id, room.run, 9))
        room.shows(r"\[sealed: it was sealed for the room")

        room.say("bad 3", claimed=room.bot_key)
        room.shows(r"\[sealed: its signature is not that of the key")

        room.say("bad 4", lambda _: seal(
            room.record, room.keys, room.key, "eve", "bad 4", os.urandom(16).hex(), room.run, 9))
        room.shows(r"\[sealed: it was sealed under another message id")

        rival, rival_keys = begin("den", room.record.number, None, PASSPHRASE, room.key)
        room.say("bad 5", lambda id: seal(rival, rival_keys, room.key, "eve", "bad 5", id, room.run, 9))
        room.shows(r"\[sealed: this is under another key of den with the same number")

        far, far_keys = begin("den", room.record.number + 2**16 + 1, room.record, PASSPHRASE, room.key)
        far_id, far_field = room.say("bad 7", lambda id: seal(far, far_keys, room.key, "eve", "bad 7", id, room.run, 9))
        room.shows(r"\[sealed: its key has the number 65538, too far above 1, the newest one here")
        expect_equal(cause_of(lambda: open_sealed(far_field, "den", far_id, room.epochs)), "far_epoch")

        room.say("bad 6", lambda _: "AQID")
        room.shows(r"\[sealed: this is no sealed message")

        room.say("in another name", lambda id: seal(
            room.record, room.keys, room.key, "mallory", "in another name", id, room.run, 20))
        room.shows(r"\[signed by mallory\]")

        room.say("split", last_seen=(1, b"\x07" * 32))
        room.shows(r"members different things\] split")
        expect("bad " not in room.program.out, "nothing of a refused message", room.program.out[-900:])


@check_sealed("S7", "a known name that signs with another key stops the room")
def changed_key(bench):
    with bench.server() as server:
        room = Room(bench, server)
        room.say("honest")
        room.shows(r'"text":"honest"')
        room.key = signing_key(8)
        room.say("an impostor's text")
        room.shows(r"\[sealed: it is signed as eve by another key")
        room.program.type('{"type":"send","room":"den","text":"hello?"}\n')
        room.shows(r'"code":"room_sealed"')
        expect("impostor's text" not in room.program.out, "nothing of it", room.program.out[-600:])


@check_sealed("S7", "the server relays, numbers and stores sealed messages, and does not search them")
def stored(bench):
    with bench.server() as server:
        room = Room(bench, server)
        message_id, field = room.say("findable")
        mine = room.peer.wait("message", id=message_id)
        room.peer.send("send", room="den", text="", id=message_id, sealed=field)
        again = room.peer.wait("message", id=message_id)
        expect_equal((again["seq"], again["sealed"]), (mine["seq"], field))
        page = room.peer.page("den")
        expect(any(message.get("sealed") == field for message in page["messages"]), "it is stored", page)
        for query in ("sealed message", field[:20]):
            found = room.peer.ask("search", "history", room="den", query=query)
            expect_equal(found["messages"], [], query)
        room.peer.send("send", room="den", text="readable", id=os.urandom(16).hex())
        expect_equal(room.peer.wait("error")["code"], "room_sealed")
