//! Generational keys of connections.

/// Key of a connection: that of a closed one finds nothing, even if its slot is reused. Keys order
/// by age, the oldest connection's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionKey {
    serial: u64,
    index: usize,
}

impl ConnectionKey {
    pub(crate) fn new(serial: u64, index: usize) -> Self {
        Self { serial, index }
    }

    /// Index among the connections, for the hub and the system; both learn of the end of a
    /// connection before its index is reused.
    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// Number of the connection, counted from the server's start.
    pub(crate) fn serial(self) -> u64 {
        self.serial
    }
}
