//! The two pages that are served over HTTP, and the answers to requests for others.

use crate::metrics::exposition::CONTENT_TYPE;
use crate::metrics::render::render;
use crate::metrics::watch::Seen;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Metrics,
    Health,
}

impl Page {
    /// The page of a target, or the answer where there is none.
    pub(super) fn of(method: &str, target: &str) -> Result<Self, Response> {
        match (method, target) {
            ("GET", "/metrics") => Ok(Self::Metrics),
            ("GET", "/healthz") => Ok(Self::Health),
            ("GET", _) => Err(Response::error("404 Not Found", "there is no such page")),
            _ => Err(Response::error("405 Method Not Allowed", "this cannot be done here")),
        }
    }

    pub(super) fn render(self, seen: &Seen, is_closing: bool) -> Response {
        match self {
            Self::Metrics => {
                let body = render(&seen.snapshot, seen.is_answer);
                Response { status: "200 OK", content_type: CONTENT_TYPE, body }
            }
            Self::Health if is_closing => Response::plain("503 Service Unavailable", "closing down"),
            Self::Health if seen.is_answer => Response::plain("200 OK", "ok"),
            Self::Health => Response::plain("503 Service Unavailable", "the server's loop does not answer; restart it"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Response {
    fn plain(status: &'static str, text: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{text}\n") }
    }

    pub(super) fn error(status: &'static str, text: &str) -> Self {
        Self::plain(status, &format!("{text}; ask with GET for /metrics or /healthz"))
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> &'static str {
        self.status
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { status, content_type, body } = self;
        let allow = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{allow}Cache-Control: no-store\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Snapshot;

    fn seen(is_answer: bool) -> Seen {
        Seen { snapshot: Snapshot { members: 5, ..Snapshot::default() }, is_answer }
    }

    #[test]
    fn health_follows_the_loop() {
        assert_eq!(Page::Health.render(&seen(true), false), Response::plain("200 OK", "ok"));
        let stuck = Page::Health.render(&seen(false), false);
        assert!(stuck.status.starts_with("503 ") && stuck.body.contains("does not answer"), "{stuck:?}");
        let closing = Page::Health.render(&seen(false), true);
        assert!(closing.status.starts_with("503 ") && closing.body == "closing down\n", "{closing:?}");
    }

    #[test]
    fn metrics_of_a_stuck_loop_say_that_they_are_old() {
        let fresh = Page::Metrics.render(&seen(true), false).body;
        assert!(fresh.contains("\nglassline_members 5\n") && fresh.contains("\nglassline_loop_answers 1\n"), "{fresh}");
        let old = Page::Metrics.render(&seen(false), false).body;
        assert!(old.contains("\nglassline_members 5\n") && old.contains("\nglassline_loop_answers 0\n"), "{old}");
    }
}
