//! A client that forgets: its `hello` on the way, without what it has already.

use glassline_wire::frame::{Decoder, Frame, put_frame};
use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::request::{Ask, Request};

/// The first bytes of a connection, with a `hello` that names no `since`; as they are if they are no such thing.
pub(crate) fn without_since(bytes: &[u8]) -> Vec<u8> {
    let as_it_is = || bytes.to_vec();
    let Some(mut input) = bytes.strip_prefix(EVENT_OPENING.as_slice()) else { return as_it_is() };
    let mut decoder = Decoder::event(GREETING_BYTES_MAX);
    let Ok(Some(Frame::Payload(payload))) = decoder.next(&mut input) else { return as_it_is() };
    let Ok(Request { content: Ask::Hello(mut hello), reference }) = Request::from_json(payload) else {
        return as_it_is();
    };
    hello.since = None;
    let mut rewritten = EVENT_OPENING.to_vec();
    put_frame(&mut rewritten, &Request::new(Ask::Hello(hello), reference).to_json());
    rewritten.extend_from_slice(input);
    rewritten
}
