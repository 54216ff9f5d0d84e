"""A server's side of Noise links in front of a plain server, so that a client under test meets another implementation.

    with NoiseRelay(server.address) as relay:
        bench.join(relay.at, "--link", "noise")
"""

import socket
import threading

from frames import PATIENCE
from noise_link import Link, Truncated


class Stream:
    """Reads exactly what is asked for."""

    def __init__(self, sock):
        self.sock, self.read_bytes = sock, b""

    def exactly(self, count):
        data = b""
        while len(data) < count:
            chunk = self.sock.recv(count - len(data))
            if not chunk:
                raise Truncated(f"the stream ended {count - len(data)} bytes early")
            data += chunk
        self.read_bytes += data
        return data

    def message(self):
        return self.exactly(int.from_bytes(self.exactly(2), "big"))


class NoiseRelay:
    """`links` are those whose handshake is over, `heard` is what each client sent in its handshake, complete or not.

    Without `keys` each connection meets another server. `change` may change message 2.
    """

    def __init__(self, target, keys=None, change=lambda message: message):
        self.target, self.keys, self.change = target, keys, change
        self.links, self.heard = [], []
        self._sockets = []
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.at = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self._listener, *self._sockets):
            sock.close()

    def wait(self, holds, timeout=PATIENCE):
        """Waits until `holds` of this relay; gives whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(self), timeout)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._keep(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _keep(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.append(sock)

    def _serve(self, sock):
        stream = Stream(sock)
        try:
            self._relay(stream, self._shake(stream))
        except (OSError, Truncated):
            pass  # the client went first
        finally:
            sock.close()

    def _shake(self, stream):
        link = None
        try:
            head = stream.exactly(12)
            if head[:11] != b"GLASSNOISE\x01":
                raise Truncated(f"no offer: {head}")
            link = Link(False, stream.exactly(head[11]), self.keys)
            link.take_message(stream.message())
            stream.sock.sendall(self.change(link.message()))
            link.take_message(stream.message())
            return link
        finally:
            with self._changed:
                self.heard.append(stream.read_bytes)
                if link and link.noise.handshake_finished:
                    self.links.append(link)
                self._changed.notify_all()

    def _relay(self, stream, link):
        target = socket.create_connection(self.target)
        self._keep(target)
        down = threading.Thread(target=self._down, args=(target, stream.sock, link), daemon=True)
        down.start()
        while plaintext := link.open(stream.message()):
            target.sendall(plaintext)
        link.has_ended = True
        target.shutdown(socket.SHUT_WR)
        down.join()

    @staticmethod
    def _down(target, sock, link):
        try:
            while data := target.recv(40_000):
                sock.sendall(link.seal(data))
            sock.sendall(link.seal(b""))
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the client went first
