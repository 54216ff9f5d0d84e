//! Defects: each breaks the promise in one way, and the checks must notice.

use glassline_wire::frame::{Decoder, Frame, put_frame};
use glassline_wire::limits::GREETING_BYTES_MAX;
use glassline_wire::opening::EVENT_OPENING;
use glassline_wire::request::{Ask, Request};

/// Defects to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Mutation {
    /// The store loses its last commit in a crash.
    StoreLosesLastCommit,
    /// A message is reported as stored, and so fanned out, before its commit.
    FanOutBeforeCommit,
    /// A message sent again under its id is stored a second time.
    StoreLosesIds,
    /// A message that may have been stored is treated as new.
    StoreGuesses,
    /// The number of a message is one too high now and then.
    StoreSkipsNumbers,
    /// `hello` of a reconnecting client omits `since`.
    ClientOmitsSince,
    /// Loses the report of a message's outcome.
    OutcomeIsLost,
    /// An answer to a history question is never sent.
    AnswerIsLost,
    /// The page after a gap in a client's messages lacks its first message.
    PageIsShort,
}

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
