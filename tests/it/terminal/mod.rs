//! The real binary in a real pseudo-terminal: what another member hears, what the screen shows, what a file holds.

mod draft;
mod editor;
mod ended;
mod harness;
mod heard;
mod hostile;
mod hosting;
mod leaving;
mod link;
mod listed;
mod operators;
mod past;
mod pastes;
mod people;
mod recall;
mod rooms;
mod settings;
#[cfg(target_os = "linux")]
mod stuck;
