//! Schemes that are programs.
