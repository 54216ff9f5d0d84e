//! Reply to a request: a file of the page, a WebSocket, or a refusal.

use super::response::{Reply, Response};
use super::{Web, files, handshake, host};
use crate::http_head::RequestHead;

/// Path of the WebSocket.
const WEBSOCKET_PATH: &str = "/ws";
const METHODS: &str = "GET, HEAD";

/// Scheme of the page's address, which is the protection below HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Service that requests of a connection get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The page and its WebSocket, under this scheme.
    Page(Scheme),
    /// The address of the page under `https`: this server takes TLS only.
    Redirect,
}

/// Returns the reply to a request.
pub(crate) fn reply_to(request: &RequestHead<'_>, web: &Web, service: Service) -> Reply {
    let Ok(Some(Ok(host))) = request.only_value("Host").map(|host| host.map(std::str::from_utf8)) else {
        return rejection("400 Bad Request", "a request has one Host line");
    };
    if !host::is_own(host, &web.names) {
        let text = "this server is not known under this name; start it with --web-name NAME, or use its IP address";
        return rejection("421 Misdirected Request", text);
    }
    if !matches!(request.method, "GET" | "HEAD") {
        let response = Response::rejection("405 Method Not Allowed", "nothing can be sent here but GET and HEAD");
        return Reply::Rejection(response.with_line("Allow", METHODS));
    }
    if has_body(request) {
        return rejection("413 Content Too Large", "a request has no content here");
    }
    if !request.target.starts_with('/') {
        return rejection("400 Bad Request", "the target of a request is a path");
    }
    let scheme = match service {
        Service::Page(scheme) => scheme,
        Service::Redirect => return redirect_to(&format!("https://{host}{}", request.target)),
    };
    if request.path() == WEBSOCKET_PATH {
        return handshake::answer(request, scheme.as_str(), host);
    }
    let response = file(request);
    let is_last = request.is_version_1_0 || request.lists("Connection", "close");
    Reply::Response(if is_last { response.into_last() } else { response })
}

fn redirect_to(address: &str) -> Reply {
    let response = Response::of_text("308 Permanent Redirect", "this server takes connections over TLS only");
    Reply::Response(response.with_line("Location", address).into_last())
}

fn rejection(status: &'static str, text: &str) -> Reply {
    Reply::Rejection(Response::rejection(status, text))
}

/// Returns whether the head announces content, which is not read.
fn has_body(request: &RequestHead<'_>) -> bool {
    let length = request.only_value("Content-Length");
    let is_empty = matches!(length, Ok(None)) || matches!(length, Ok(Some(b"0")));
    !is_empty || request.values("Transfer-Encoding").next().is_some()
}

fn file(request: &RequestHead<'_>) -> Response {
    let Some(file) = files::at(request.path()) else {
        return Response::of_text("404 Not Found", "there is no such file; the chat's page is at /");
    };
    let takes_gzip = request.lists("Accept-Encoding", "gzip");
    let content = if takes_gzip { &file.gzip } else { &file.identity };
    // A browser asks each time, so that the page and its modules are of one version.
    let is_known = request.lists("If-None-Match", &content.etag) || request.lists("If-None-Match", "*");
    let mut response =
        if is_known { Response::not_modified() } else { Response::of_content(file.content_type, &content.bytes) };
    if takes_gzip && !is_known {
        response = response.with_line("Content-Encoding", "gzip");
    }
    for (name, value) in [("ETag", &*content.etag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")] {
        response = response.with_line(name, value);
    }
    if file.links.is_empty() { response } else { response.with_line("Link", &file.links) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_head::{self, Parsed};

    const HTTP: Service = Service::Page(Scheme::Http);

    /// Status of the answer to a request with these lines, and its bytes.
    fn answered(web: &Web, service: Service, request: &str) -> (String, String) {
        let request = format!("{request}\r\n\r\n");
        let Parsed::Request(reply, _) =
            http_head::parse(request.as_bytes(), 8_192, |head| reply_to(head, web, service))
        else {
            panic!("{request:?} is no request");
        };
        let bytes = match reply {
            Reply::Response(response) | Reply::Rejection(response) => response.to_bytes(request.starts_with("HEAD")),
            Reply::WebSocket(bytes) => bytes,
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (text["HTTP/1.1 ".len()..][..3].to_string(), text)
    }

    fn status(request: &str) -> String {
        answered(&Web::default(), HTTP, request).0
    }

    const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost:1234\r\nConnection: keep-alive, Upgrade\r\n\
                           Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

    #[test]
    fn the_page_is_served_with_its_security_lines() {
        let web = Web::default();
        let (_, text) = answered(&web, HTTP, "GET /?x=y HTTP/1.1\r\nHost: 192.0.2.1:1234");
        for line in [
            "HTTP/1.1 200 OK",
            "Content-Type: text/html; charset=utf-8",
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Cache-Control: no-cache",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} in {text}");
        }
        assert!(text.contains("\r\nLink: </actions.js>; rel=modulepreload, </colours.js>; "), "{text}");
        let (head, body) = text.split_once("\r\n\r\n").expect("a body");
        assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())) && body.starts_with("<!doctype html>"));
        let (_, of_head) = answered(&web, HTTP, "HEAD / HTTP/1.1\r\nHost: 192.0.2.1:1234");
        assert_eq!(of_head, format!("{head}\r\n\r\n"));
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let web = Web::default();
        let (_, text) = answered(&web, HTTP, "GET / HTTP/1.1\r\nHost: localhost");
        let etag = text.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("a tag");
        for known in [etag.to_string(), format!("\"x\", {etag}"), "*".to_string()] {
            let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {known}");
            let (status, text) = answered(&web, HTTP, &request);
            assert_eq!((status.as_str(), text.ends_with("\r\n\r\n")), ("304", true), "{text}");
            assert!(!text.contains("Content-Length"), "{text}");
        }
        assert_eq!(status("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"x\""), "200");
    }

    #[test]
    fn a_file_is_compressed_for_those_who_take_that() {
        let web = Web::default();
        let asked = |lines: &str| answered(&web, HTTP, &format!("GET /page.js HTTP/1.1\r\nHost: localhost{lines}")).1;
        let tag =
            |text: &str| text.lines().find_map(|line| line.strip_prefix("ETag: ").map(str::to_string)).expect("a tag");
        let (plain, gzip) = (asked(""), asked("\r\nAccept-Encoding: br, gzip"));
        for text in [&plain, &gzip] {
            assert!(text.contains("\r\nVary: Accept-Encoding\r\n"), "{text}");
        }
        assert!(!plain.contains("Content-Encoding") && asked("\r\nAccept-Encoding: gzip;q=0") == plain);
        assert!(gzip.contains("\r\nContent-Encoding: gzip\r\n"), "{gzip}");
        // What is known is known in one encoding.
        let known = format!("\r\nIf-None-Match: {}", tag(&plain));
        assert!(asked(&known).starts_with("HTTP/1.1 304 "));
        assert!(asked(&format!("{known}\r\nAccept-Encoding: gzip")).starts_with("HTTP/1.1 200 "));
    }

    #[test]
    fn what_is_not_served_is_refused() {
        for (request, expected) in [
            ("GET /nothing HTTP/1.1\r\nHost: localhost", "404"),
            ("GET /wss HTTP/1.1\r\nHost: localhost", "404"),
            ("GET / HTTP/1.1", "400"),
            ("GET / HTTP/1.0", "400"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost", "400"),
            ("GET / HTTP/1.1\r\nHost: \u{ff}", "421"),
            ("GET / HTTP/1.1\r\nHost: rebound.example:1234", "421"),
            ("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 3", "405"),
            ("DELETE / HTTP/1.1\r\nHost: localhost", "405"),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost", "405"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1", "413"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5", "413"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked", "413"),
            ("GET http://localhost/ HTTP/1.1\r\nHost: localhost", "400"),
            ("GET /ws HTTP/1.1\r\nHost: localhost", "426"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", "200"),
            ("GET / HTTP/1.0\r\nHost: localhost", "200"),
        ] {
            assert_eq!(status(request), expected, "{request}");
        }
        let web = Web { names: vec!["class.local".into()] };
        assert_eq!(answered(&web, HTTP, "GET / HTTP/1.1\r\nHost: CLASS.local:1234").0, "200");
        let (_, text) = answered(&web, HTTP, "POST / HTTP/1.1\r\nHost: localhost");
        assert!(text.contains("\r\nAllow: GET, HEAD\r\n") && text.contains("\r\nConnection: close\r\n"), "{text}");
    }

    #[test]
    fn a_websocket_needs_its_lines_and_its_origin() {
        let web = Web::default();
        let (status, text) = answered(&web, HTTP, UPGRADE);
        assert_eq!(status, "101");
        assert!(text.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{text}");
        for (line, expected) in [
            ("Origin: http://localhost:1234", "101"),
            ("Origin: https://localhost:1234", "403"),
            ("Origin: http://localhost", "403"),
            ("Origin: http://evil.example", "403"),
            ("Origin: null", "403"),
            ("Origin: http://localhost:1234\r\nOrigin: http://localhost:1234", "403"),
            ("Host: localhost:1234", "400"),
            ("Sec-WebSocket-Version: 13", "426"),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "400"),
            ("Content-Length: 5", "413"),
        ] {
            assert_eq!(answered(&web, HTTP, &format!("{UPGRADE}\r\n{line}")).0, expected, "{line}");
        }
        for (from, to, expected) in [
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12", "426"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", "400"),
            ("keep-alive, Upgrade", "keep-alive", "426"),
            ("Upgrade: WebSocket", "Upgrade: h2c", "426"),
            ("localhost:1234", "rebound.example", "421"),
            ("HTTP/1.1", "HTTP/1.0", "426"),
            ("GET", "HEAD", "426"),
        ] {
            assert_eq!(answered(&web, HTTP, &UPGRADE.replace(from, to)).0, expected, "{to}");
        }
        let of_tls = Service::Page(Scheme::Https);
        assert_eq!(answered(&web, of_tls, &format!("{UPGRADE}\r\nOrigin: https://localhost:1234")).0, "101");
        assert_eq!(answered(&web, of_tls, &format!("{UPGRADE}\r\nOrigin: http://localhost:1234")).0, "403");
    }

    #[test]
    fn where_tls_is_required_plain_http_is_redirected() {
        let web = Web::default();
        let (status, text) = answered(&web, Service::Redirect, "GET /main.js?x HTTP/1.1\r\nHost: 192.0.2.7:1234");
        assert_eq!(status, "308");
        assert!(text.contains("\r\nLocation: https://192.0.2.7:1234/main.js?x\r\n"), "{text}");
        assert_eq!(answered(&web, Service::Redirect, UPGRADE).0, "308");
        assert_eq!(answered(&web, Service::Redirect, "GET / HTTP/1.1\r\nHost: evil.example").0, "421");
    }
}
