"""A WebSocket as a link under the clients of both dialects, with the protocol of PyPI `websockets`.

    peer = EventPeer(address, "eve", link=WebSocketLink)
"""

from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri


class HandshakeRefused(Exception):
    def __init__(self, response):
        super().__init__(f"{response.status_code} {response.reason_phrase}")
        self.response = response


class WebSocketLink:
    """A connected socket whose bytes pass in binary messages. `received` keeps the control frames that came."""

    def __init__(self, sock, host=None, origin=None, **options):
        self.sock = sock
        self.received = []
        name = host or "%s:%d" % sock.getpeername()[:2]
        self.protocol = ClientProtocol(parse_uri(f"ws://{name}/ws"), origin=origin, **options)
        self._held = bytearray()
        self.protocol.send_request(self.protocol.connect())
        self._flush()
        while not self._take(Response):
            self._read()
        if self.protocol.handshake_exc:
            raise HandshakeRefused(self.response)

    def _flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self.sock.sendall(data)

    def _read(self):
        """Reads once; answers to control frames, such as pongs, are sent at once."""
        chunk = self.sock.recv(1 << 16)
        if chunk:
            self.protocol.receive_data(chunk)
        else:
            self.protocol.receive_eof()
        self._flush()
        return chunk

    def _take(self, kind=None):
        found = False
        for event in self.protocol.events_received():
            if isinstance(event, Response):
                self.response = event
            elif event.opcode in (Opcode.BINARY, Opcode.CONT):
                self._held += event.data
            else:
                self.received.append(event)
            found |= kind is not None and isinstance(event, kind)
        return found

    def sendall(self, data, size=1 << 16):
        for at in range(0, len(data), size):
            self.protocol.send_binary(bytes(data[at:at + size]))
        self._flush()

    def recv(self, _size):
        """Payload of what came; empty once the other side has closed."""
        while not self._held:
            chunk = self._read()
            self._take()
            if not chunk or self.protocol.close_rcvd:
                break
        data, self._held = bytes(self._held), bytearray()
        return data

    def __getattr__(self, name):
        """Timeouts, options and the close are the socket's."""
        return getattr(self.sock, name)
