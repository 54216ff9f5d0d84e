//! Clients, network, server and journal in one thread under virtual time, with faults drawn from a seed.
//!
//! The client's session, the server from its links to its hub, and both their timers are the real thing; the network, the disk and
//! the clocks are simulated. A run has faults for a while, then quiet, in which everything must come right by itself. Then what
//! everybody was shown is held against what is stored: what anyone saw is stored, what a sender saw acknowledged survives a crash, and
//! a reconnecting client misses nothing and sees nothing twice.

mod connection;
mod disk;
mod mutation;
mod oracle;
mod plan;
mod report;
mod sim_journal;
mod sim_user;
mod tutorial_session;
mod world;

pub use mutation::Mutation;
pub use report::{Failure, Report};

/// Runs one seed, with a trace if `is_traced`. The same seed is the same run.
///
/// # Errors
/// The promise was broken: how, and when.
pub fn simulate(seed: u64, mutation: Option<Mutation>, is_traced: bool) -> Result<Report, Failure> {
    world::World::new(seed, mutation, is_traced).run()
}
