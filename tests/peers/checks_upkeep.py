"""E8: `glassline history export | import | check | vacuum`."""

import json
import re
import sqlite3

from checks_history import contexts, seqs
from checks_resume import fill, numbered
from checks_schema import all_conform, published
from checks_storage import everything, pruned
from frames import new_id
from harness import check, expect, expect_equal


def history(bench, *words, code=0, stdin=None):
    program = bench.run("history", *words)
    if stdin is not None:
        try:
            program.process.stdin.write(stdin.encode() if isinstance(stdin, str) else stdin)
            program.process.stdin.close()
        except BrokenPipeError:
            pass  # it has refused what came first, and reads no more
    came = program.wait_exit()
    expect(came == code and "panicked" not in program.err, f"exit code {code} of history {words[0]}",
           f"{came}; out={program.out[-300:]!r} err={program.err[-600:]!r}")
    return program


def lines_of(program):
    return [json.loads(line) for line in program.output("out").decode().split("\n")[:-1]]


def spoken(bench, file):
    """A history with some of everything in it; gives what was sent in each room, and eve's welcome."""
    with bench.server("--history", file) as server:
        eve, tom = server.event("eve", rooms=["lobby", "den", "漢字"]), server.tutorial("tom")
        for text in ("one", "二 🎉", "a\x1bb\u2028c\u202e", 'quote " and \\', "two\nlines\t", "x" * 16_384, "\x01" * 16_384):
            eve.said("lobby", text)
        eve.said("lobby", "waves", action=True)
        tom.say("from the tutorial")
        eve.wait("message", text="from the tutorial")
        fill(eve, 1500, "den")
        eve.said("漢字", "字")
        sent = {room: [{key: value for key, value in event.items() if key != "ref"} for event in eve.messages(room)]
                for room in ("lobby", "den", "漢字")}
        server.terminate()
        server.wait_exit()
    return sent, eve.welcome


@check("E8", "export: a schema line, then every message as it was sent, room by room; each conforms to the schema; also while a server runs")
def export(bench):
    file = bench.folder() / "h.db"
    sent, _ = spoken(bench, file)
    lines = lines_of(history(bench, "export", "--history", file))
    expect_equal(lines[0], {"type": "schema", "version": 1})
    all_conform(published(), lines[1:])
    rooms = list(dict.fromkeys(line["room"] for line in lines[1:]))
    expect_equal(sorted(rooms), sorted(sent))
    expect(lines[1:] == [event for room in rooms for event in sent[room]], "what was sent, room by room in order", len(lines))
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        last = eve.said("lobby", "while it runs")
        lines = lines_of(history(bench, "export", "--history", file))
        expect(any(line.get("id") == last["id"] for line in lines), "what was said last", lines[-1])
        history(bench, "check", "--history", file)
        for command, words in (("import", (file.parent / "none.jsonl",)), ("vacuum", ())):
            refused = history(bench, command, "--history", file, *words, code=1)
            expect(refused.err.strip(), "a word about why not", refused.err)
        expect_equal(eve.said("lobby", "still there")["seq"], last["seq"] + 1)


@check("E8 E4", "import into a new file: the same numbers, times, names and ids; export again is the same; twice adds nothing")
def round_trip(bench):
    folder = bench.folder()
    old, new, other = folder / "old.db", folder / "new.db", folder / "other.db"
    sent, welcomed = spoken(bench, old)
    exported = history(bench, "export", "--history", old).output("out")
    lines = folder / "lines.jsonl"
    lines.write_bytes(exported)
    history(bench, "import", "--history", new, lines)
    history(bench, "import", "--history", other, stdin=exported)
    for file in (new, other):
        history(bench, "check", "--history", file)
        expect(history(bench, "export", "--history", file).output("out") == exported, "the same export again", "another")
    history(bench, "import", "--history", new, lines)
    history(bench, "vacuum", "--history", new)
    history(bench, "check", "--history", new)
    expect(history(bench, "export", "--history", new).output("out") == exported, "nothing added", "something")
    with bench.server("--history", new) as server:
        eve = server.event("eve", rooms=["lobby", "den", "漢字"])
        expect_equal([room["seq"] for room in eve.welcome["rooms"]], [9, 1500, 1])
        for room in sent:
            expect_equal([{"type": "message", **said} for said in everything(eve, room)], sent[room], room)
        expect_equal(eve.said("lobby", "one", id=sent["lobby"][0]["id"])["seq"], 1, "an id that was imported")
        expect_equal(seqs(eve.ask("search", "history", room="den", query="en 150")), [150, 1500], "what was imported is found")
        expect_equal(eve.said("den", "on")["seq"], 1501)


@check("E8 E7", "export and import of a history whose beginning was forgotten: numbers stay, since into it is a gap")
def forgotten_beginning(bench):
    folder = bench.folder()
    old, new = folder / "old.db", folder / "new.db"
    with bench.server("--history", old, "--keep-bytes", "1M") as server:
        eve = server.event("eve")
        for number in range(1, 301):
            eve.say("lobby", f"{number} " + "x" * 10_000)
        eve.barrier()
        pruned(eve, lambda seq: seq and seq > 150)
        server.terminate()
        server.wait_exit()
    exported = history(bench, "export", "--history", old).output("out")
    first = json.loads(exported.split(b"\n")[1])["seq"]
    expect(first > 150, "the beginning forgotten", first)
    history(bench, "import", "--history", new, stdin=exported)
    history(bench, "check", "--history", new)
    with bench.server("--history", new) as server:
        back = server.event("back", since={"lobby": 0})
        back.barrier()
        gap = next(event for event in back.seen if event["type"] == "gap")
        expect_equal((gap["from"], gap["to"]), (1, first - 1))
        expect_equal(numbered(back.seen), list(range(first, 301)))
        expect_equal(back.said("lobby", "on")["seq"], 301)


@check("E8", "import refuses what is no export, by line, and takes in nothing then")
def bad_imports(bench):
    folder = bench.folder()
    file = folder / "h.db"
    schema = '{"type":"schema","version":1}\n'
    good = {"type": "message", "room": "lobby", "seq": 1, "at": "2026-01-02T03:04:05.678Z", "from": "eve", "text": "hi", "id": new_id()}

    def line(**changed):
        return json.dumps({key: value for key, value in {**good, **changed}.items() if value is not None}) + "\n"
    bad = {"nothing": "", "no schema": line(), "another version": '{"type":"schema","version":2}\n', "garbage": schema + "what is this\n",
           "not UTF-8": schema.encode() + b'{"type":"message","room":"lobby","text":"\xff"}\n', "no seq": schema + line(seq=None),
           "seq 0": schema + line(seq=0), "seq -1": schema + line(seq=-1), "seq 2^64": schema + line(seq=2**64),
           "seq 2^64 - 1": schema + line(seq=2**64 - 1), "seq 2^63": schema + line(seq=2**63), "no at": schema + line(at=None),
           "bad at": schema + line(at="yesterday"), "no text": schema + line(text=None), "empty text": schema + line(text=""),
           "long text": schema + line(text="x" * 200_000), "no room": schema + line(room=None), "bad id": schema + line(id="7"),
           "another event": schema + '{"type":"pong"}\n', "cut off": schema + line()[:-20], "behind good ones": schema + line() + "{}\n",
           "a list": schema + "[]\n", "deep": schema + "[" * 100_000 + "\n"}
    for label, text in bad.items():
        refused = history(bench, "import", "--history", file, code=1, stdin=text)
        expect(re.search(r"^glassline: line \d+ ", refused.err) and len(refused.err) < 2000, f"a word about {label}", refused.err[:300])
        expect_equal([path.name for path in folder.iterdir()], [], f"left behind by {label}")
    history(bench, "import", "--history", file, stdin=schema + line() + "\n" + line(seq=2, id=None, text="last"))
    with bench.server("--history", file) as server:
        eve = server.event("new")
        expect_equal(contexts(eve), [("lobby", [1, 2])])
        expect_equal(eve.said("lobby", "on")["seq"], 3)


@check("E8", "import behind what is there: nothing is lost or doubled, numbers without holes")
def import_behind(bench):
    folder = bench.folder()
    one, two = folder / "one.db", folder / "two.db"
    for file, count in ((one, 10), (two, 7)):
        with bench.server("--history", file) as server:
            fill(server.event(f"{file.stem}eve"), count)
            server.terminate()
            server.wait_exit()
    exported = history(bench, "export", "--history", one).output("out")
    for _ in range(2):
        history(bench, "import", "--history", two, stdin=exported)
        with bench.server("--history", two) as server:
            stored = everything(server.event("ear"))
            expect_equal([said["seq"] for said in stored], list(range(1, 18)))
            expect_equal([said["from"] for said in stored], ["twoeve"] * 7 + ["oneeve"] * 10)
            server.terminate()
            server.wait_exit()


@check("E8", "check: 0 for a sound history, 1 with what is wrong for a damaged one; none of the four makes a file that is not there")
def checked(bench):
    folder = bench.folder()
    file = folder / "h.db"
    for command in ("check", "export", "vacuum"):
        missing = history(bench, command, "--history", folder / "missing.db", code=1)
        expect("missing.db" in missing.err and not list(folder.iterdir()), "the file named, and none made", list(folder.iterdir()))
    spoken(bench, file)
    sound = history(bench, "check", "--history", file)
    expect("1510 messages in 3 rooms" in sound.out, "what is in it", sound.out)
    whole = file.read_bytes()
    damages = {
        "a hole": "DELETE FROM message WHERE place = (SELECT place FROM message ORDER BY place LIMIT 1 OFFSET 700)",
        "a number too high": "UPDATE room SET newest = newest + 1 WHERE name = 'den'",
        "nobody's message": "UPDATE message SET place = place + (1 << 50) WHERE place = (SELECT max(place) FROM message)",
    }
    for label, sql in damages.items():
        file.write_bytes(whole)
        with sqlite3.connect(file) as db:
            db.execute(sql)
        db.close()
        wrong = history(bench, "check", "--history", file, code=1)
        expect(wrong.out + wrong.err, f"a word about {label}", wrong.err)
    file.write_bytes(whole[:len(whole) // 2 // 4096 * 4096] + bytes(8192) + whole[len(whole) // 2 // 4096 * 4096 + 8192:])
    history(bench, "check", "--history", file, code=1)
    rescued = bench.run("history", "export", "--history", file)
    rescued.wait_exit()
    expect(len(rescued.out.splitlines()) > 1 and "panicked" not in rescued.err, "what can still be read", rescued.err[-300:])
    file.write_bytes(b"Dear aunt\n" * 1000)
    for command in ("check", "export", "vacuum"):
        expect("no Glassline history" in history(bench, command, "--history", file, code=1).err, "what it is not", command)
    expect_equal(file.read_bytes(), b"Dear aunt\n" * 1000)
