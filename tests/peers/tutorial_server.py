"""A stand-in for the server of the socket chatroom tutorial, with its habits and its faults.

One thread and select(). After accept() it reads the name at once, blocking. One recv() is taken for a
whole header, one more for a whole payload. A header that is no number makes it forget the client; at
accept time the socket stays open, unanswered, until the next accept takes the variable over.
"""

import argparse
import select
import socket
import sys

HEADER_LENGTH = 10


def receive(client):
    """One frame as (header, payload), or None for anything else: closed, reset, not a number."""
    try:
        header = client.recv(HEADER_LENGTH)
        if not header:
            return None
        return header, client.recv(int(header.decode("utf-8").strip()))
    except Exception:  # as broad as the program it stands for
        return None


def log(*words):
    print(*words, file=sys.stderr, flush=True)


def serve(port, forgotten):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print("listening on {}:{}".format(*listener.getsockname()), flush=True)

    members = {}  # socket -> the name frame, header and all
    limbo = []    # sockets of clients that were forgotten at accept, still open
    while True:
        readable, _, _ = select.select([listener, *members], [], [])
        for source in readable:
            if source is listener:
                client, _ = listener.accept()
                if forgotten == "next-accept":
                    while limbo:
                        limbo.pop().close()
                name = receive(client)
                if name is None:
                    log("forgot a client that gave no name")
                    if forgotten == "close":
                        client.close()
                    else:
                        limbo.append(client)
                    continue
                members[client] = name
                log("accepted", ascii(name[1].decode("utf-8", "replace")))
                continue
            if source not in members:
                continue
            message = receive(source)
            if message is None:
                name = members.pop(source)
                source.close()
                log("closed", ascii(name[1].decode("utf-8", "replace")))
                continue
            name = members[source]
            for other in members:
                if other is not source:
                    try:
                        other.send(name[0] + name[1] + message[0] + message[1])
                    except OSError:  # the original stops here; a test's server had better stay
                        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=1234, help="0 takes any free port")
    parser.add_argument("--forgotten", choices=["next-accept", "never", "close"], default="next-accept",
                        help="when the socket of a client without a valid name is closed")
    options = parser.parse_args()
    serve(options.port, options.forgotten)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
