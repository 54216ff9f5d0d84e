"""The README's pictures of the page: `screenshots.py BINARY [FOLDER]` takes them again, in docs/ unless told."""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.dont_write_bytecode = True

import paths  # noqa: E402
from bidi import Browser  # noqa: E402
from chat import HOST_RULES, WebBench, url, watch  # noqa: E402

SIZE = (1200, 720)
SCHEMES = ("light", "dark")

# A lesson, as it could be: minutes ago, who, and what.
SAID = [
    (2880, "teacher", "until next time, and bring a question about the wire"),
    (9, "teacher", "good morning! open the address on the board and choose a name"),
    (8, "bob", "hi all"),
    (8, "bob", "no app, no account. nice"),
    (7, "carol", "I am in a terminal, who else?"),
    (7, "dave", "me too: glassline join 192.0.2.7"),
    (6, "teacher", "first task: find the ten bytes that stand before every frame\n"
                   "https://example.org/notes/the-wire"),
    (5, "erin", "the length, in ASCII digits?"),
    (4, "teacher", "exactly. and who can read a frame on its way?"),
]
MEANWHILE = [("carol", "everybody on this network, unless it is TLS"), ("Zoë", "naïve question: and the names too?"),
             ("bob", "alice: do you see it too?")]


def morning(now):
    """The time zone in which it is between ten and eleven; its name has the sign of the other direction."""
    hours = (10 - now.hour + 12) % 24 - 12
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def take(bench, folder):
    """Takes one picture for each scheme; returns their paths."""
    now = datetime.now(timezone.utc)
    messages = [{"at": f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M}:{number:02}.000Z", "from": name, "text": text}
                for number, (minutes, name, text) in enumerate(SAID)]
    with bench.host(history=bench.history(messages)) as server:
        peers = {name: server.event(name, rooms=["lobby", "questions"])
                 for name in ("teacher", "bob", "carol", "dave", "erin", "Zoë")}
        page = bench.page()
        page.viewport(*SIZE)
        page.timezone(morning(now))
        page.join(url(server), "alice")
        page.wait_number(len(SAID))
        page.say("/join questions")
        page.wait_text("#room-title", "questions")
        page.say("/join lobby")
        page.wait_text("#room-title", "lobby")
        page.leave()
        for name, text in MEANWHILE:
            peers[name].said("lobby", text)
        page.come_back(server)
        page.wait_number(len(SAID) + len(MEANWHILE))
        peers["erin"].said("questions", "what is a barrier?")
        peers["bob"].send("direct", to="alice", text="which chapter is it?", id="0" * 32)
        peers["bob"].wait("direct")
        page.wait_text("#directs", "bob")
        page.say("yes: five digits at most, then spaces")
        page.wait_message("five digits")
        peers["carol"].said("lobby", "waves", action=True)
        page.wait_text("#log", "waves")
        page.focus_line()
        page.type("and the names ar")
        page.point_away()
        paths = [Path(folder) / f"web-{scheme}.png" for scheme in SCHEMES]
        for scheme, path in zip(SCHEMES, paths):
            page.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
            page.settle()
            page.screenshot(path)
    return paths


def main():
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else paths.ROOT / "docs"
    browser = watch(Browser.chromium(HOST_RULES))
    bench = WebBench(Path(sys.argv[1]).resolve(), browser)
    try:
        for path in take(bench, folder):
            print(path)
    finally:
        bench.clean_up()
        browser.close()


if __name__ == "__main__":
    main()
