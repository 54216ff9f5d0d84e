"""Frames over a socket, with a deadline on every wait (clauses T1 and T2)."""

import os
import socket
import struct
import time

HEADER = 10
PATIENCE = 30.0  # seconds that any single wait may take: it ends with the event, and a busy machine is slow
PROMPT = 2.0  # seconds that what takes milliseconds may take, where that is measured: a busy machine pauses


class Ended(Exception):
    """The other side closed (or reset) the connection."""


class Late(Exception):
    """Nothing that was waited for came in time."""


class BadHeader(Exception):
    """The other side wrote a header that is not the canonical one of T1."""


def frame(payload):
    """One frame: the length in ASCII decimal, left-aligned in ten bytes, then the payload."""
    if isinstance(payload, str):
        payload = payload.encode()
    return b"%-10d" % len(payload) + payload


class FrameStream:
    """A connected socket that is read frame by frame; incomplete frames wait in `buffer`.

    `link` makes of it one that protects its bytes, such as `noise_link.NoiseLink`.
    """

    def __init__(self, address, receive_buffer=None, source=None, link=None):
        self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        if source:  # the address to come from, one of this machine's
            self.sock.bind((source, 0))
        if receive_buffer:  # must be set before connecting to bound the window
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if link:
            self.sock = link(self.sock)
        self.buffer = bytearray()

    def send_raw(self, data):
        self.sock.settimeout(PATIENCE)
        try:
            self.sock.sendall(data)
        except TimeoutError:
            raise Late("the other side takes no bytes") from None
        except OSError as error:
            raise Ended(f"while sending: {error}") from None

    def recv_chunk(self, timeout=PATIENCE):
        """What one recv() gives, so what one segment brought."""
        self.sock.settimeout(max(timeout, 0.001))
        try:
            chunk = self.sock.recv(1 << 18)
        except (TimeoutError, BlockingIOError):
            raise Late("no bytes came") from None
        except OSError as error:
            raise Ended(str(error)) from None
        if not chunk:
            raise Ended("closed by the other side")
        return chunk

    def take_frame(self):
        """A whole frame out of the buffer, or None. Strict: only canonical headers are accepted."""
        if len(self.buffer) < HEADER:
            return None
        header = bytes(self.buffer[:HEADER])
        digits = header.rstrip(b" ")
        if not digits.isdigit() or header != b"%-10d" % int(digits):
            raise BadHeader(f"header {header!r} is not canonical (T1)")
        end = HEADER + int(digits)
        if len(self.buffer) < end:
            return None
        payload = bytes(self.buffer[HEADER:end])
        del self.buffer[:end]
        return payload

    def read_frame(self, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while True:
            payload = self.take_frame()
            if payload is not None:
                return payload
            self.buffer += self.recv_chunk(deadline - time.monotonic())

    def read_to_end(self, timeout=PATIENCE):
        """Everything up to the close, which must come in time. A reset counts as a close."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.buffer += self.recv_chunk(deadline - time.monotonic())
        except Ended:
            rest, self.buffer = bytes(self.buffer), bytearray()
            return rest
        except Late:
            raise Late(f"the connection is still open after {timeout:g} s, got {bytes(self.buffer)!r}") from None

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with RST, as a killed machine or an impatient program does."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()

    def vanish(self):
        """Drops the socket without FIN or RST, so that the server cannot notice; False where not permitted.

        A socket in repair mode is closed silently (Linux, needs CAP_NET_ADMIN).
        """
        tcp_repair = 19
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, tcp_repair, 1)
        except OSError:
            return False
        self.sock.close()
        return True

    def local_port(self):
        return self.sock.getsockname()[1]


def parse_address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


def new_id():
    """A client's own 128-bit message id (E4), as 32 hexadecimal digits."""
    return os.urandom(16).hex()
