"""D and L: admission, signals, exhausted descriptors, readers that never read."""

import os
import re
import signal
import time

from event_peer import EventPeer
from frames import PROMPT, Ended, Late, frame, parse_address
from harness import Skipped, check, expect, expect_equal
from tutorial_peer import TutorialPeer, pairs_in


@check("D1", "what is no dialect is refused at once: the shortest prefix decides, one log line tells why")
def refused_at_once(bench):
    with bench.server() as server:
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        for prefix in (b"\xff", b"/", b"/exit", b"hello", b"GLASSLINE3", b"GLASSX", b"GX", b"\x16\x04", b"\x00", b"{"):
            ear.barrier()
            logged = server.err.count("\n")
            start = time.monotonic()
            unregistered = server.bare()
            unregistered.send_raw(prefix)
            unregistered.read_to_end()
            expect(time.monotonic() - start < 5, "a close long before the deadline of 10 s", prefix)
            server.wait_text(rf"\A(.*\n){{{logged + 1}}}", "err")
            mouth.say("unmoved")
            ear.wait("message", text="unmoved")


@check("D1", "nothing is decided by less than the shortest prefix, and nothing waits for more")
def decided_by_prefix(bench):
    with bench.server() as server:
        ear = server.event("ear")
        undecided = server.bare()
        for byte in b"GLASSLINE2":
            undecided.send_raw(bytes([byte]))
            ear.barrier()
        undecided.send_raw(frame('{"type":"hello","name":"patient"}'))
        expect(b'"welcome"' in undecided.read_frame(), "welcome", "another event")
        # `*` or silence: a tutorial client is only ever answered once its name is whole.
        slow = server.unregistered()
        for byte in frame("slow"):
            slow.send_raw(bytes([byte]))
            ear.barrier()
        slow.settle()


@check("D", "HTTP gets an HTTP answer that ends, a broken TLS or Noise link ends; others are unmoved")
def other_links(bench):
    with bench.server() as server:
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        for method in (b"GET", b"HEAD", b"POST", b"OPTIONS"):
            browser = server.bare()
            browser.send_raw(method + b" / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = browser.read_to_end()
            expect(re.match(rb"HTTP/1\.[01] \d{3} ", answer), "an HTTP status line", answer[:200])
            if method == b"GET":
                expect(b"Content-Type: text/" in answer or b"content-type: text/" in answer, "a page", answer[:300])
        for opening in (b"\x16\x03\x01\x00\x05hello", b"GLASSNOISE" + b"\xff" * 10):
            unregistered = server.bare()
            unregistered.send_raw(opening)
            unregistered.sock.shutdown(1)
            unregistered.read_to_end(11)
            mouth.say("unmoved")
            ear.wait("message", text="unmoved")


@check("L", "two listeners print a line each, both lead to one room; stdout has nothing else")
def two_listeners(bench):
    with bench.server("--listen", "127.0.0.1:0") as server:
        server.wait_text(r"(listening on 127\.0\.0\.1:\d+\s+){2}")
        ports = [int(port) for port in re.findall(r"^listening on 127\.0\.0\.1:(\d+)$", server.out, re.M)]
        expect(len(set(ports)) == 2 and 0 not in ports, "two real ports", ports)
        ways = [parse_address(bench.relayed("to-server", f"127.0.0.1:{port}")) for port in ports]
        one, two = (EventPeer(way, f"at{index}") for index, way in enumerate(ways))
        server.peers += [one, two]
        one.say("lobby", "across")
        expect_equal(two.wait("message")["from"], "at0")
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code")
        expect_equal(len(server.out.splitlines()), 2, "lines on stdout")


def signalled(bench, number):
    with bench.server() as server:
        eve, tom, unregistered = server.event("eve"), server.tutorial("tom"), server.bare()
        unregistered.send_raw(b"1")
        start = time.monotonic()
        server.process.send_signal(number)
        eve.wait("bye")
        said, whole = pairs_in(tom.read_to_end())
        expect(whole, "whole pairs up to the end", said)
        expect(said and said[-1].is_word, "a `*` pair that says goodbye", said)
        eve.read_to_end()
        unregistered.read_to_end()
        expect_equal(server.wait_exit(), 0, "exit code")
        expect(time.monotonic() - start < 5 + PROMPT, "an exit within 5 s", f"{time.monotonic() - start:.1f} s")
        expect("panicked" not in server.err, "no panic", server.err[-600:])


@check("E3 T9", "SIGTERM: `bye` to event members, a `*` pair to tutorial members, exit 0 within 5 s")
def sigterm(bench):
    signalled(bench, signal.SIGTERM)


@check("E3 T9", "SIGINT does the same")
def sigint(bench):
    signalled(bench, signal.SIGINT)


@check("L", "SIGTERM writes out what waits, and a member that never reads does not hold it past 5 s")
def sigterm_with_backlog(bench):
    with bench.server() as server:
        deaf = TutorialPeer(server.address, "deaf", receive_buffer=1 << 14)
        ear, mouth = server.tutorial("ear"), server.tutorial("mouth")
        server.peers.append(deaf)
        for number in range(400):
            mouth.say(f"{number} " + "x" * 16000)
        mouth.settle()
        start = time.monotonic()
        server.terminate()
        for number in range(400):  # read only now: it waited in the server
            expect_equal(ear.next_said().said.split()[0], str(number))
        expect_equal(server.wait_exit(), 0, "exit code")
        expect(time.monotonic() - start < 5 + PROMPT, "an exit within 5 s", f"{time.monotonic() - start:.1f} s")


@check("L", "a member that never reads is not felt by the others")
def never_reads(bench):
    with bench.server() as server:
        server.peers += [TutorialPeer(server.address, f"deaf{number}", receive_buffer=1 << 14) for number in range(20)]
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        slowest = 0
        for number in range(1000):
            start = time.monotonic()
            mouth.say(f"{number} " + "x" * 16000)
            ear.wait("message", room="lobby")
            slowest = max(slowest, time.monotonic() - start)
        expect(slowest < PROMPT, f"each message heard within {PROMPT:g} s", f"{slowest:.2f} s")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@check("L", "64 descriptors and 200 connections: no spinning, accepts again within 2 s of their release")
def out_of_descriptors(bench):
    if not os.path.exists("/proc/self/stat"):
        raise Skipped("needs /proc")
    with bench.server(limit_files=64) as server:
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        crowd = []
        for number in range(200):
            try:
                peer = TutorialPeer(server.address)
                crowd.append(peer)
                peer.say(f"c{number}")
            except (Late, Ended, OSError):
                pass  # refused or left waiting, both are allowed
        before, start = processor_seconds(server.pid), time.monotonic()
        while (left := start + 1 - time.monotonic()) > 0:
            try:
                ear.recv(left)  # arrivals may be announced meanwhile
            except Late:
                pass
        used = processor_seconds(server.pid) - before
        expect(used < 0.5, "an idle server for a second", f"{used:.2f} s of processor time")
        mouth.say("members still talk")
        ear.wait("message", text="members still talk")
        for peer in crowd:
            peer.close()
        released = time.monotonic()
        while True:
            try:
                server.event("later", timeout=2 + PROMPT).close()
                break
            except (Late, Ended):  # a close may still be queued before ours
                expect(time.monotonic() - released < 2 + PROMPT, "a welcome within 2 s", "none")
        expect(time.monotonic() - released < 2 + PROMPT, "a welcome within 2 s", f"{time.monotonic() - released:.1f} s")


@check("D2", "a thousand and fifty connections that never speak do not keep a member out")
def silent_crowd(bench):
    with bench.server() as server:
        try:
            for _ in range(1050):
                server.bare()
        except OSError as error:
            raise Skipped(f"this many connections: {error}") from None
        ear, mouth = server.event("ear"), server.tutorial("mouth")
        mouth.say("heard")
        expect_equal(ear.wait("message")["text"], "heard")


@check("L", "wrong usage exits 2, with a reason on stderr and nothing on stdout")
def usage(bench):
    for words in (["serve", "--listen", "nonsense"], ["serve", "--no-such-option"], ["nonsense"],
                  ["join", "--dialect", "x"]):
        program = bench.run(*words)
        expect_equal(program.wait_exit(), 2, f"exit code of {words}")
        expect(program.err.strip() and not program.out, "a reason on stderr only", (program.out, program.err))
