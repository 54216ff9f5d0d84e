//! Generational keys of connections.

/// Key of a connection: that of a closed one finds nothing, even if its slot is reused.
///
/// Serials wrap around: a key would find another connection if it were kept while exactly 2³² of
/// them are accepted. That of a closed one is kept by the probe of a name's holder, for seconds, and
/// by the list of those to be read until the loop reads again, where another connection would only
/// be read early. The order of keys is arbitrary; see
/// [`age`](crate::net::connections::Connections::age).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionKey {
    serial: u32,
    index: u32,
}

impl ConnectionKey {
    /// Returns the key of a place among the connections, of which there are fewer than 2³².
    pub(crate) fn new(serial: u32, index: usize) -> Self {
        Self { serial, index: index as u32 }
    }

    /// Index among the connections, for the hub and the system; both learn of the end of a
    /// connection before its index is reused.
    pub(crate) fn index(self) -> usize {
        self.index as usize
    }

    /// Number of the connection, counted from the server's start modulo 2³².
    pub(crate) fn serial(self) -> u32 {
        self.serial
    }
}
