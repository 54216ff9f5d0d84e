//! The table of attacks and schemes. Each cell runs one attack against one scheme, beside honest
//! messages of the same session, and reports what was observed.
//!
//! Conversations run in memory, without sockets and clocks. A seed decides keys, texts and the
//! attacker's choices; layers that draw random numbers of their own (TLS, Noise) do so beside it,
//! and no outcome depends on them. Only [`program`] does I/O: it runs a scheme that is a program.

mod adversary;
mod attack;
mod attacks;
mod bytes;
mod chat;
mod lab;
mod outcome;
pub mod program;
mod random;
mod scheme;
pub mod schemes;
mod seal;
mod secret;
mod selection;
mod stolen;
mod table;
mod transcript;

pub use adversary::Adversary;
pub use attack::{ATTACKS, Attack, Source};
pub use lab::Effort;
pub use outcome::{Defect, Outcome};
pub use random::Random;
pub use scheme::{LinkScheme, MemberKeys, Memory, Scheme, ServerKeys};
pub use seal::{Body, Posted, Received, RoomSeal, Voice, VoiceSetup};
pub use secret::Secret;
pub use selection::Selection;
pub use stolen::{Compromised, Thief};
pub use table::{Cell, Table};
pub use transcript::Transcript;
