//! Differences between operating systems: the only module that depends on which one this is.

#[cfg(not(unix))]
mod other;
mod silence;
#[cfg(unix)]
mod unix;

pub(crate) use silence::enable_keepalive;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;
