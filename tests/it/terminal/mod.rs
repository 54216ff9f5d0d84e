//! The real binary in a real pseudo-terminal: what another member hears, what the screen shows, what a file holds.

mod draft;
mod harness;
mod leaving;
mod link;
mod listed;
mod pastes;
