"""A stand-in for the client of the socket chatroom tutorial, with its habits and its faults.

The socket does not block. A pair is read with four recv() calls, and when one of them would block, the
program starts over at the first: whatever it already read of that pair is lost, and so is its place in
the stream. A server must therefore write whole pairs (T4). `--robust` reads the same stream properly.

Three empty lines in a row leave: the five bytes `/exit`, without a header, then a close (T6).
"""

import argparse
import os
import select
import socket
import sys

HEADER_LENGTH = 10


def show(name, text):
    print(f"{name.decode('utf-8')} > {text.decode('utf-8')}", flush=True)


class FragileReader:
    def __init__(self, sock):
        self.sock = sock

    def drain(self):
        """Reads pairs until a recv() would block; False once the server has closed."""
        while True:
            try:
                header = self.sock.recv(HEADER_LENGTH)
                if not header:
                    return False
                name = self.sock.recv(int(header.decode("utf-8").strip()))
                header = self.sock.recv(HEADER_LENGTH)
                text = self.sock.recv(int(header.decode("utf-8").strip()))
            except BlockingIOError:
                return True  # the fault: even in the middle of a pair
            show(name, text)


class RobustReader:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.frames = []

    def drain(self):
        while True:
            try:
                chunk = self.sock.recv(1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.buffer += chunk
            while len(self.buffer) >= HEADER_LENGTH:
                end = HEADER_LENGTH + int(self.buffer[:HEADER_LENGTH])
                if len(self.buffer) < end:
                    break
                self.frames.append(self.buffer[HEADER_LENGTH:end])
                self.buffer = self.buffer[end:]
            while len(self.frames) > 1:
                show(self.frames.pop(0), self.frames.pop(0))


def send_frame(sock, payload):
    sock.send(f"{len(payload):<{HEADER_LENGTH}}".encode("utf-8") + payload)


def talk(sock, reader):
    """Until three empty lines, the end of stdin, or the end of the server. Gives the exit code."""
    empty, typed = 0, b""
    while True:
        readable, _, _ = select.select([sock, sys.stdin], [], [])
        if sock in readable:
            try:
                if not reader.drain():
                    print("Connection closed by the server", flush=True)
                    return 0
            except Exception as error:
                print("Reading error:", error, flush=True)
                return 1
        if sys.stdin in readable:
            chunk = os.read(sys.stdin.fileno(), 1 << 16)
            if not chunk:
                return 0
            *lines, typed = (typed + chunk).split(b"\n")
            for line in lines:
                empty = 0 if line else empty + 1
                if line:
                    send_frame(sock, line)
                elif empty == 3:
                    sock.send(b"/exit")
                    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", default="127.0.0.1:1234")
    parser.add_argument("--name", required=True)
    parser.add_argument("--robust", action="store_true", help="keep the place in the stream")
    options = parser.parse_args()
    host, port = options.address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)))
    sock.setblocking(False)
    send_frame(sock, options.name.encode("utf-8"))
    code = talk(sock, (RobustReader if options.robust else FragileReader)(sock))
    sock.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
