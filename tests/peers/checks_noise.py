"""N: Noise links, with an implementation of the handshake that is not the program's."""

import hashlib
import json

import noise_link
from frames import PATIENCE, frame
from harness import HERE, Skipped, check, expect, expect_equal
from noise_link import PLAINTEXT_MAX, REKEY_RECORDS, Link, NoiseLink

THROUGH_RELAY = "a relay stands for the test layer, which is in the place of other links"
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
FLIPPED = 0x80


def check_noise(clauses, title):
    """A check that is not run where the packages of requirements.txt are missing."""
    def register(function):
        def run(bench):
            if noise_link.MISSING:
                raise Skipped(noise_link.MISSING)
            function(bench)
        run.__name__ = function.__name__
        return check(clauses, title, plain_only=THROUGH_RELAY)(run)
    return register


def closed(peer):
    """What came before the server closed the connection, link or not."""
    sock = getattr(peer.sock, "sock", peer.sock)
    sock.settimeout(PATIENCE)
    came = b""
    try:
        while chunk := sock.recv(1 << 16):
            came += chunk
    except ConnectionResetError:
        pass
    return came


def bytes_of(value):
    return bytes.fromhex(value["hex"])


@check_noise("N1 to N7", "the vectors are those of an independent implementation")
def vectors(_bench):
    vector = json.loads((HERE.parent.parent / "spec/vectors/noise.json").read_text())["conversation"]
    keys = {side: {kind: bytes_of(key) for kind, key in vector[side].items()} for side in ("client", "server")}
    name = bytes_of(vector["offer"])[12:]
    sides = {side: Link(side == "client", name, keys[side]) for side in keys}
    expect_equal(sides["client"].offer, bytes_of(vector["offer"]))
    for number, sender, receiver in ((1, "client", "server"), (2, "server", "client"), (3, "client", "server")):
        message = sides[sender].message()
        expect_equal(message, bytes_of(vector[f"message_{number}"]), f"message {number}")
        sides[receiver].take_message(message[2:])
    for record in vector["records"]:
        sender = sides[record["from"]]
        receiver = sides["server" if sender is sides["client"] else "client"]
        while sender.sent < record["number"]:
            receiver.open(sender.seal(vector["unlisted"].encode())[2:])
        sealed = sender.seal(record["plaintext"].encode())
        expect_equal(sealed, bytes_of(record["bytes"]), f"record {record['number']} of the {record['from']}")
        expect_equal(receiver.open(sealed[2:]), record["plaintext"].encode())


@check_noise("N5 N6", "members of both dialects talk over links, with a plain one, across rekeys")
def conversation(bench):
    with bench.server() as server:
        eve = server.event("eve", link=NoiseLink)
        tom = server.tutorial("tom", link=NoiseLink)
        ann = server.event("ann")
        for number in range(REKEY_RECORDS + 20):
            eve.said("lobby", f"from eve {number}")
            ann.wait("message", text=f"from eve {number}")
            expect_equal(tom.next_said(), (b"eve", f"from eve {number}".encode()))
        for number in range(REKEY_RECORDS + 20):
            tom.say(f"from tom {number}")
            eve.wait("message", text=f"from tom {number}")
        for peer in (eve, tom):
            link = peer.sock.link
            expect(min(link.sent, link.received) > REKEY_RECORDS, "a rekey in both directions", (link.sent, link.received))
        ann.said("lobby", "from ann")
        eve.wait("message", text="from ann")


@check_noise("N3 N4 E3", "the server's identity is the one it prints, and whois names that of a member")
def identities(bench):
    with bench.server() as server:
        eve = server.event("eve", link=NoiseLink)
        anonymous = server.event("nobody", link=lambda sock: NoiseLink(sock, shows_identity=False))
        printed = server.wait_text(r"noise: .*\(([0-9a-f]{64})\)", "err")[1]
        expect_equal(hashlib.sha256(SPKI_ED25519 + eve.sock.link.peer).hexdigest(), printed)
        expect_equal(anonymous.sock.link.peer, eve.sock.link.peer)
        key = noise_link.public_bytes(eve.sock.link.identity).hex()
        found = {name: eve.ask("whois", "whois", name=name) for name in ("eve", "nobody")}
        expect_equal((found["eve"]["link"], found["eve"].get("key")), ("noise", key))
        expect_equal((found["nobody"]["link"], found["nobody"].get("key")), ("noise", None))


@check_noise("N3", "an identity that did not sign the static key is refused")
def stolen_identity(bench):
    with bench.server() as server:
        ann = server.event("ann")
        peer = server.bare()
        link = Link(True)
        peer.send_raw(link.offer + link.message())
        link.take_message(peer_message(peer))
        peer.send_raw(link.message(label=b"glassline another statement") + link.seal(b"GLASSLINE2"))
        expect_equal(closed(peer), b"")
        server.wait_text(r"does not own the identity", "err")
        ann.barrier()


def peer_message(peer):
    """The next message of a bare connection, without its length."""
    while len(peer.buffer) < 2 or len(peer.buffer) < 2 + int.from_bytes(peer.buffer[:2], "big"):
        peer.buffer += peer.recv_chunk()
    end = 2 + int.from_bytes(peer.buffer[:2], "big")
    message = bytes(peer.buffer[2:end])
    del peer.buffer[:end]
    return message


@check_noise("N5", "a record of any length up to the longest is accepted, and its bounds mean nothing")
def lengths(bench):
    with bench.server() as server:
        ann, tom = server.tutorial("ann"), server.tutorial("tom", link=NoiseLink)
        texts = [b"%04d" % number * 1_000 for number in range(40)]
        stream = b"".join(frame(text) for text in texts)
        tom.sock.sendall(stream[:PLAINTEXT_MAX])
        tom.sock.sendall(stream[PLAINTEXT_MAX:], 1_000)
        for text in texts:
            expect_equal(ann.next_said(), (b"tom", text))
        tom.sock.sendall(frame(b"a byte in each record"), 1)
        expect_equal(ann.next_said(), (b"tom", b"a byte in each record"))


@check_noise("N7", "both sides announce their end, and a stream without it was cut off")
def ends(bench):
    with bench.server() as server:
        ann = server.event("ann")
        eve = server.event("eve", link=NoiseLink)
        eve.send("bye")
        eve.wait("bye")
        eve.sock.end()
        expect_equal(eve.read_to_end(), b"")
        expect(eve.sock.has_ended, "the server's end record", "a close without it")
        ann.wait_named("left", "eve")
        cut = server.event("cut", link=NoiseLink)
        cut.close()
        ann.wait_named("left", "cut")


@check_noise("N8", "a record that was changed, repeated or left out ends that connection only")
def attacked_records(bench):
    def changed(link):
        record = bytearray(link.seal(frame('{"type":"ping"}')))
        record[-1] ^= FLIPPED
        return bytes(record)

    def repeated(link):
        return link.seal(frame('{"type":"ping"}')) * 2

    def left_out(link):
        link.seal(frame('{"type":"ping"}'))
        return link.seal(frame('{"type":"ping"}'))

    def short(_link):
        return b"\x00\x0f" + bytes(15)

    def plaintext(_link):
        return frame('{"type":"ping"}')

    with bench.server() as server:
        ann = server.event("ann")
        for attack in (changed, repeated, left_out, short, plaintext):
            eve = server.event("eve", link=NoiseLink)
            eve.sock.sock.sendall(attack(eve.sock.link))
            if attack is plaintext:  # as a length it announces more than was sent
                eve.sock.sock.sendall(bytes(1 << 16))
            closed(eve)
            ann.wait_named("left", "eve")
            ann.seen.clear()
        ann.barrier()


@check_noise("N1 N2", "a handshake that breaks the rules is refused with the reason in the log")
def attacked_handshakes(bench):
    offer = Link(True).offer
    attacks = {
        b"GLASSNOISE\x02": r"version 1 of the Noise link, not 2",
        b"GLASSNOISE\x01\x00": r"names no server",
        offer + b"\x00\x00": r"32 bytes, not 0",
        offer + b"\xff\xff": r"32 bytes, not 65535",
        offer + b"\x00\x20" + bytes(32) + b"\x00\xa0" + bytes(160): r"message 3 .*changed on the way",
    }
    with bench.server() as server:
        for bytes_sent, reason in attacks.items():
            peer = server.bare()
            peer.send_raw(bytes_sent)
            closed(peer)
            server.wait_text(reason, "err")
        # The message of another session: its keys are not those of this one.
        first, second = server.bare(), server.bare()
        link = Link(True)
        first.send_raw(link.offer + link.message())
        link.take_message(peer_message(first))
        message_3 = link.message()
        second.send_raw(link.offer + b"\x00\x20" + bytes(range(32)))
        peer_message(second)
        second.send_raw(message_3)
        expect_equal(closed(second), b"")
        # The session that it belongs to takes it.
        first.send_raw(message_3 + link.seal(b"GLASSLINE2" + frame('{"type":"hello","name":"eve"}')))
        expect(b'"welcome"' in link.open(peer_message(first)), "a welcome", "something else")


@check_noise("N D", "a link inside a link is refused with a line")
def nested(bench):
    with bench.server() as server:
        outer = server.event(None, link=NoiseLink, magic=False)
        inner = Link(True)
        outer.send_raw(inner.offer + inner.message())
        expect(b"protected already" in outer.read_to_end(), "a line with the reason", "another end")
        expect(outer.sock.has_ended, "the server's end record", "a close without it")
        server.wait_text(r'reason="nested_link"', "err")
