"""E4, E7, E8 where the disk, the file or the clock fail: refused to the sender, never lost or shown unstored."""

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import contextmanager

from checks_event import expect_error
from checks_history import contexts, seqs
from checks_resume import fill, numbered
from faulty import Faults
from frames import Ended, new_id
from harness import Skipped, check, expect, expect_equal, wait_until


def everything(peer, room="lobby"):
    """All that is stored of a room."""
    messages, after = [], 0
    while True:
        page = peer.page(room, after=after)
        messages += page["messages"]
        if not page.get("more"):
            return messages
        after = messages[-1]["seq"]


def drain(peer):
    try:
        while True:
            peer.recv()
    except Ended:
        return peer.seen


@check("E4", "a quota that is used up is no failing disk: refused to the sender, and talk goes on with the next number")
def quota_used_up(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    with bench.server("--history", file, environment=faults.environment) as server:
        eve, bob = server.event("eve"), server.event("bob")
        eve.said("lobby", "before")
        for round_ in range(3):
            faults.set("write EDQUOT")
            for number in range(20):
                eve.say("lobby", f"refused {number}", ref=f"r{number}")
            for number in range(20):
                expect_error(eve.wait("error", ref=f"r{number}"), ("not_stored",))
            faults.none()
            expect_equal(eve.said("lobby", f"on {round_}")["seq"], round_ + 2)
        bob.barrier()
        texts = ["before", "on 0", "on 1", "on 2"]
        expect_equal([event["text"] for event in bob.messages()], texts, "what others were sent")
        server.kill()
    with bench.server("--history", file) as server:
        expect_equal([said["text"] for said in everything(server.event("eve"))], texts, "what is stored after a kill")


@check("E4", "no space: every message is not_stored to its sender alone; with space again, talk goes on with the next number")
def disk_full(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    with bench.server("--history", file, environment=faults.environment) as server:
        eve, bob, tom = server.event("eve"), server.event("bob"), server.tutorial("tom")
        first = eve.said("lobby", "before")
        for round_ in range(3):
            faults.set("write ENOSPC")
            refused_ids = [new_id() for _ in range(20)]
            for number, sent in enumerate(refused_ids):
                eve.say("lobby", f"refused {number}", id=sent, ref=f"r{number}")
            eve.say("lobby", "x" * 16_384, ref="long")
            for ref in [f"r{number}" for number in range(20)] + ["long"]:
                expect_error(eve.wait("error", ref=ref), ("not_stored",))
            expect(re.search("not be stored", eve.seen[-1]["text"]), "that it was not stored", eve.seen[-1])
            tom.say("refused too")
            tom.wait_word("not be stored")
            eve.ask("direct", "direct", to="bob", text="directs still go", id=new_id())
            expect_equal(seqs(eve.page(limit=1)), [round_ * 2 + 1], "what can be read meanwhile")
            eve.say("lobby", "", ref="e")
            expect_error(eve.wait("error", ref="e"), ("empty_text",))
            expect_equal(eve.said("lobby", "before", id=first["id"])["seq"], 1, "the number of one stored before, sent again")
            bob.barrier()
            tom.settle()
            faults.none()
            again = eve.said("lobby", "refused 7", id=refused_ids[7])
            expect_equal(again["seq"], round_ * 2 + 2, "the number of one sent again")
            tom.say(f"on {round_}")
            expect_equal(bob.wait("message", text=f"on {round_}")["seq"], round_ * 2 + 3)
        texts = ["before"] + [text for number in range(3) for text in ("refused 7", f"on {number}")]
        tom.settle()
        expect_equal([event["text"] for event in bob.messages()], texts, "what others were sent")
        expect_equal([text for _, text in tom.said_by_people()], [text for text in texts if not text.startswith("on")])
        expect_equal([said["text"] for said in everything(eve)], texts, "what is stored")
        server.kill()
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        expect_equal([said["text"] for said in everything(eve)], texts, "what is stored after a kill")
        expect_equal(eve.said("lobby", "next")["seq"], 8)


@contextmanager
def small_file_system(bench, size):
    folder = bench.folder()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        raise Skipped(f"a small file system cannot be mounted here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@check("E4", "a real full file system: refused while it is full, everything acknowledged is there, and talk goes on")
def file_system_full(bench):
    with small_file_system(bench, "3m") as folder:
        with bench.server("--history", folder / "h.db") as server:
            eve, bob = server.event("eve"), server.event("bob")
            acknowledged, refused = [], 0
            for number in range(400):
                eve.say("lobby", f"{number} " + "x" * 16_000, ref="s")
                while (event := eve.recv()).get("ref") != "s":
                    pass
                if event["type"] == "message":
                    acknowledged.append(event["text"])
                else:
                    expect_error(event, ("not_stored",))
                    refused += 1
                    if refused > 20:
                        break
            expect(refused > 20 and len(acknowledged) > 20, "messages stored, then refused", (len(acknowledged), refused))
            bob.barrier()
            expect_equal(len(bob.messages()), len(acknowledged), "messages that others were sent")
            expect_equal([said["seq"] for said in everything(eve)], list(range(1, len(acknowledged) + 1)))
            grown = subprocess.run(["mount", "-o", "remount,size=40m", folder], capture_output=True)
            expect(grown.returncode == 0, "a larger file system", grown.stderr)
            fill(eve, 300)
            expect_equal(eve.said("lobby", "on")["seq"], len(acknowledged) + 301)
            server.kill()
        with bench.server("--history", folder / "h.db") as server:
            stored = everything(server.event("eve"))
            expect([said["text"] for said in stored[:len(acknowledged)]] == acknowledged, "what was acknowledged", "another")
            expect_equal(len(stored), len(acknowledged) + 301)


@check("E4", "a disk that is full at the start is named, whether a log is left over or not; checks and exports go on")
def file_system_full_at_the_start(bench):
    for kill in (False, True):
        with small_file_system(bench, "4m") as folder:
            with bench.server("--history", folder / "h.db") as server:
                fill(server.event("eve"), 1_000)
                server.kill() if kill else server.stop()
            with open(folder / "rest", "wb", buffering=0) as rest:
                try:
                    while rest.write(b"x" * 1024):
                        pass
                except OSError:
                    pass
            refused = bench.run("serve", "--listen", "127.0.0.1:0", "--history", folder / "h.db")
            expect_equal(refused.wait_exit(), 1, "exit code on a full disk")
            expect("the disk is full" in refused.err and "free some space" in refused.err, "what is wrong", refused.err)
            if not kill:
                for chore in ("check", "export"):
                    done = bench.run("history", chore, "--history", folder / "h.db")
                    expect_equal(done.wait_exit(), 0, f"exit code of {chore} on a full disk")
                    expect("1000 messages" in done.out + done.err, f"{chore} on a full disk", done.out + done.err)
            (folder / "rest").unlink()
            with bench.server("--history", folder / "h.db") as server:
                expect_equal(server.event("eve").said("lobby", "on")["seq"], 1_001)


def fails_for_good(bench, faults, fault):
    """The disk fails in the middle of talk; what was acknowledged or shown by then must be there afterwards."""
    file = bench.folder() / "h.db"
    with bench.server("--history", file, environment=faults.environment) as server:
        eve, bob, tom = server.event("eve"), server.event("bob"), server.tutorial("tom")
        for number in range(20):
            eve.said("lobby", f"before {number}")
        bob.barrier()
        token = eve.welcome["token"]
        faults.set(fault)
        ids = [new_id() for _ in range(10)]
        for number, sent in enumerate(ids):
            eve.say("lobby", f"after {number}", id=sent, ref=f"a{number}")
        code = server.wait_exit()
        expect_equal(code, 1, f"exit code after {fault}")
        expect(re.search(r"history cannot be written", server.err) and "panicked" not in server.err, "a clear word", server.err[-600:])
        for peer in (eve, bob):
            texts = [event["text"] for event in drain(peer) if event["type"] == "message"]
            expect_equal(texts, [f"before {number}" for number in range(20)], "what anybody was sent")
        expect(b"after" not in tom.read_to_end(), "nothing unstored to a tutorial member", "it")
    faults.none()
    with bench.server("--history", file, environment=faults.environment) as server:
        eve = server.event("eve", token=token)
        for number, sent in enumerate(ids):
            eve.said("lobby", f"after {number}", id=sent)
        stored = everything(eve)
        expect_equal([said["text"] for said in stored[:20]], [f"before {number}" for number in range(20)])
        expect_equal([said["text"] for said in stored[20:]], [f"after {number}" for number in range(10)], "each once")
        expect_equal([said["seq"] for said in stored], list(range(1, 31)))


@check("E4", "a failing sync stops the server with exit code 1; nobody was shown what is not stored; sent again, each is there once")
def sync_fails(bench):
    faults = Faults(bench)
    fails_for_good(bench, faults, "sync EIO")
    fails_for_good(bench, faults, "sync ENOSPC")


@check("E4", "a disk that fails to write likewise")
def write_fails(bench):
    fails_for_good(bench, Faults(bench), "write EIO")


@check("E4", "a second server on the same file refuses to start and says why; the first goes on")
def second_server(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        eve.said("lobby", "one")
        for name in (file, file.parent / "." / ".." / file.parent.name / "h.db"):
            code, words = bench.refused_server("--history", name)
            expect(code == 1 and re.search("another Glassline server", words) and "--history" in words, "a clear word", words)
        expect_equal(eve.said("lobby", "two")["seq"], 2)
        server.kill()
    with bench.server("--history", file) as server:
        expect_equal(len(everything(server.event("eve"))), 2, "messages once the first is gone")


@check("E4", "a second server by another name of the same file (a link) is refused as well")
def second_server_by_link(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        eve.said("lobby", "one")
        link = file.parent / "link.db"
        link.symlink_to(file)
        code, words = bench.refused_server("--history", link)
        expect(code == 1 and "another Glassline server" in words, "a clear word", words)
        expect_equal(eve.said("lobby", "two")["seq"], 2)


@check("E4", "a file or folder that may not be written is refused with a next step, and left as it is")
def read_only(bench):
    folder = bench.folder()
    file = folder / "h.db"
    with bench.server("--history", file) as server:
        server.event("eve").said("lobby", "one")
        server.terminate()
        server.wait_exit()
    before = file.read_bytes()

    def refused(target, lock, unlock):
        lock()
        try:
            code, words = bench.refused_server("--history", target)
        finally:
            unlock()
        expect(code == 1 and re.search(r"cannot be written|cannot open|not permitted", words) and "--history" in words,
               f"a clear word about {target}", words)
        expect(file.read_bytes() == before, "the file as it was", "another")

    if os.geteuid() == 0:
        # Root may write whatever the mode is.
        def chattr(flag, path):
            done = subprocess.run(["chattr", flag, path], capture_output=True, text=True)
            if done.returncode != 0:
                raise Skipped(f"as root, only chattr makes a file read-only, and it fails here ({done.stderr.strip()})")
        for target, path in ((file, file), (folder / "new.db", folder), (folder / "deeper" / "new.db", folder)):
            refused(target, lambda path=path: chattr("+i", path), lambda path=path: chattr("-i", path))
    else:
        for target, path, mode in ((file, file, 0o600), (folder / "new.db", folder, 0o700)):
            refused(target, lambda path=path: path.chmod(0o400 if path == file else 0o500),
                    lambda path=path, mode=mode: path.chmod(mode))


@check("E4", "a file of something else, a damaged one and one of a newer program are refused, and left as they are")
def bad_files(bench):
    folder = bench.folder()
    good = folder / "good.db"
    with bench.server("--history", good) as server:
        eve = server.event("eve")
        fill(eve, 500)
        server.terminate()
        server.wait_exit()
    whole = good.read_bytes()

    def refused(name, content, pattern):
        file = folder / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            shutil.copy(good, file)
            content(file)
        before = file.read_bytes()
        code, words = bench.refused_server("--history", file)
        expect(code == 1 and re.search(pattern, words, re.I), f"a word that matches {pattern!r} about {name}", words)
        expect(file.read_bytes() == before, f"{name} as it was", "another")

    def change(sql):
        def apply(file):
            with sqlite3.connect(file) as db:
                db.executescript(sql)
            db.close()
        return apply

    refused("letter.db", b"Dear aunt, this is no history at all.\n" * 300, "no Glassline history")
    refused("short.db", b"x", "no Glassline history")
    refused("half.db", whole[:len(whole) // 2], "damaged|cut short")
    refused("header.db", whole[:100], "damaged|cut short|no Glassline history")
    refused("zeros.db", whole[:16] + bytes(len(whole) - 16), "damaged|no Glassline history")
    refused("scrambled.db", whole[:100] + bytes(byte ^ 0x5A for byte in whole[100:]), "damaged|no Glassline history")
    refused("newer.db", change("PRAGMA user_version=99;"), "newer.*99|99.*newer|schema 99")
    refused("other.db", change("PRAGMA application_id=7;"), "no Glassline history")
    refused("tables.db", change("DROP TABLE message;"), "damaged|no such table")
    refused("holes.db", change("DELETE FROM message WHERE place = (SELECT max(place) FROM message);"), "damaged|contradict")
    other = folder / "foreign.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine(x)")
    db.close()
    refused("foreign.db", other.read_bytes(), "no Glassline history")
    (folder / "inner").mkdir()
    code, words = bench.refused_server("--history", folder / "inner")
    expect(code == 1 and "--history" in words, "a clear word about a folder", words)
    empty = folder / "empty.db"
    empty.touch()
    with bench.server("--history", empty) as server:
        expect_equal(server.event("eve").said("lobby", "one")["seq"], 1, "an empty file is a new history")


@check("E4 E8", "a clock set back, before 1970 even: numbers and the order stay, nothing is lost, after a restart neither")
def clock_set_back(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    offsets = [0, -3600, 7200, -86_400 * 400, -86_400 * 365 * 90, 0]
    for options in ((), ("--keep-days", "3650")):
        with bench.server("--history", file, *options, environment=faults.environment) as server:
            eve, ear = server.event("eve"), server.event("ear")
            first = eve.welcome["rooms"][0]["seq"]
            sent = []
            for offset in offsets:
                faults.set(f"clock {offset}")
                sent += [eve.said("lobby", f"at {offset} {number}") for number in range(5)]
            expect_equal([event["seq"] for event in sent], list(range(first + 1, first + 31)))
            expect(sent[5]["at"] < sent[4]["at"], "the clock to be set back", (sent[4]["at"], sent[5]["at"]))
            ear.wait("message", seq=first + 30)
            expect_equal(numbered(ear.seen), list(range(first + 1, first + 31)))
            stored = [(said["seq"], said["text"]) for said in everything(eve)][-30:]
            expect_equal(stored, [(event["seq"], event["text"]) for event in sent])
            back = server.event("back", since={"lobby": first + 3})
            back.barrier()
            expect_equal(numbered(back.seen), list(range(first + 4, first + 31)))
            again = eve.said("lobby", sent[7]["text"], id=sent[7]["id"])
            expect_equal((again["seq"], again["at"]), (sent[7]["seq"], sent[7]["at"]))
            server.kill()
        faults.none()
    with bench.server("--history", file) as server:
        expect_equal([said["seq"] for said in everything(server.event("eve"))], list(range(1, 61)))


def pruned(peer, wanted):
    """Waits until the oldest message that is stored is as wanted; gives its number."""
    oldest = []

    def holds():
        oldest[:] = [said["seq"] for said in peer.page(after=0, limit=1)["messages"]]
        return wanted(oldest[0] if oldest else None)
    wait_until(holds, peer, "forgetting", 10)
    return oldest[0] if oldest else None


@check("E8 E7", "--keep-bytes: the oldest go, numbers go on, since into what is gone is a gap, search and ids forget as well")
def keep_bytes(bench):
    file = bench.folder() / "h.db"
    with bench.server("--history", file, "--keep-bytes", "1M") as server:
        eve = server.event("eve")
        first = new_id()
        eve.said("lobby", "oldword", id=first)
        for number in range(2, 301):
            eve.say("lobby", f"{number} " + "x" * 10_000)
        eve.barrier()
        oldest = pruned(eve, lambda seq: seq and seq > 150)
        newest = eve.said("lobby", "newest")["seq"]
        expect_equal(newest, 301)
        back = server.event("back", since={"lobby": 20}, rooms=["lobby"])
        back.wait("message", seq=newest)
        covered = []
        for event in back.seen:
            if event["type"] == "gap":
                covered += range(event["from"], event["to"] + 1)
            elif event["type"] == "message":
                covered.append(event["seq"])
        expect_equal(covered, list(range(21, newest + 1)), "messages and gaps since 20")
        gap = next(event for event in back.seen if event["type"] in ("gap", "message"))
        expect(gap["type"] == "gap" and gap["to"] >= oldest - 1, f"a gap up to what is left, {oldest} or more", gap)
        expect_equal(eve.ask("search", "history", room="lobby", query="oldword")["messages"], [], "what was forgotten")
        eve.say("lobby", "oldword", id=first, ref="forgotten")
        expect_error(eve.wait("error", ref="forgotten"), ("too_late",))
        expect_equal(seqs(eve.page(before=10)), [], "a page of what is gone")
        server.kill()
    with bench.server("--history", file, "--keep-bytes", "1M") as server:
        expect_equal(server.event("eve").said("lobby", "on")["seq"], 302)


@check("E8 E7", "--keep-days: a room all of which is too old is empty, and goes on with its numbers, also after a restart")
def keep_days(bench):
    faults = Faults(bench)
    file = bench.folder() / "h.db"
    faults.set(f"clock {-86_400 * 3}")
    with bench.server("--history", file, environment=faults.environment) as server:
        eve = server.event("eve", rooms=["lobby", "den"])
        fill(eve, 300)
        fill(eve, 10, "den")
        faults.none()
        fill(eve, 5, first=301)
        server.kill()
    for life in range(2):
        with bench.server("--history", file, "--keep-days", "2", environment=faults.environment) as server:
            eve = server.event("eve", rooms=["lobby", "den"])
            expect_equal(pruned(eve, lambda seq: seq is None or seq > 300), 301)
            wait_until(lambda: not eve.page("den", after=0)["messages"][life:], eve, "forgetting the den")
            expect_equal([room["seq"] for room in eve.welcome["rooms"]], [305, 10 + life], "the newest numbers")
            back = server.event("back", rooms=["lobby", "den", "attic"], since={"lobby": 299, "den": 4, "attic": 0})
            expect_equal(contexts(back), [])
            expect_equal([(event["room"], event["from"], event["to"]) for event in back.seen if event["type"] == "gap"],
                         [("lobby", 300, 300), ("den", 5, 10)])
            expect_equal(numbered(back.seen, "lobby"), list(range(301, 306)))
            expect_equal(eve.said("den", "on")["seq"], 11 + life)
            server.kill()


@check("E8", "the history and what is beside it are for their owner's eyes only; its folder is made")
def private_file(bench):
    file = bench.folder() / "sub" / "deeper" / "h.db"
    with bench.server("--history", file) as server:
        eve = server.event("eve")
        eve.said("lobby", "one")
        expect_equal(oct(file.stat().st_mode & 0o777), oct(0o600), "whose eyes only")
        expect_equal(oct(file.parent.stat().st_mode & 0o777), oct(0o700))
        for beside in file.parent.iterdir():
            expect_equal(oct(beside.stat().st_mode & 0o077), oct(0), f"others' rights to {beside.name}")
