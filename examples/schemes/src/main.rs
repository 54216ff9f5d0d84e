//! The laboratory: runs the table of attacks over the program's own schemes, a sound example and
//! broken ones, and over schemes from which a protection was removed. It is no part of a release.

mod broken;
mod fresh;
mod primitives;
mod records;
mod reference;
#[cfg(test)]
mod tests;

fn main() {}
