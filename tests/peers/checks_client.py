"""The `join` client, and the original programs, each against the other side's server."""

import json
import re
import socket
import time

from frames import PATIENCE, PROMPT, frame
from harness import Failure, check, expect, expect_equal


def expect_exit(program, code=0):
    came = program.wait_exit()
    expect(came == code, f"exit code {code}", f"{came}; err={program.err[-600:]!r}")
    expect("panicked" not in program.err, "no panic", program.err[-600:])


def member_of_tutorial_server(server, name):
    peer = server.tutorial(name, settle=False)
    server.wait_text(rf"accepted '{name}'", "err")
    return peer


def conversation(server, ear, bot):
    """Both ways, then the end of stdin: everything typed was received, exit code 0."""
    bot.type("hello from bot\n")
    pair = ear.next_said()
    expect_equal((pair.who, pair.said), ("bot", "hello from bot"))
    ear.say("welcome, naïve 二 🙂")
    bot.wait_text(r"^.*\bear\b.*welcome, naïve 二 🙂")
    bot.type("one\ntwo\nlast without a newline")
    bot.end_of_input()
    expect_equal([ear.next_said().said for _ in range(3)], ["one", "two", "last without a newline"])
    expect_exit(bot)
    expect("hello from bot" not in bot.err, "data on stdout only", bot.err)


@check("D E", "join on our server, each dialect: sends stdin, prints what it receives, leaves at EOF with 0")
def join_own_server(bench):
    for dialect in ([], ["--dialect", "auto"], ["--dialect", "event"], ["--dialect", "tutorial"]):
        with bench.server() as server:
            ear = server.tutorial("ear")
            bot = bench.join(server.join_at, "--name", "bot", *dialect)
            conversation(server, ear, bot)
            ear.until_named("bot")
            ear.until_left("bot")


@check("D3", "join on the original server: no answer to GLASSLINE2, falls back after 1 s and says so")
def fall_back(bench):
    for forgotten in ("next-accept", "never", "close"):
        with bench.tutorial_server("--forgotten", forgotten) as server:
            ear = member_of_tutorial_server(server, "ear")
            start = time.monotonic()
            bot = bench.join(server.join_at, "--name", "bot", "--dialect", "auto")
            bot.wait_text(r"tutorial", "err")
            took = time.monotonic() - start
            if forgotten != "close":  # a close is an answer, waiting on would be for nothing
                expect(0.9 < took < 1 + PROMPT, "one second of patience", f"{took:.2f} s ({forgotten})")
            server.wait_text(r"accepted 'bot'", "err")
            conversation(server, ear, bot)
            server.wait_text(r"closed 'bot'", "err")


@check("D3 T1", "join --dialect tutorial on the original server: at once, without the event dialect's ten bytes")
def dialect_tutorial(bench):
    with bench.tutorial_server() as server:
        ear = member_of_tutorial_server(server, "ear")
        bot = bench.join(server.join_at, "--name", "bot", "--dialect", "tutorial")
        server.wait_text(r"accepted 'bot'", "err")
        conversation(server, ear, bot)
        expect("forgot" not in server.err, "no connection that gave no name", server.err)


@check("E4", "a thousand lines and EOF at once: all are heard, in order, before it exits with 0")
def all_acknowledged(bench):
    lines = [f"line {number}" for number in range(1000)]
    for dialect in ("event", "tutorial"):
        with bench.server() as server:
            ear = server.tutorial("ear")
            bot = bench.join(server.join_at, "--name", "bot", "--dialect", dialect)
            bot.type("\n".join(lines) + "\n")
            bot.end_of_input()
            expect_exit(bot)
            expect_equal([ear.next_said().said for _ in lines], lines, f"what the {dialect} dialect sent")
            ear.until_left("bot")
            expect_equal(len(ear.said_by_people()), len(lines))


@check("E1", "join --json: JSON Lines, the schema's version first, messages with from and text")
def json_lines(bench):
    text = 'naïve "二" \\ \x1b tab\tend'
    for start in (bench.server, bench.tutorial_server):
        with start() as server:
            ours = start == bench.server
            ear = server.tutorial("ear") if ours else member_of_tutorial_server(server, "ear")
            bot = bench.join(server.join_at, "--name", "bot", "--json")
            bot.type('{"type":"send","text":"hello"}\n')
            expect_equal(ear.next_said().said, "hello")
            ear.say(text)
            bot.wait_text(r'"text":\s*"na(ï|\\u00ef)ve')
            bot.end_of_input()
            expect_exit(bot)
            expect(b"\x1b" not in bot.output("out"), "control characters escaped", bot.out)
            events = [json.loads(line) for line in bot.out.splitlines()]
            expect(any(re.search("schema|version", key, re.I) for key in events[0]),
                   "the schema's version first", events[0])
            expect(all(isinstance(event.get("type"), str) for event in events[1:]), "a type in each event", events)
            received = [(event["from"], event["text"]) for event in events
                     if event.get("type") == "message" and event["from"] == "ear"]
            clean = text.replace("\x1b", "\ufffd")
            if not ours:  # the original server cleans nothing; the client may, or leave it to JSON's escapes
                received = [(who, said.replace("\x1b", "\ufffd")) for who, said in received]
            expect_equal(received, [("ear", clean)])


@check("T12", "join sanitises again: the original server relays what could move a terminal")
def sanitised(bench):
    with bench.tutorial_server() as server:
        evil = server.tutorial("ev\x1b]0;il", settle=False)
        server.wait_text(r"accepted 'ev", "err")
        bot = bench.join(server.join_at, "--name", "bot", "--dialect", "tutorial")
        server.wait_text(r"accepted 'bot'", "err")
        for text in ("\x1b]52;c;aGk=\x07", "\x1b[6n", "\x9b6n", "\x1b]0;unterminated", "\u202eover", "a\rb",
                     b"\xff\xfe raw"):
            evil.say(text)
        evil.say("the end")
        bot.wait_text(r"the end")
        for key in ("out", "err"):
            shown = bot.output(key).decode("utf-8", "replace")
            expect(not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown),
                   "no control or override character", ascii(shown))
            bot.output(key).decode()  # UTF-8 whatever came in
        bot.end_of_input()
        expect_exit(bot)


@check("T1 T4", "join reads pairs in any slicing, and header forms of other programs")
def join_reads_slices(bench):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        at = bench.relayed("to-client", "127.0.0.1:%d" % listener.getsockname()[1])
        bot = bench.join(at, "--name", "bot", "--dialect", "tutorial")
        line, _ = listener.accept()
        with line:
            line.settimeout(PATIENCE)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            name = frame("bot")
            received = b""
            while len(received) < len(name):
                received += line.recv(1)
            expect_equal(received, name, "the first frame")
            for byte in frame("ann") + frame("bit by bit, 二 🙂"):
                line.sendall(bytes([byte]))
            line.sendall(b"         3bob 5        hello" + b"0000000003cyd0000000002hi")
            many = b"".join(frame("dan") + frame(f"number {number}") for number in range(3000))
            line.sendall(many)
            for pattern in (r"ann.*bit by bit, 二 🙂", r"bob.*hello", r"cyd.*hi", r"dan.*number 2999$"):
                bot.wait_text(pattern)
            expect_equal(len(re.findall(r"dan.*number \d+$", bot.out, re.M)), 3000, "lines printed")
            bot.end_of_input()
            while line.recv(1 << 16):  # it may or may not say /exit, but it must close
                pass
        expect_exit(bot)


@check("L", "join: 3 where nobody listens, 4 where the name is refused")
def exit_codes(bench):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bot = bench.join(f"127.0.0.1:{port}", "--name", "bot")
    expect_exit(bot, 3)
    expect(bot.err.strip() and not bot.out.strip(), "a reason on stderr only", (bot.out, bot.err))
    with bench.server() as server:
        server.tutorial("admin")
        for dialect in ("event", "tutorial"):
            bot = bench.join(server.join_at, "--name", "аdmin", "--dialect", dialect)  # the first letter is Cyrillic
            try:
                bot.type("hello\n")
                bot.end_of_input()  # what waits to be said changes nothing
            except (Failure, OSError):
                pass  # refused and gone before it could be typed
            expect_exit(bot, 4)
            expect(bot.err.strip(), "a reason on stderr", bot.err)


@check("E6", "join: 1 where some of the input came to nothing, in --json as in a pipe")
def exit_code_of_refused_input(bench):
    with bench.server() as server:
        for options, refused in ((["--json"], '{"type":"dance"}\n'), ([], "/dance\n")):
            bot = bench.join(server.join_at, "--name", "bot", *options)
            bot.type(refused)
            bot.end_of_input()
            expect_exit(bot, 1)
            expect("1 line" in bot.err, "how many on stderr", bot.err)


@check("T10", "nobody can act out a departure: what somebody does does not read like the server's words")
def actions_are_told_apart(bench):
    with bench.server() as server:
        eve = server.event("eve")
        bot = bench.join(server.join_at, "--name", "bot")
        bot.wait_text(r"connected", "err")
        eve.send("send", room="lobby", text="left", action=True, id="0" * 32)
        bot.wait_text(r"^eve \* left$")
        eve.close()
        bot.wait_text(r"^\* eve left$")
        bot.end_of_input()
        expect_exit(bot)


@check("T10", "the user is notified of a taken name, and talks under the new one")
def join_taken_name(bench):
    for dialect in ("event", "tutorial"):
        with bench.server() as server:
            ear = server.tutorial("bot")
            bot = bench.join(server.join_at, "--name", "bot", "--dialect", dialect)
            bot.type("hello\n")
            expect_equal(ear.next_said().who, "bot-2")
            bot.end_of_input()
            expect_exit(bot)
            expect("bot-2" in bot.out + bot.err, "to be told of the new name", (bot.out, bot.err))


@check("T10", "//x typed into join sends /x, an unknown command is never sent")
def join_commands(bench):
    for dialect in ("event", "tutorial"):
        with bench.server() as server:
            ear = server.tutorial("ear")
            bot = bench.join(server.join_at, "--name", "bot", "--dialect", dialect)
            bot.type("/nosuchcommand\n//x\nplain\n")
            expect_equal([ear.next_said().said, ear.next_said().said], ["/x", "plain"], dialect)
            bot.end_of_input()
            bot.wait_exit()


@check("E3", "the server goes away: join ends at EOF soon, without a panic")
def server_goes_away(bench):
    with bench.server() as server:
        ear = server.tutorial("ear")
        bot = bench.join(server.join_at, "--name", "bot")
        bot.type("hello\n")
        ear.next_said()
        server.terminate()
        expect_equal(server.wait_exit(), 0, "the server's exit code")
        bot.end_of_input()
        bot.wait_exit()
        expect("panicked" not in bot.err, "no panic", bot.err)


@check("T4 T6", "the original client on our server: talks both ways, leaves on three empty Enters, announced once")
def original_client(bench):
    for options in ((), ("--robust",)):
        with bench.server() as server:
            ear, eve = server.tutorial("ear"), server.event("eve")
            old = bench.tutorial_client(server.at, "old", *options)
            ear.until_named("old")
            old.type("hello\nsecond\n")
            expect_equal([ear.next_said() for _ in range(2)], [(b"old", b"hello"), (b"old", b"second")])
            eve.say("lobby", "from the event dialect, 二")
            old.wait_text(r"^eve > from the event dialect, 二$")
            ear.next_said()
            old.type("\n\nnot yet\n\n\n\n")
            expect_equal(ear.next_said().said, "not yet")
            expect_exit(old)
            ear.until_left("old")
            eve.wait_named("left", "old")
            ear.settle()
            expect_equal(len(ear.said_by_people()), 4, "messages; the goodbye is none")
            expect("Reading error" not in old.out, "a client that never lost its place", old.out)


@check("T9", "original clients on a --pure server, beside each other under one name")
def original_clients_pure(bench):
    with bench.server("--pure") as server:
        old = [bench.tutorial_client(server.at, "old") for _ in range(2)]
        for mouth, ear in (old, old[::-1]):
            for attempt in range(100):
                mouth.type(f"knock {attempt}\n")
                try:
                    ear.wait_text(r"^old > knock", timeout=0.1)
                    break
                except Failure:
                    if attempt == 99:
                        raise
        old[0].type("/help\n")
        old[1].wait_text(r"^old > /help$")
        expect(not re.search(r"^\* >", old[0].out + old[1].out, re.M), "no words of the server", old[0].out)
        for client in old:
            client.type("\n\n\n")
            expect_exit(client)


@check("T5", "our join clients and original clients in one room on the original server")
def mixed_room(bench):
    with bench.tutorial_server() as server:
        ear = member_of_tutorial_server(server, "ear")
        old = bench.tutorial_client(server.at, "old", "--robust")
        server.wait_text(r"accepted 'old'", "err")
        bots = [bench.join(server.join_at, "--name", f"bot{number}", "--dialect", "tutorial") for number in range(2)]
        for number, bot in enumerate(bots):
            server.wait_text(rf"accepted 'bot{number}'", "err")
        for number, bot in enumerate(bots):
            bot.type(f"i am {number}\n")
            expect_equal(ear.next_said(), (f"bot{number}".encode(), f"i am {number}".encode()))
            old.wait_text(rf"^bot{number} > i am {number}$")
            bots[1 - number].wait_text(rf"bot{number}.*i am {number}$")
        for bot in bots:
            bot.end_of_input()
            expect_exit(bot)
        old.type("\n\n\n")
        expect_exit(old)
