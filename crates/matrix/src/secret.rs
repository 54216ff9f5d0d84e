//! Secrets of the lab.

/// Bytes from which a scheme derives a key, or the random numbers of one session.
pub type Secret = [u8; 32];
