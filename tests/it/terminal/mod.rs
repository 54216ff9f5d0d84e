//! The real binary in a real pseudo-terminal: what another member receives, what the screen shows,
//! what a file holds.

mod draft;
mod editor;
mod ended;
mod harness;
mod hostile;
mod hosting;
mod leaving;
mod linear;
mod link;
mod listed;
mod operators;
mod past;
mod pastes;
mod people;
mod presentation;
mod recall;
mod rooms;
mod sealed;
mod secure;
mod settings;
mod split_view;
#[cfg(target_os = "linux")]
mod stuck;
mod tap;
