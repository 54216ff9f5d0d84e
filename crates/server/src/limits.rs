//! Bounds and deadlines that a server's `Config` can set (clause L), the reason beside each.

/// Bounds and deadlines of a server; tests and small machines may set others.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Everything up to an accepted name, handshakes included (D2): a slow phone on a bad line
    /// needs two or three seconds.
    pub greeting_timeout_ms: u64,
    /// Connections without a name, those of HTTP too, in all: ten seconds of a hundred arrivals
    /// each. Past it one is closed, the first of its rank.
    pub unregistered_max: usize,
    /// … and from one address: a class behind one router fits, thirty of which open the page with
    /// six connections each and the others join from terminals; one machine cannot take all
    /// descriptors.
    pub unregistered_per_address_max: usize,
    /// Members from one address: a class behind one router. Past it no further name is accepted.
    pub members_per_address_max: usize,
    /// Each dialect's log in a room: how far a reader may lag before it misses something;
    /// minutes of a busy room.
    pub log_bytes_max: usize,
    /// All logs together: a server on a small machine stays within a quarter of a gigabyte whatever
    /// its rooms do.
    pub logs_bytes_max: usize,
    /// Queued for one member alone: hundreds of answers, or a dozen of the longest direct messages.
    pub send_queue_bytes_max: usize,
    /// Queued for all members, each for one alone: as much as 256 members with a full queue each.
    /// Past half of it a member must read what is queued for it before its next request is read;
    /// past it those that take nothing are closed.
    pub send_queues_bytes_max: usize,
    /// A peer that takes no byte for so long while bytes wait is gone or hostile; TCP itself would
    /// wait fifteen minutes.
    pub no_progress_timeout_ms: u64,
    /// An event member silent for so long is sent a `ping`: shorter than the usual NAT
    /// timeout of a minute.
    pub ping_after_ms: u64,
    /// … and for so long is closed: two pings and an answer's time.
    pub dead_after_ms: u64,
    /// Time in which the holder of a name must answer before a token takes the name from it (E2).
    pub takeover_probe_ms: u64,
    /// After its last output, how long a connection is read on so that it arrives before the
    /// close does.
    pub drain_timeout_ms: u64,
    /// On shutdown, how long what waits may take to be written: below the five seconds that
    /// operators are promised.
    pub shutdown_timeout_ms: u64,
    /// … and how long peers then have to close first, so that no unread byte of theirs turns our
    /// close into a reset.
    pub farewell_timeout_ms: u64,
    /// First wait after `accept` failed for want of descriptors, doubled up to the maximum.
    pub accept_backoff_min_ms: u64,
    /// Longest such wait: the server accepts again within two seconds of descriptors being free.
    pub accept_backoff_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            greeting_timeout_ms: 10_000,
            unregistered_max: 1_024,
            unregistered_per_address_max: 256,
            members_per_address_max: 64,
            log_bytes_max: 8 << 20,
            logs_bytes_max: 256 << 20,
            send_queue_bytes_max: 256 << 10,
            send_queues_bytes_max: 64 << 20,
            no_progress_timeout_ms: 30_000,
            ping_after_ms: 30_000,
            dead_after_ms: 75_000,
            takeover_probe_ms: 1_000,
            drain_timeout_ms: 2_000,
            shutdown_timeout_ms: 4_000,
            farewell_timeout_ms: 300,
            accept_backoff_min_ms: 10,
            accept_backoff_max_ms: 1_000,
        }
    }
}
