"""A server that says what a script has it say: the page of a real one, and a WebSocket of its own.

    server = ScriptedServer(real.address, script)

`script(link)` runs for each WebSocket, after its opening: `link.send(**event)`, `link.receive()`, `link.welcome()`.
"""

import base64
import hashlib
import json
import socket
import struct
import threading

from frames import Ended, FrameStream, frame

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PATIENCE = 60
AT = "2026-03-01T09:00:00.000Z"


class Link:
    """The server's end of a WebSocket in which a page speaks the event dialect."""

    def __init__(self, sock):
        self.sock = sock
        self.stream = FrameStream.__new__(FrameStream)
        self.stream.buffer = bytearray()
        while len(self.stream.buffer) < len(b"GLASSLINE2"):
            self.stream.buffer += self._message()
        del self.stream.buffer[:len(b"GLASSLINE2")]
        self.hello = self.receive()

    def _message(self):
        first, second = self._take(2)
        size = second & 0x7F
        if size >= 126:
            size = struct.unpack(*((">H", self._take(2)) if size == 126 else (">Q", self._take(8))))[0]
        mask, masked = self._take(4), self._take(size)
        if first & 0xF == 8:
            raise Ended("closed by the page")
        return bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))

    def _take(self, count):
        taken = b""
        while len(taken) < count:
            chunk = self.sock.recv(count - len(taken))
            if not chunk:
                raise Ended("cut by the page")
            taken += chunk
        return taken

    def receive(self):
        """The next request of the page."""
        while (payload := self.stream.take_frame()) is None:
            self.stream.buffer += self._message()
        return json.loads(payload)

    def send_raw(self, data):
        size = len(data)
        head = bytes([size]) if size < 126 else struct.pack(">BH", 126, size) if size < 1 << 16 else struct.pack(">BQ", 127, size)
        self.sock.sendall(b"\x82" + head + data)

    def send(self, type, **fields):
        self.send_raw(frame(json.dumps({"type": type} | fields)))

    def message(self, seq, text="text", room="lobby", **fields):
        return {"type": "message", "room": room, "seq": seq, "at": AT, "from": "bob", "text": text} | fields

    def welcome(self, seq=0, **fields):
        rooms = [{"room": "lobby", "seq": seq, "count": 2}]
        self.send("welcome", **{"name": self.hello["name"], "server": "scripted", "token": "0" * 32, "rooms": rooms,
                                "limits": {}} | fields)

    def serve(self, *answers):
        """Answers requests as a quiet server does, until the page leaves; `answers(request)` that is true has answered."""
        while True:
            request = self.receive()
            ref = {"ref": request["ref"]} if "ref" in request else {}
            if any(answer(request) for answer in answers):
                continue
            if request["type"] == "members":
                self.send("members", room=request["room"], names=[self.hello["name"], "bob"], count=2, **ref)
            if request["type"] == "ping":
                self.send("pong", **ref)
            if request["type"] == "history":
                self.send("history", room=request["room"], messages=[], more=False, **ref)


class ScriptedServer:
    def __init__(self, page_of, script):
        self.page_of, self.script = page_of, script
        self.links = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock):
        with sock:
            sock.settimeout(PATIENCE)
            try:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += sock.recv(1) or self._ended()
                if head.startswith(b"GET /ws "):
                    self._websocket(sock, head)
                else:
                    self._pass_on(sock, head)
            except (Ended, OSError):
                pass

    def _ended(self):
        raise Ended("cut within a request")

    def _pass_on(self, sock, head):
        line = head.partition(b"\r\n")[0]
        with socket.create_connection(self.page_of, PATIENCE) as origin:
            origin.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while chunk := origin.recv(1 << 16):
                sock.sendall(chunk)

    def _websocket(self, sock, head):
        key = next(line[18:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        link = Link(sock)
        self.links.append(link)
        self.script(link)

    def close(self):
        self.listener.close()
