"""Frames of a WebSocket as bytes (RFC 6455), so that wrong ones can be sent too."""

import os
import re
import struct

from frames import Ended, FrameStream

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
HEADERS = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # for that key, RFC 6455 section 1.3


def encoded(opcode, payload=b"", is_last=True, reserved=0, is_masked=True, length=None):
    """A frame of a client. `length` is announced in place of the payload's own."""
    size = len(payload) if length is None else length
    head = bytes([is_last << 7 | reserved << 4 | opcode])
    mark = is_masked << 7
    if size < 126:
        head += bytes([mark | size])
    elif size < 1 << 16:
        head += struct.pack(">BH", mark | 126, size)
    else:
        head += struct.pack(">BQ", mark | 127, size)
    if not is_masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def request(path="/", method="GET", host="127.0.0.1", body=b"", **headers):
    """A request of HTTP; a header that is None is left out."""
    fields = {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value is not None]
    return f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


class HttpPeer(FrameStream):
    """A connection of a browser."""

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.recv_chunk()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        return head.decode()

    def get(self, path, **headers):
        """Head and content of the answer."""
        self.send_raw(request(path, **headers))
        head = self.read_head()
        return head, self._take(int(re.search(r"^Content-Length: (\d+)\r?$", head, re.M | re.I)[1]))

    def _take(self, count):
        while len(self.buffer) < count:
            self.buffer += self.recv_chunk()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken


class RawWebSocket(HttpPeer):
    """A connection after the handshake, on which frames are read one by one."""

    def __init__(self, address, link=None, **headers):
        super().__init__(address, link=link)
        host = "%s:%d" % address
        origin = f"{'https' if link else 'http'}://{host}"
        self.send_raw(request("/ws", host=host, **(HEADERS | {"Origin": origin} | headers)))
        self.head = self.read_head()

    def send(self, *arguments, **options):
        self.send_raw(encoded(*arguments, **options))

    def receive(self):
        """Opcode and payload of the next frame, which must not be masked and has its shortest length."""
        first, second = self._take(2)
        assert not second & 0x80, "a masked frame of a server"
        assert not first & 0x70, "reserved bits of a server"
        size = second
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
            assert size >= 126, "a length that is not the shortest"
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
            assert size >= 1 << 16, "a length that is not the shortest"
        return first & 0xF, self._take(size)

    def close_code(self):
        """The code of the close that comes, behind messages; 'none' for a close without one, 'cut' without a close."""
        try:
            while True:
                opcode, payload = self.receive()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big") if payload else "none"
        except Ended:
            return "cut"
