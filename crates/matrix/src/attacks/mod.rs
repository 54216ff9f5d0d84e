//! Attacks, by the position of the attacker.

pub(crate) mod cryptanalysis;
pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod oracle;
pub(crate) mod passive;
pub(crate) mod peer;
pub(crate) mod room;
pub(crate) mod session;
pub(crate) mod splice;
