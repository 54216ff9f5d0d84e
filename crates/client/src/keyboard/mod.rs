//! Decoder of a terminal's reports: bytes become events. Pure; reading the bytes is another's
//! business.

pub(crate) mod bracketed;
#[cfg_attr(not(unix), allow(dead_code, reason = "elsewhere the system says keys, not bytes"))]
pub(crate) mod decoder;
pub(crate) mod event;
mod sequence;
