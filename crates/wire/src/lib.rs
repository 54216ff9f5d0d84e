//! The Glassline wire, as `spec/protocol.md` defines it: frames, the openings that choose a dialect,
//! requests, events, slash commands and limits; layers below the protocol; and the types that the
//! hub and the history share.
//!
//! Nothing here does I/O, reads a clock or allocates for bytes that have not arrived: bytes and
//! times are arguments.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[expect(missing_docs, reason = "acts that `AuditEntry::done` describes")]
mod audit;
pub mod commands;
pub mod envelope;
#[expect(missing_docs, reason = "fields of the schema that their names describe")]
pub mod event;
pub mod frame;
pub mod hex;
#[expect(missing_docs, reason = "variants that their names describe")]
pub mod history;
pub mod layer;
pub mod limits;
pub mod link;
pub mod message_id;
pub mod natural_order;
pub mod opening;
pub mod operator_token;
#[expect(missing_docs, reason = "fields of the schema that their names describe")]
pub mod request;
pub mod sealed;
pub mod slash;
pub mod spelling;
pub mod timestamp;
pub mod visible;
pub mod websocket;
