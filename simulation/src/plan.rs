//! Plan of one seed's run: who takes part, how the network and the disk are, and which faults there
//! are. Each run has some of the faults only, so that one does not hide another.

use glassline_testkit::Rng;

/// Declares the plan: each field with what is drawn for it, in this order.
macro_rules! plan {
    ($rng:ident, $local:ident = $drawn:expr; $($(#[$doc:meta])* $field:ident: $type:ty = $draw:expr;)*) => {
        #[derive(Debug, Clone)]
        pub(crate) struct Plan {
            $($(#[$doc])* pub(crate) $field: $type,)*
        }

        impl Plan {
            pub(crate) fn draw($rng: &mut Rng) -> Self {
                let $local = $drawn;
                Self { $($field: $draw,)* }
            }
        }
    };
}

plan! {
    rng, has_tiny_logs = rng.per_mille(250);
    users: usize = rng.between(2, 4) as usize;
    tutorial_users: usize = rng.between(0, 2) as usize;
    fault_phase_ms: u64 = rng.between(5_000, 40_000);
    /// One thing done by each user so often, at most.
    act_every_ms: u64 = rng.pick(&[200, 800, 2_500]);
    /// One fault so often, at most.
    fault_every_ms: u64 = rng.pick(&[400, 1_500, 5_000]);
    text_bytes_max: u64 = if has_tiny_logs { 2_000 } else { rng.pick(&[12, 60, 600]) };
    rooms: bool = rng.per_mille(600);
    renames: bool = rng.per_mille(200);
    reads_back: bool = rng.per_mille(400);
    restarts_programs: bool = rng.per_mille(200);
    breaks: bool = rng.per_mille(700);
    stalls: bool = rng.per_mille(500);
    throttles: bool = rng.per_mille(300) || has_tiny_logs;
    crashes: bool = rng.per_mille(500);
    disk_fills: bool = rng.per_mille(150);
    disk_fails: bool = rng.per_mille(100);
    disk_slows: bool = rng.per_mille(500);
    unreadable: bool = rng.per_mille(100);
    clock_jumps: bool = rng.per_mille(200);
    /// So many messages of a room are kept, in the store.
    keeps: Option<u64> = rng.per_mille(100).then(|| rng.between(1, 30));
    /// The store knows the ids of so many of the latest messages.
    ids_kept: Option<u64> = rng.per_mille(250).then(|| rng.between(1, 20));
    latency_max_ms: u64 = rng.pick(&[1, 10, 80, 600]);
    /// Bytes that travel together, at most.
    slice_bytes_max: u64 = rng.pick(&[9, 200, 4_096, 65_536]);
    commit_max_ms: u64 = rng.pick(&[1, 5, 40, 400]);
    report_max_ms: u64 = rng.pick(&[0, 3, 30]);
    answer_max_ms: u64 = rng.pick(&[0, 5, 100, 1_500]);
    group_max: usize = rng.pick(&[1, 3, 64]);
    queue_max: usize = rng.pick(&[1, 4, 64]);
    questions_max: usize = rng.pick(&[1, 3, 64]);
    page_messages_max: u64 = rng.pick(&[1, 3, 17, 200]);
    log_bytes_max: usize = if has_tiny_logs { rng.pick(&[2_000, 12_000]) } else { 8 << 20 };
    send_queue_bytes_max: usize = rng.pick(&[1_000, 20_000, 256 << 10]);
    send_buffer_bytes: usize = rng.pick(&[64, 3_000, 200_000]);
    replay: usize = rng.pick(&[0, 1, 5, 50]);
    replay_tutorial: usize = rng.pick(&[0, 0, 5]);
    /// The flood limit, in messages a second; `None`: off.
    flood_per_s: Option<u32> = rng.pick(&[None, None, Some(5), Some(50)]);
}

impl Plan {
    /// Returns whether it may be unknown of a message whether it was stored.
    pub(crate) fn has_late(&self) -> bool {
        self.ids_kept.is_some() || self.keeps.is_some()
    }

    /// Returns whether a gap may be announced to a reader at all: with whole logs and a whole, readable
    /// history there is none, except for one who leaves a room before everything missed in it has
    /// come.
    pub(crate) fn has_gaps(&self) -> bool {
        self.rooms || self.log_bytes_max < 8 << 20 || self.keeps.is_some() || self.unreadable
    }
}
