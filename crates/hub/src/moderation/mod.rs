//! The operators' order (O): who may not speak, who may not come in, and who may say so.
//!
//! What an operator does is an act. Acts are stored like messages, and the order that stands is nothing but all of them, folded.

mod attempts;
mod enforcing;
mod guard;
mod instruction;
mod listing;
mod messages;
mod network;
mod newcomers;
mod operating;
mod standing;
mod target;
mod token;

pub(crate) use attempts::Attempts;
pub use enforcing::{AuditEvent, Disconnect};
pub(crate) use enforcing::{Consequences, Pending};
pub(crate) use instruction::{INSTRUCTIONS, is_instruction};
pub use network::subnet;
pub(crate) use standing::Moderation;
pub(crate) use token::check_text;
pub use token::{OperatorToken, TokenError};

/// Wrong tokens that are looked at on one connection: enough for a slip of the hand, and no guessing.
const WRONG_TOKENS_MAX: u8 = 3;

/// Mutes, and bans, that stand at a time: more than people keep in view.
const STANDING_MAX: usize = 1_000;

/// Longest reason in bytes: a sentence or two that fit a refusal.
const REASON_BYTES_MAX: usize = 256;

/// Longest message of the day in bytes: a screen, and what an operator's line has room for.
const MOTD_BYTES_MAX: usize = 1_019;
