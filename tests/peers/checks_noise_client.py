"""N: the client of the program over Noise links, with a server's side that is not the program's."""

import hashlib
import os

import noise_link
from checks_noise import FLIPPED, SPKI_ED25519, check_noise
from harness import expect, expect_equal
from noise_link import REKEY_RECORDS
from noise_relay import NoiseRelay

HANDSHAKE_BYTES = 12 + len("127.0.0.1") + 2 + 32


def joined(bench, relay, *options, **how):
    return bench.run("join", relay.at, "--name", "bot", "--link", "noise", *options, **how)


@check_noise("N2 N5 N6 N7", "join talks in both dialects over a link of another implementation, across rekeys")
def client(bench):
    with bench.server() as server, NoiseRelay(server.address) as relay:
        ann = server.event("ann")
        for number, (dialect, lines) in enumerate({"event": REKEY_RECORDS + 20, "tutorial": 20}.items()):
            bot = joined(bench, relay, "--dialect", dialect)
            ann.wait_named("joined", "bot")
            for line in range(lines):
                ann.said("lobby", f"{dialect} from ann {line}")
                bot.wait_text(rf"{dialect} from ann {line}\b")
                bot.type(f"{dialect} from bot {line}\n")
                ann.wait("message", text=f"{dialect} from bot {line}")
            link = relay.links[number]
            expect(min(link.sent, link.received) > lines, f"{lines} records in each direction", (link.sent, link.received))
            bot.end_of_input()
            expect_equal(bot.wait_exit(), 0, "exit code")
            ann.wait_named("left", "bot")
            expect(getattr(link, "has_ended", False), "the end record of the client", "a close without it")
            ann.seen.clear()


@check_noise("N3 N4", "a client shows its identity to the server that it trusts, the same each time")
def client_identity(bench):
    folder = bench.folder()
    keys = {kind: os.urandom(32) for kind in ("identity", "static")}
    with bench.server() as server, NoiseRelay(server.address, keys) as relay:
        for number in range(2):
            bot = joined(bench, relay, environment={"XDG_STATE_HOME": str(folder)})
            expect(relay.wait(lambda it: len(it.links) == number + 1), "a handshake", bot.err)
            bot.end_of_input()
            expect_equal(bot.wait_exit(), 0, "exit code")
        first, second = (link.peer for link in relay.links)
        expect(first is not None and first == second, "one identity", (first, second))


@check_noise("N4", "a changed key ends the session before anything of the client is sent")
def client_changed_key(bench):
    folder = bench.folder()
    with bench.server() as server, NoiseRelay(server.address) as relay:
        bot = joined(bench, relay, environment={"XDG_STATE_HOME": str(folder)})
        expect(relay.wait(lambda it: it.links), "a handshake", bot.err)
        bot.end_of_input()
        expect_equal(bot.wait_exit(), 0, "exit code")
        bot = joined(bench, relay, environment={"XDG_STATE_HOME": str(folder)})
        expect_equal(bot.wait_exit(), 4, f"exit code ({bot.err})")
        expect(relay.wait(lambda it: len(it.heard) == 2), "a second connection", "none")
        expect_equal((len(relay.heard[1]), len(relay.links)), (HANDSHAKE_BYTES, 1), "bytes that the second server got")
        known = hashlib.sha256(SPKI_ED25519 + noise_link.public_bytes(relay.links[0].identity)).hexdigest()
        expect(known in bot.err, f"the known fingerprint {known}", bot.err)


@check_noise("N8", "join ends with a reason where the server's part was changed or is not its own")
def client_attacked(bench):
    def flipped(at):
        def change(message):
            changed = bytearray(message)
            changed[at] ^= FLIPPED
            return bytes(changed)
        return change

    reasons = {0: "something else than Noise", 2: "changed", 40: "changed", 100: "changed", -1: "changed"}
    with bench.server() as server:
        for at, reason in reasons.items():
            with NoiseRelay(server.address, change=flipped(at)) as relay:
                bot = joined(bench, relay)
                expect_equal(bot.wait_exit(), 4, f"exit code ({bot.err})")
                expect(not relay.links and reason in bot.err, reason, bot.err)
                expect(relay.wait(lambda it: it.heard), "a connection", "none")
                expect_equal(len(relay.heard[0]), HANDSHAKE_BYTES, "bytes of the client")
