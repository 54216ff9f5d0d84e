//! Decoder of a terminal's reports: bytes become events. Pure; the bytes are read elsewhere.

pub(crate) mod bracketed;
#[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere the system says keys, not bytes"))]
pub(crate) mod decoder;
pub(crate) mod event;
mod sequence;
