//! Injected faults: one fault at a time, of the kinds that this run has.

use super::World;

#[derive(Debug, Clone, Copy)]
enum Fault {
    Break,
    Stall,
    Throttle,
    Crash,
    DiskFull,
    DiskFails,
    DiskSlow,
    ClockJumps,
    Prune,
    ProgramEnds,
}

impl World {
    pub(super) fn inject_fault(&mut self) {
        let plan = &self.plan;
        let kinds = [
            (plan.breaks, Fault::Break),
            (plan.breaks, Fault::Break),
            (plan.stalls, Fault::Stall),
            (plan.throttles, Fault::Throttle),
            (plan.crashes, Fault::Crash),
            (plan.disk_fills, Fault::DiskFull),
            (plan.disk_fails, Fault::DiskFails),
            (plan.disk_slows, Fault::DiskSlow),
            (plan.clock_jumps, Fault::ClockJumps),
            (plan.keeps.is_some(), Fault::Prune),
            (plan.restarts_programs, Fault::ProgramEnds),
        ];
        let possible: Vec<Fault> = kinds.into_iter().filter_map(|(is_one, fault)| is_one.then_some(fault)).collect();
        if possible.is_empty() {
            return;
        }
        let fault = self.rng.pick(&possible);
        self.trace(|_| format!("fault: {fault:?}"));
        match fault {
            Fault::Break => self.break_a_connection(),
            Fault::Stall => self.stall_a_connection(),
            Fault::Throttle => {
                let bytes_per_s = self.rng.pick(&[40, 400, 4_000]);
                if let Some(id) = self.any_connection()
                    && let Some(connection) = self.connections.get_mut(&id)
                {
                    connection.throttle(bytes_per_s);
                }
            }
            Fault::Crash => {
                if self.rng.per_mille(300) {
                    self.crash();
                }
            }
            Fault::DiskFull => {
                self.disk.lock().is_full = true;
                self.disk_frees_at_ms = Some(self.now_ms + self.rng.between(1, 2_000));
            }
            // It is unknown whether later writes reach the disk.
            Fault::DiskFails => self.disk.lock().fails = Some(self.rng.per_mille(500)),
            Fault::DiskSlow => {
                let until_ms = self.now_ms + self.rng.between(1, 3_000);
                if let Some(journal) = &mut self.journal {
                    journal.be_busy_until(until_ms);
                }
            }
            Fault::ClockJumps => {
                let jump_ms = self.rng.between(0, 7_200_000).cast_signed();
                self.clock_offset_ms += if self.rng.per_mille(500) { jump_ms } else { -jump_ms };
            }
            Fault::Prune => {
                if let Some(keeps) = self.plan.keeps {
                    self.disk.lock().prune(keeps);
                }
            }
            Fault::ProgramEnds => self.end_a_program(),
        }
    }

    fn any_connection(&mut self) -> Option<u64> {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        (!ids.is_empty()).then(|| self.rng.pick(&ids))
    }

    fn break_a_connection(&mut self) {
        let Some(id) = self.any_connection() else { return };
        let now_ms = self.now_ms;
        let mut notices = || match self.rng.between(0, 9) {
            0..=6 => Some(now_ms + self.rng.between(0, 300)),
            7 | 8 => Some(now_ms + self.rng.between(300, 20_000)),
            _ => None,
        };
        let (client, server) = (notices(), notices());
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.sever(client, server);
        }
    }

    fn stall_a_connection(&mut self) {
        let Some(id) = self.any_connection() else { return };
        let length_ms = self.rng.pick(&[50, 1_000, 5_000, 35_000]);
        let until_ms = self.now_ms + self.rng.between(1, length_ms);
        let (up, down) = self.rng.pick(&[(true, true), (true, false), (false, true)]);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stall(up, down, until_ms);
        }
    }

    fn end_a_program(&mut self) {
        let index = self.rng.index(self.users.len());
        let now_ms = self.now_ms;
        let user = &mut self.users[index];
        if let Some(connection) = user.connection.take().and_then(|connection| self.connections.get_mut(&connection)) {
            connection.close();
        }
        user.connects_at_ms = None;
        user.starts_at_ms = Some(now_ms + self.rng.between(1, 2_000));
    }
}
