"""From the address to the first message, and what the browser is sent."""

import gzip
import json
import re
import shutil
import subprocess
import urllib.request

from chat import page_check, url
from harness import Skipped, expect, expect_equal
from page import ENTER
from paths import NODE_MODULES, ROOT

PAGE_BYTES_MAX = 100 * 1024  # the bound of crates/server/src/web/files.rs

# A file that a page links to, or a module that another one imports.
NAMED = re.compile(r"""(?:(?:href|src)="/|(?:from|import)\s*\(?['"]\./)([\w.-]+)""")

# It holds for programs that serve what their users give them; this one serves its own files only.
ACCEPTED = {("script-src", "'self'")}


def fetched(server, loaded=None):
    """Every file of the page, by its path: those that the page names, and those that these import.

    `loaded` gets the number of bytes that a browser loads of each."""
    files, wanted = {}, ["/"]
    while wanted:
        path = wanted.pop()
        request = urllib.request.Request(url(server) + path[1:], headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            data = answer.read()
        files[path] = gzip.decompress(data)
        if loaded is not None:
            loaded[path] = len(data)
        text = files[path].decode("utf-8", "replace")
        wanted += [f"/{name}" for name in NAMED.findall(text) if f"/{name}" not in files]
    return files


@page_check("the greeting names the address to open, with and without TLS")
def greeting(bench):
    for options, scheme in (((), "http"), (("--require", "tls"), "https")):
        server = bench.host(*options)
        server.wait_text(rf"{scheme}://127\.0\.0\.1:{server.address[1]}\b", "err")
    hosting = bench.run("--listen", "127.0.0.1:0", "--name", "alice")
    hosting.wait_text(r"your line is open on 127\.0\.0\.1:(\d+)(?s:.*)http://127\.0\.0\.1:\1$", "err")


@page_check("the name form leads to the first message; the name is free, taken, or refused with a reason")
def name_form(bench):
    with bench.host() as server:
        peer = server.event("bob")
        page = bench.page()
        page.go(url(server))
        page.wait("() => document.activeElement?.id === 'name'", what="the cursor in the name field")
        page.type("alice", ENTER)
        page.wait_online()
        page.wait("() => document.activeElement?.id === 'line'", what="the cursor in the line")
        page.type("hello from a browser", ENTER)
        event = peer.wait("message")
        expect_equal((event["from"], event["text"]), ("alice", "hello from a browser"))
        page.wait_message("hello from a browser")
        other = bench.join(server, "alice")  # a second alice gets a number, and is told so
        name = other.text("#self-name")
        expect(name != "alice" and name.startswith("alice"), "another name than alice", name)
        other.wait_text("#log", "alice")
        refused = bench.page()
        refused.go(url(server))
        refused.choose_name("ali\u0441e")  # with a letter of another script
        refused.wait("() => document.querySelector('#name-error').innerText", what="the reason of the refusal")
        refused.choose_name("carol")
        refused.wait_online()


@page_check("the page has at most 100 KB in all, and needs no file beyond its own")
def size(bench):
    with bench.host() as server:
        sizes = {}
        files = fetched(server, sizes)
        expect(len(files) > 5, "a page of several files", sizes)
        expect(sum(sizes.values()) <= PAGE_BYTES_MAX, f"at most {PAGE_BYTES_MAX} bytes",
               f"{sum(sizes.values())}: {sizes}")
        foreign = {path: re.findall(rb"(?:src|href|url|import|fetch)\W{0,3}(?:https?:)?//[\w.]+", data)
                   for path, data in files.items() if path != "/icon.svg"}
        expect(not any(foreign.values()), "no address of another host", foreign)
        for path, data in files.items():
            for sink in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"new Function"):
                expect(sink not in data, f"no {sink.decode()} in {path}", "one")


@page_check("the checker of HTML and CSS (vnu) reports nothing")
def valid(bench):
    java, jar = shutil.which("java"), NODE_MODULES / "vnu-jar/build/dist/vnu.jar"
    if not java or not jar.is_file():
        raise Skipped("java or the npm package vnu-jar is missing")
    with bench.host() as server:
        folder = bench.folder()
        for path, data in fetched(server).items():
            if path == "/" or path.endswith(".css") or path.endswith(".svg"):
                (folder / (path[1:] or "index.html")).write_bytes(data)
        ran = subprocess.run([java, "-jar", jar, "--also-check-css", "--also-check-svg", "--stdout", "--exit-zero-always",
                              *sorted(folder.iterdir())], capture_output=True, text=True, timeout=100)
        expect_equal(ran.stdout.replace(f"file:{folder}/", "").strip(), "")


@page_check("csp_evaluator reports nothing about the policy")
def policy(bench):
    node = shutil.which("node")
    if not node or not (NODE_MODULES / "csp_evaluator").is_dir():
        raise Skipped("node or its package csp_evaluator is missing")
    with bench.host() as server:
        with urllib.request.urlopen(url(server), timeout=5) as answer:
            policy = answer.headers["Content-Security-Policy"]
        ran = subprocess.run([node, ROOT / "tests/web/clients/csp.mjs", policy], capture_output=True, text=True,
                             timeout=20)
        expect(ran.returncode == 0, "an evaluation", ran.stderr[-500:])
        findings = json.loads(ran.stdout)
        expect_equal([found for found in findings if (found["directive"], found["value"]) not in ACCEPTED], [])
