"""W: what the server says in HTTP: who may ask for what, with which headers, and how it refuses."""

import socket
import ssl

from frames import Ended, FrameStream, Late
from harness import check, expect, expect_equal
from raw_websocket import RawWebSocket, request

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")


def tls(sock):
    """The socket, protected; whoever answers is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(sock)


class Answer:
    def __init__(self, raw):
        self.head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = self.head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else lines[0]
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


def ask(server, data, link=None):
    """The answer to one request on a connection of its own; 'cut' where there is none."""
    stream = FrameStream(server.address, link=link)
    try:
        stream.send_raw(data)
    except Ended:
        pass  # refused before all of it was sent; the answer may be there
    try:
        return Answer(stream.read_to_end(8))
    finally:
        stream.close()


def get(server, path="/", host="127.0.0.1", **headers):
    return ask(server, request(path, host=host, **({"Connection": "close"} | headers)))


@check("W", "every answer carries the policy, nosniff and no-referrer; files have their type, and are checked anew")
def headers(bench):
    with bench.server() as server:
        for path, kind in (("/", "text/html; charset=utf-8"), ("/main.js", "text/javascript; charset=utf-8"),
                           ("/style.css", "text/css; charset=utf-8"), ("/icon.svg", "image/svg+xml"), ("/nothing", None)):
            answer = get(server, path)
            expect_equal(answer.status, 200 if kind else 404, path)
            policy = answer.fields["content-security-policy"]
            expect_equal(sorted(part.strip() for part in policy.split(";")), sorted(part.strip() for part in POLICY.split(";")), path)
            expect_equal(answer.fields["x-content-type-options"], "nosniff")
            expect_equal(answer.fields["referrer-policy"], "no-referrer")
            if kind:
                expect_equal(answer.fields["content-type"].lower(), kind)
                expect_equal(len(answer.body), int(answer.fields["content-length"]), path)
                again = get(server, path, **{"If-None-Match": answer.fields["etag"]})
                expect_equal((again.status, again.body), (304, b""), path)
        head = ask(server, request("/", "HEAD", Connection="close"))
        expect_equal((head.status, head.body), (200, b""))


@check("W", "Host may be an address, localhost, the host's name or one that --web-name names, and nothing else")
def hosts(bench):
    name = socket.gethostname()
    with bench.server("--web-name", "chat.example") as server:
        for host in ("127.0.0.1", "127.0.0.1:9", "192.0.2.7:1234", "[::1]", "[2001:db8::7]:80", "localhost", "LOCALHOST:1234",
                     name, f"{name}.local", "chat.example", "Chat.Example:99"):
            expect_equal(get(server, host=host).status, 200, f"Host: {host}")
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "chat.example.evil.example", "",
                     "evil.example:1234", "127.0.0.1@evil.example", "a b"):
            answer = get(server, host=host)
            expect(answer.status in (400, 403, 421), f"a refusal of Host: {host!r}", answer.status)
            expect(b"<script" not in answer.body, "no page", answer.body[:200])
        answer = ask(server, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        expect_equal(answer.status, 400, "without Host")
        answer = ask(server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        expect_equal(answer.status, 400, "two Hosts")


@check("W", "methods other than GET and HEAD are 405, and a body is never read as frames")
def methods(bench):
    with bench.server() as server:
        peer = server.event("bob")
        hidden = b"GLASSLINE2" + b'42        {"type":"hello","name":"smuggled","x":"12345"}'
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            answer = ask(server, request("/", method, Content_Length=str(len(hidden)), Origin="http://evil.example",
                                         body=hidden))
            expect(answer.status in (400, 403, 405, 413), f"a refusal of {method}", answer.status)
            if answer.status == 405:
                expect_equal({word.strip() for word in answer.fields["allow"].split(",")}, {"GET", "HEAD"})
        answer = ask(server, request("/", Content_Length=str(len(hidden)), body=hidden))
        expect(answer.status in (400, 413), "a refusal of a GET with a body", answer.status)
        ask(server, request("/", Transfer_Encoding="chunked", body=b"a\r\n" + hidden[:10] + b"\r\n0\r\n\r\n"))
        peer.barrier()
        expect_equal(peer.ask("members", "members", room="lobby")["names"], ["bob"])


@check("W", "heads of more than 8 KiB and of nonsense are refused, and others do not notice")
def heads(bench):
    with bench.server() as server:
        peer = server.event("bob")
        for data in (b"GET / HTTP/1.1\r\nX: " + b"a" * (1 << 20), b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
                     b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                     b"GET / HTTP/9.9\r\n\r\n", b"GET \x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /\r\n\r\n"):
            try:
                answer = ask(server, data)
            except (Ended, Late) as error:
                raise AssertionError(f"{data[:40]!r}: {error}") from None
            expect(not answer.head or answer.status in (400, 414, 431, 505), f"a refusal of {data[:30]!r}", answer.status)
            peer.barrier()


@check("W", "paths that climb or are written otherwise find nothing")
def paths(bench):
    with bench.server() as server:
        for path in ("/../Cargo.toml", "/%2e%2e/", "//main.js", "/main.js/", "/./main.js", "/index.html.", "/MAIN.JS", "/ws/", "*"):
            answer = get(server, path)
            expect(answer.status in (400, 404), f"nothing at {path}", answer.status)
        expect_equal(get(server, "/?from=a&b=c").status, 200, "a query does not matter")


@check("W", "requests on a kept connection are answered in order, and it ends after the last")
def keep_alive(bench):
    with bench.server() as server:
        stream = FrameStream(server.address)
        stream.send_raw(request("/icon.svg") + request("/icon.svg", "HEAD") + request("/main.js")
                        + request("/icon.svg", Connection="close"))
        raw = stream.read_to_end(4)
        statuses = [int(part[:3]) for part in raw.decode("utf-8", "replace").split("HTTP/1.1 ")[1:]]
        expect_equal(statuses, [200] * 4)


@check("W", "--no-web serves no page and no WebSocket; --pure says nothing")
def switched_off(bench):
    with bench.server("--no-web") as server:
        answer = get(server)
        expect_equal(answer.status, 426)
        expect(b"<script" not in answer.body and b"glassline join" in answer.body, "how to join", answer.body[-300:])
        head = RawWebSocket(server.address).head
        expect(" 101 " not in head, "no WebSocket", head)
    with bench.server("--pure") as server:
        stream = FrameStream(server.address)
        stream.send_raw(request("/"))
        expect_equal(stream.read_to_end(4), b"")


@check("W C", "https on the same port; with --require tls plain HTTP is redirected to it")
def over_tls(bench):
    with bench.server() as server:
        secure = FrameStream(server.address, link=tls)
        secure.send_raw(request("/", Connection="close"))
        raw = b""
        try:
            while chunk := secure.sock.recv(1 << 16):
                raw += chunk
        except (OSError, ssl.SSLError):
            pass
        expect_equal(Answer(raw).status, 200)
    with bench.server("--require", "tls") as server:
        host = "%s:%d" % server.address
        answer = get(server, "/", host=host)
        expect_equal((answer.status, answer.fields["location"]), (308, f"https://{host}/"))
        head = RawWebSocket(server.address).head
        expect(" 101 " not in head, "no WebSocket without TLS", head)
