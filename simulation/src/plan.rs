//! Plan of one seed's run: who takes part, how the network and the disk are, and which faults there
//! are. Each run has some of the faults only, so that one does not hide another.

use glassline_testkit::Rng;

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind of fault")]
pub(crate) struct Plan {
    pub(crate) users: usize,
    pub(crate) tutorial_users: usize,
    pub(crate) fault_phase_ms: u64,
    /// One thing done by each user so often, at most.
    pub(crate) act_every_ms: u64,
    /// One fault so often, at most.
    pub(crate) fault_every_ms: u64,
    pub(crate) text_bytes_max: u64,
    pub(crate) rooms: bool,
    pub(crate) renames: bool,
    pub(crate) reads_back: bool,
    pub(crate) restarts_programs: bool,
    pub(crate) breaks: bool,
    pub(crate) stalls: bool,
    pub(crate) throttles: bool,
    pub(crate) crashes: bool,
    pub(crate) disk_fills: bool,
    pub(crate) disk_fails: bool,
    pub(crate) unreadable: bool,
    pub(crate) clock_jumps: bool,
    /// So many messages of a room are kept, in the store.
    pub(crate) keeps: Option<u64>,
    /// The store knows the ids of so many of the latest messages.
    pub(crate) ids_kept: Option<u64>,
    pub(crate) latency_max_ms: u64,
    /// Bytes that travel together, at most.
    pub(crate) slice_bytes_max: u64,
    pub(crate) commit_max_ms: u64,
    pub(crate) report_max_ms: u64,
    pub(crate) answer_max_ms: u64,
    pub(crate) group_max: usize,
    pub(crate) queue_max: usize,
    pub(crate) questions_max: usize,
    pub(crate) page_messages_max: u64,
    pub(crate) log_bytes_max: usize,
    pub(crate) outbox_bytes_max: usize,
    pub(crate) send_buffer_bytes: usize,
    pub(crate) replay: usize,
    pub(crate) replay_tutorial: usize,
    /// The flood limit, in messages a second; `None`: off.
    pub(crate) flood_per_s: Option<u32>,
}

impl Plan {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let has_tiny_logs = rng.per_mille(250);
        Self {
            users: rng.between(2, 4) as usize,
            tutorial_users: rng.between(0, 2) as usize,
            fault_phase_ms: rng.between(5_000, 40_000),
            act_every_ms: rng.pick(&[200, 800, 2_500]),
            fault_every_ms: rng.pick(&[400, 1_500, 5_000]),
            text_bytes_max: if has_tiny_logs { 2_000 } else { rng.pick(&[12, 60, 600]) },
            rooms: rng.per_mille(600),
            renames: rng.per_mille(200),
            reads_back: rng.per_mille(400),
            restarts_programs: rng.per_mille(200),
            breaks: rng.per_mille(700),
            stalls: rng.per_mille(500),
            throttles: rng.per_mille(300) || has_tiny_logs,
            crashes: rng.per_mille(500),
            disk_fills: rng.per_mille(150),
            disk_fails: rng.per_mille(100),
            unreadable: rng.per_mille(100),
            clock_jumps: rng.per_mille(200),
            keeps: rng.per_mille(100).then(|| rng.between(1, 30)),
            ids_kept: rng.per_mille(250).then(|| rng.between(1, 20)),
            latency_max_ms: rng.pick(&[1, 10, 80, 600]),
            slice_bytes_max: rng.pick(&[9, 200, 4_096, 65_536]),
            commit_max_ms: rng.pick(&[1, 5, 40, 400]),
            report_max_ms: rng.pick(&[0, 3, 30]),
            answer_max_ms: rng.pick(&[0, 5, 100, 1_500]),
            group_max: rng.pick(&[1, 3, 64]),
            queue_max: rng.pick(&[1, 4, 64]),
            questions_max: rng.pick(&[1, 3, 64]),
            page_messages_max: rng.pick(&[1, 3, 17, 200]),
            log_bytes_max: if has_tiny_logs { rng.pick(&[2_000, 12_000]) } else { 8 << 20 },
            outbox_bytes_max: rng.pick(&[1_000, 20_000, 256 << 10]),
            send_buffer_bytes: rng.pick(&[64, 3_000, 200_000]),
            replay: rng.pick(&[0, 1, 5, 50]),
            replay_tutorial: rng.pick(&[0, 0, 5]),
            flood_per_s: rng.pick(&[None, None, Some(5), Some(50)]),
        }
    }

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
