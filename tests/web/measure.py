"""Times of the page in Chromium, one JSON object on stdout: `measure.py BINARY load|empty|typing [--keys N]`.

`cargo xtask bench web` runs it. Exit code 3 where something is missing, which stderr names.
"""

import argparse
import http.server
import json
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True

import paths  # noqa: E402, F401
from frames import Ended, Late, frame  # noqa: E402

MISSING = 3
LINES = 10_000
ARRIVING_PER_S = 200
KEYS_PER_S = 15
FILL_S = 120
EMPTY = b"<!doctype html><title>empty</title>"

# Before the page's own scripts: chooses a name as soon as it is asked for, and notes when the first message is on the
# screen, in milliseconds since the navigation began.
FIRST_MESSAGE = """() => {
    const look = () => {
        const form = document.querySelector("#name-form");
        if (form?.checkVisibility() && !window.hasJoined) {
            window.hasJoined = true;
            document.querySelector("#name").value = "measured";
            form.requestSubmit();
        }
        if (document.querySelector("#log .message[data-seq]")) {
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => { window.firstMessage = performance.now(); }));
        }
    };
    const observer = new MutationObserver(look);
    observer.observe(document, {subtree: true, childList: true, attributes: true});
}"""

# From the time at which the browser got a key to the first moment behind the frame that shows its letter.
WATCH_KEYS = """() => {
    window.keyTimes = [];
    document.querySelector("#line").addEventListener("keydown", ({timeStamp}) => {
        requestAnimationFrame(() => {
            const drawn = new MessageChannel();
            drawn.port1.onmessage = () => window.keyTimes.push(performance.now() - timeStamp);
            drawn.port2.postMessage(null);
        });
    });
}"""


class EmptyPage(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_):
        pass


def load_event(page):
    return page.wait("() => performance.getEntriesByType('navigation')[0].loadEventEnd || null", what="the load event")


def empty(bench, _):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = bench.page()
    page.go(f"http://127.0.0.1:{server.server_address[1]}/")
    figures = {"page_ms": load_event(page)}
    server.shutdown()
    return figures


def load(bench, _):
    server = bench.host(history=bench.history(["hello"]))
    bench.browser.call("script.addPreloadScript", functionDeclaration=FIRST_MESSAGE)
    page = bench.page()
    page.go(f"http://127.0.0.1:{server.address[1]}/", wait="none")
    first_ms = page.wait("() => window.firstMessage ?? null", what="a first message")
    return {"page_ms": load_event(page), "first_message_ms": first_ms}


def typing(bench, options):
    server = bench.host("--history", "none")
    page = bench.join(server, "typist")
    peer = server.event("speaker")
    said = 0

    def say(count):
        nonlocal said
        texts = (f"message {said + number} of those that arrive while somebody types" for number in range(count))
        sent = [{"type": "send", "room": "lobby", "text": text, "id": f"{said + at:032x}"} for at, text in enumerate(texts)]
        peer.send_raw(b"".join(frame(json.dumps(request)) for request in sent))
        said += count

    # Read and forgotten, so that the server goes on.
    threading.Thread(target=drain, args=(peer,), daemon=True).start()
    for _ in range(LINES // 100):
        say(100)
        time.sleep(0.02)
    page.wait_number(said, timeout=FILL_S)
    page.focus_line()
    page.js(WATCH_KEYS)
    done = threading.Event()
    started, before = time.monotonic(), said

    def arrive():
        while not done.is_set():
            due = before + int((time.monotonic() - started) * ARRIVING_PER_S)
            if due > said:
                say(due - said)
            time.sleep(0.002)

    arriving = threading.Thread(target=arrive, daemon=True)
    arriving.start()
    pause = {"type": "pause", "duration": round(1000 / KEYS_PER_S) - 10}
    for typed in range(0, options.keys, 20):
        actions = []
        for letter in "abcdefghijklmnopqrst"[:options.keys - typed]:
            actions += [{"type": "keyDown", "value": letter}, {"type": "pause", "duration": 10},
                        {"type": "keyUp", "value": letter}, pause]
        page._perform({"type": "key", "id": "keyboard", "actions": actions})
    seconds = time.monotonic() - started
    done.set()
    arriving.join()
    times = sorted(page.wait("n => window.keyTimes.length >= n && window.keyTimes", options.keys, what="every key"))
    lines = page.js("() => document.querySelectorAll('#log .message').length")
    return {"median_ms": times[len(times) // 2], "p95_ms": times[int(len(times) * 0.95)], "lines": lines,
            "arriving_per_s": (said - before) / seconds}


def drain(peer):
    while True:
        try:
            peer.recv_chunk(timeout=60)
        except (Ended, Late):
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("what", choices=["probe", "empty", "load", "typing"])
    parser.add_argument("--keys", type=int, default=300)
    options = parser.parse_args()
    try:
        from bidi import Browser, found
        from chat import WebBench
        from harness import Skipped
    except ImportError as error:
        print(f"{error.name} (a package of tests/web/requirements.txt) is missing", file=sys.stderr)
        return MISSING
    try:
        if options.what == "probe":
            found("chromium"), found("chromedriver")
            return 0
        browser = Browser.chromium()
    except Skipped as missing:
        print(missing, file=sys.stderr)
        return MISSING
    try:
        bench = WebBench(options.binary.resolve(), browser)
        print(json.dumps({"empty": empty, "load": load, "typing": typing}[options.what](bench, options)))
        bench.clean_up()
    finally:
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
