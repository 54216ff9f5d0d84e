//! Faults of a network, without sockets, clocks or rules: late, slow and sliced bytes. The tap
//! and the simulation put them in the way of a connection.

mod shaper;

pub use shaper::{Pace, Shape, Shaper};
