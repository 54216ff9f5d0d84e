//! HTTP: requests for the page, one after the other, until one of them opens a WebSocket (W).

use crate::close_reason::CloseReason;
use crate::http_head::{self, Parsed, RequestHead};
use crate::protocol::{SessionContext, Step};
use crate::web::{HEAD_BYTES_MAX, Reply, Response, Service, reply_to};

/// Time for the head of a request, from its first byte on.
const HEAD_TIMEOUT_MS: u64 = 10_000;
/// Time for the next request, after an answer.
const KEEP_ALIVE_MS: u64 = 5_000;
/// Answers that wait to be taken, past which a further request ends the connection.
const ANSWERS_BYTES_MAX: usize = 64 * 1024;
/// Time in which an answer must be taken: a whole page over a slow line.
pub(crate) const ANSWER_TIMEOUT_MS: u64 = 60_000;

#[derive(Debug)]
pub(crate) struct HttpSession {
    service: Service,
    /// Bytes of a request whose head is not complete.
    head: Vec<u8>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request has begun at this time.
    Head { since_ms: u64 },
    /// The last answer was given at this time.
    Answered { at_ms: u64 },
}

/// Decision at a deadline of a connection.
#[derive(Debug)]
pub(crate) enum HttpTimeout {
    /// The connection goes on until this time.
    Continue { until_ms: u64 },
    /// The connection ends.
    End(Step),
}

impl HttpSession {
    /// Returns the session of a connection that has begun with these bytes of HTTP, which its input
    /// does not contain any more.
    pub(crate) fn new(first_bytes: &[u8], service: Service, now_ms: u64) -> Self {
        Self { service, head: first_bytes.to_vec(), phase: Phase::Head { since_ms: now_ms } }
    }

    /// Time at which [`time_out`](Self::time_out) decides.
    pub(crate) fn due_ms(&self) -> u64 {
        match self.phase {
            Phase::Head { since_ms } => since_ms + HEAD_TIMEOUT_MS,
            Phase::Answered { at_ms } => at_ms + KEEP_ALIVE_MS,
        }
    }

    /// Returns whether no request has begun, so that the end of the stream cuts nothing off.
    pub(crate) fn is_idle(&self) -> bool {
        self.head.is_empty()
    }

    pub(crate) fn take(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        while !input.is_empty() {
            if context.pre_login_output.len() > ANSWERS_BYTES_MAX {
                // The client sends requests and does not read the answers.
                return Step::leave(CloseReason::HttpDone, Vec::new());
            }
            let step = self.take_request(input, context);
            if step != Step::Continue {
                return step;
            }
        }
        Step::Continue
    }

    /// Takes one request, or what has arrived of it.
    fn take_request(&mut self, input: &mut &[u8], context: &mut SessionContext<'_>) -> Step {
        let Some(web) = context.web else { return Step::leave(CloseReason::HttpDone, Vec::new()) };
        let now_ms = context.now.monotonic_ms;
        if self.is_idle() {
            self.phase = Phase::Head { since_ms: now_ms };
        }
        let held = self.head.len();
        let (fresh, rest) = input.split_at(input.len().min(HEAD_BYTES_MAX - held));
        self.head.extend_from_slice(fresh);
        let read = |head: &RequestHead<'_>| (reply_to(head, web, self.service), head.method == "HEAD");
        let parsed = http_head::parse(&self.head, HEAD_BYTES_MAX, read);
        let ((reply, is_head_only), head_bytes) = match parsed {
            Parsed::Incomplete => {
                *input = rest;
                return Step::Continue;
            }
            Parsed::TooLong => return refuse("431 Request Header Fields Too Large", "this request is too long"),
            Parsed::Malformed => return refuse("400 Bad Request", "this is no request of HTTP/1"),
            Parsed::Request(answered, head_bytes) => (answered, head_bytes),
        };
        // A head ends behind what was held of it, or it would have ended before.
        *input = &input[head_bytes.saturating_sub(held)..];
        self.head = Vec::new();
        self.phase = Phase::Answered { at_ms: now_ms };
        match reply {
            // Its answer would pass the ones that are not taken yet.
            Reply::WebSocket(_) if !context.pre_login_output.is_empty() => {
                Step::leave(CloseReason::HttpDone, Vec::new())
            }
            Reply::WebSocket(response) => {
                Step::StartWebSocket { response, first_bytes: std::mem::take(input).to_vec() }
            }
            Reply::Rejection(response) => end(&response, is_head_only, CloseReason::HttpRefused),
            Reply::Response(response) if response.is_last() => end(&response, is_head_only, CloseReason::HttpDone),
            Reply::Response(response) => {
                context.pre_login_output.extend(response.to_bytes(is_head_only));
                Step::Continue
            }
        }
    }

    /// Decides at [`due_ms`](Self::due_ms) whether the connection goes on; so many bytes of answers
    /// are not taken yet.
    pub(crate) fn time_out(&self, unsent_bytes: usize, now_ms: u64) -> HttpTimeout {
        match self.phase {
            Phase::Answered { at_ms } if unsent_bytes > 0 && now_ms < at_ms + ANSWER_TIMEOUT_MS => {
                HttpTimeout::Continue { until_ms: now_ms + KEEP_ALIVE_MS }
            }
            Phase::Answered { .. } => HttpTimeout::End(Step::leave(CloseReason::HttpDone, Vec::new())),
            Phase::Head { .. } => HttpTimeout::End(refuse("408 Request Timeout", "the request did not arrive in time")),
        }
    }
}

fn refuse(status: &'static str, text: &str) -> Step {
    end(&Response::rejection(status, text), false, CloseReason::HttpRefused)
}

/// Ends the connection with an answer; the log has the status of a refusal.
fn end(response: &Response, is_head_only: bool, reason: CloseReason) -> Step {
    Step::Close { reason, detail: response.status().to_string(), output: response.to_bytes(is_head_only) }
}
