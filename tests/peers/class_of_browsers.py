"""Thirty browsers from one address over TLS at once: `class_of_browsers.py BINARY [OPTION...]`.

It is to run in a network with the address 192.0.2.1. Each browser opens six connections, all before any of them has
sent a byte, and gets the page's files over them; then each opens a WebSocket and joins, while the others are still
open. What came of it is one line of JSON.
"""

import json
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True

from checks_tls import tls  # noqa: E402
from frames import PATIENCE, frame, parse_address  # noqa: E402
from harness import Program  # noqa: E402
from raw_websocket import BINARY, HttpPeer, RawWebSocket  # noqa: E402

ADDRESS = "192.0.2.1"
BROWSERS, CONNECTIONS = 30, 6


class Class:
    def __init__(self, address):
        self.address, self.host = address, "%s:%d" % address
        self.connected = threading.Barrier(BROWSERS * CONNECTIONS)
        self.ready = threading.Barrier(BROWSERS)
        self.peers = []

    def get(self, path, link=tls, host=None):
        peer = HttpPeer(self.address, link=link)
        try:
            return peer.get(path, host=host or self.host)
        finally:
            peer.close()

    def files(self):
        """The paths of all files that the page leads to."""
        found, queue = [], ["/"]
        while queue:
            path = queue.pop()
            found.append(path)
            _, content = self.get(path)
            links = re.findall(rb'(?:src|href)="/([\w.]+)"|^import .* from \'\./([\w.]+)\'', content, re.M)
            queue += sorted({f"/{(one or other).decode()}" for one, other in links} - {*found, *queue})
        return found

    def fetch(self, paths):
        """A connection of a browser; gives the statuses of its files, or what went wrong."""
        peer = HttpPeer(self.address)
        self.peers.append(peer)
        self.connected.wait(PATIENCE)
        try:
            peer.sock = tls(peer.sock)
            return [peer.get(path, host=self.host)[0].split()[1] for path in paths]
        except Exception as error:
            return [repr(error)]

    def join(self, number):
        """Gives the seconds from the connection to the welcome, or what went wrong."""
        self.ready.wait(PATIENCE)
        started = time.monotonic()
        try:
            peer = RawWebSocket(self.address, link=tls)
            self.peers.append(peer)
            peer.send(BINARY, b"GLASSLINE2" + frame(json.dumps({"type": "hello", "name": f"pupil{number}"})))
            came = b""
            while b'"type":"welcome"' not in came:
                came += peer.receive()[1]
            return time.monotonic() - started
        except Exception as error:
            return repr(error)


def main():
    binary, *options = sys.argv[1:]
    server = Program([binary, "serve", "--listen", f"{ADDRESS}:0", "--history", "none", *options])
    try:
        crowd = Class(parse_address(server.wait_text(r"^listening on (\S+)$")[1]))
        paths = crowd.files()
        plain, _ = crowd.get("/x?y", link=None)
        foreign, _ = crowd.get("/", host="rebound.example")
        page, _ = crowd.get("/")
        started = time.monotonic()
        with ThreadPoolExecutor(BROWSERS * CONNECTIONS) as pool:
            of_connections = [paths[number % CONNECTIONS::CONNECTIONS] for number in range(BROWSERS * CONNECTIONS)]
            statuses = [status for statuses in pool.map(crowd.fetch, of_connections) for status in statuses]
            fetched_s = time.monotonic() - started
            joined = list(pool.map(crowd.join, range(BROWSERS)))
        joined_s = time.monotonic() - started
        for peer in crowd.peers:
            peer.close()
        server.terminate()
        server.wait_exit()
    finally:
        server.stop()
    counts = re.search(r'closed down counts="(.*)"', server.err)
    print(json.dumps({
        "files": len(paths), "statuses": {status: statuses.count(status) for status in statuses}, "fetched_s": fetched_s,
        "failed": [end for end in joined if isinstance(end, str)], "joined_s": joined_s, "page": page,
        "plain": plain, "foreign": foreign, "host": crowd.host, "counts": counts and counts[1]}))


if __name__ == "__main__":
    main()
