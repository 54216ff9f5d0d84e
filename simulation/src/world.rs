//! One run under one clock: a phase with faults, then one without, in which everything must recover by itself.

mod faults;
mod tutorial_user;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use glassline_hub::Now;
use glassline_server::{Config, FloodLimit, Limits, TestServer};
use glassline_session::{Input, Output, Update};
use glassline_testkit::Rng;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::timestamp::Timestamp;

use self::tutorial_user::TutorialUser;
use crate::connection::{Connection, ConnectionEvent};
use crate::disk::{AS_SIMULATED, SharedDisk};
use crate::mutation::{Mutation, without_since};
use crate::plan::Plan;
use crate::sim_journal::SimJournal;
use crate::sim_user::SimUser;
use crate::{Failure, Report};

/// Longest time for everything to come right: a dead connection is found after 75 s, a try to
/// connect waits 30 s at most.
const QUIET_MAX_MS: u64 = 240_000;
/// Start of the run's clock, in milliseconds since 1970; no clock shows less.
const EPOCH_MS: u64 = 1_790_000_000_000;
/// Turns and steps at one instant; more is an endless loop.
const STEPS_PER_INSTANT_MAX: u32 = 20_000;
/// Everything that may be held for one connection: its queue, a page of the past and a copy of what a room had left for it.
const HELD_BYTES_MAX: usize = 3 << 20;

pub(crate) struct World {
    plan: Plan,
    rng: Rng,
    mutation: Option<Mutation>,
    now_ms: u64,
    server: Option<TestServer>,
    server_started_ms: u64,
    turned_ms: u64,
    free_at_ms: u64,
    opens_at_ms: Option<u64>,
    clock_offset_ms: i64,
    disk: SharedDisk,
    journal: Option<SimJournal>,
    connections: BTreeMap<u64, Connection>,
    last_connection: u64,
    users: Vec<SimUser>,
    tutorial_users: Vec<TutorialUser>,
    faults_at_ms: u64,
    disk_frees_at_ms: Option<u64>,
    is_fault_free: bool,
    is_traced: bool,
    report: Report,
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, is_traced: bool) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::draw(&mut rng);
        let disk = SharedDisk::default();
        (disk.lock().mutation, disk.lock().page_messages_max) = (mutation, plan.page_messages_max);
        disk.lock().ids_kept = plan.ids_kept;
        let users = (0..plan.users).map(|index| SimUser::new(index, rng.fork(), 0)).collect();
        let tutorial_users: Vec<TutorialUser> = (0..plan.tutorial_users).map(TutorialUser::new).collect();
        Self {
            mutation,
            now_ms: 0,
            server: None,
            server_started_ms: 0,
            turned_ms: 0,
            free_at_ms: 0,
            opens_at_ms: Some(0),
            clock_offset_ms: 0,
            disk,
            journal: None,
            connections: BTreeMap::new(),
            last_connection: 0,
            users,
            tutorial_users,
            faults_at_ms: 1_000,
            disk_frees_at_ms: None,
            is_fault_free: false,
            is_traced,
            report: Report { seed, ..Report::default() },
            plan,
            rng,
        }
    }

    pub(crate) fn run(mut self) -> Result<Report, Failure> {
        self.trace(|world| format!("{:?}", world.plan));
        let mut outcome = self.run_events();
        if outcome.is_ok() {
            outcome = self.check();
        }
        let (seed, at_ms) = (self.report.seed, self.now_ms);
        outcome.map(|()| self.report).map_err(|what| Failure { seed, at_ms, what })
    }

    fn run_events(&mut self) -> Result<(), String> {
        let mut steps = 0;
        loop {
            let due_ms = self.next_due_ms().max(self.now_ms);
            steps = if due_ms > self.now_ms { 0 } else { steps + 1 };
            if steps > STEPS_PER_INSTANT_MAX {
                return Err(format!("time stands still: somebody goes round in a circle ({})", self.who_is_due()));
            }
            self.now_ms = due_ms;
            if !self.is_fault_free && self.now_ms >= self.plan.fault_phase_ms {
                self.end_faults();
            }
            self.step()?;
            if self.is_fault_free && self.is_settled() {
                self.report.virtual_ms = self.now_ms;
                return Ok(());
            }
            if self.now_ms > self.plan.fault_phase_ms + QUIET_MAX_MS {
                return Err(format!("it does not come right by itself: {}", self.open_points()));
            }
        }
    }

    fn next_due_ms(&self) -> u64 {
        let now_ms = self.now_ms;
        let connections = self.connections.values().filter_map(|connection| connection.due_ms(now_ms));
        let users = self.users.iter().filter_map(SimUser::due_ms);
        let tutorial_users = self.tutorial_users.iter().filter(|user| !user.is_done);
        let tutorial_users = tutorial_users.flat_map(|user| [user.connects_at_ms, Some(user.acts_at_ms)]).flatten();
        let faults = (!self.is_fault_free).then_some(self.faults_at_ms.min(self.plan.fault_phase_ms));
        let rest = [self.journal_due_ms(), self.opens_at_ms, self.disk_frees_at_ms, faults, self.turn_due_ms()];
        connections.chain(users).chain(tutorial_users).chain(rest.into_iter().flatten()).min().unwrap_or(now_ms + 1_000)
    }

    fn who_is_due(&self) -> String {
        let now_ms = self.now_ms;
        let connections: Vec<u64> =
            self.connections.values().filter_map(|connection| connection.due_ms(now_ms)).collect();
        let users: Vec<u64> = self.users.iter().filter_map(SimUser::due_ms).collect();
        let journal = self.journal_due_ms();
        format!(
            "lines at {connections:?}, people at {users:?}, journal at {journal:?}, server at {:?}",
            self.turn_due_ms()
        )
    }

    fn journal_due_ms(&self) -> Option<u64> {
        self.journal.as_ref().and_then(SimJournal::due_ms)
    }

    fn turn_due_ms(&self) -> Option<u64> {
        let server = self.server.as_ref()?;
        let is_wake_pending = self.journal.as_ref().is_some_and(SimJournal::is_wake_pending);
        let has_readiness =
            is_wake_pending || self.connections.values().any(|connection| connection.pipe.has_readiness());
        let due_ms =
            if has_readiness { Some(self.now_ms) } else { server.wait_ms().map(|wait_ms| self.turned_ms + wait_ms) };
        due_ms.map(|due_ms| due_ms.max(self.free_at_ms))
    }

    fn step(&mut self) -> Result<(), String> {
        self.tick_journal();
        self.step_connections()?;
        for index in 0..self.users.len() {
            self.step_user(index)?;
        }
        for index in 0..self.tutorial_users.len() {
            self.step_tutorial_user(index);
        }
        if self.opens_at_ms.take_if(|at_ms| *at_ms <= self.now_ms).is_some() {
            self.open_server()?;
        }
        if self.disk_frees_at_ms.take_if(|at_ms| *at_ms <= self.now_ms).is_some() {
            self.disk.lock().is_full = false;
        }
        if !self.is_fault_free && self.faults_at_ms <= self.now_ms {
            self.faults_at_ms = self.now_ms + self.rng.between(1, self.plan.fault_every_ms);
            self.inject_fault();
        }
        if self.turn_due_ms().is_some_and(|due_ms| due_ms <= self.now_ms) {
            self.turn()?;
        }
        Ok(())
    }

    fn tick_journal(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.tick(self.now_ms);
        }
    }

    fn turn(&mut self) -> Result<(), String> {
        let now = self.server_now();
        let Some(server) = &mut self.server else { return Ok(()) };
        if let Some(journal) = &self.journal {
            journal.note_turn();
        }
        let turned = server.turn(now);
        (self.turned_ms, self.free_at_ms) = (self.now_ms, self.now_ms + self.rng.next_u64() % 2);
        if server.counts().contains("session_failed") {
            return Err("a session panicked".to_owned());
        }
        if server.held_bytes_max() > HELD_BYTES_MAX {
            return Err(format!("{} bytes are held for one connection", server.held_bytes_max()));
        }
        self.tick_journal();
        if let Err(error) = turned {
            if !error.to_string().contains(AS_SIMULATED) {
                return Err(format!("the server stops: {error}"));
            }
            self.trace(|_| format!("the server stops: {error}"));
            self.crash();
        }
        Ok(())
    }

    fn server_now(&self) -> Now {
        let at = (EPOCH_MS + self.now_ms).saturating_add_signed(self.clock_offset_ms);
        Now { monotonic_ms: self.now_ms - self.server_started_ms, at: Timestamp::from_unix_ms(at) }
    }

    fn open_server(&mut self) -> Result<(), String> {
        let plan = &self.plan;
        let opened = SimJournal::open(plan, self.disk.clone(), self.mutation, self.rng.fork(), self.now_ms);
        let (journal, mut sim_journal) = opened.map_err(|error| format!("the journal does not open: {error}"))?;
        if self.is_fault_free {
            sim_journal.end_faults();
        }
        self.journal = Some(sim_journal);
        let limits = Limits {
            log_bytes_max: plan.log_bytes_max,
            send_queue_bytes_max: plan.send_queue_bytes_max,
            ..Limits::default()
        };
        let config = Config {
            flood: plan.flood_per_s.map_or(FloodLimit::Off, FloodLimit::PerSecond),
            replay: plan.replay,
            replay_tutorial: plan.replay_tutorial,
            limits,
            ..Config::default()
        };
        let newest = self.disk.lock().newest("lobby");
        (self.server_started_ms, self.turned_ms, self.free_at_ms) = (self.now_ms, self.now_ms, self.now_ms);
        self.server = Some(TestServer::open(config, Some((journal, newest)), self.server_now()));
        self.trace(|_| format!("the server opens, the lobby is at {newest}"));
        Ok(())
    }

    fn crash(&mut self) {
        if self.server.take().is_none() {
            return;
        }
        self.report.crashes += 1;
        if let Some(journal) = self.journal.take() {
            journal.crash();
        }
        self.opens_at_ms = Some(self.now_ms + self.rng.between(5, 4_000));
        let now_ms = self.now_ms;
        for connection in self.connections.values_mut() {
            connection.is_orphaned = true;
            // Some receive buffered bytes, some are notified at once, some much later.
            match self.rng.between(0, 9) {
                0..=4 => {}
                5..=8 => connection.sever(Some(now_ms + self.rng.between(0, 300)), None),
                _ => connection.sever(Some(now_ms + self.rng.between(300, 60_000)), None),
            }
        }
        self.trace(|world| format!("the server crashes; the lobby is at {}", world.disk.lock().newest("lobby")));
    }

    fn step_connections(&mut self) -> Result<(), String> {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(connection) = self.connections.get_mut(&id) else { continue };
            let events = connection.step(self.now_ms, self.is_fault_free, &mut self.rng);
            let (owner, is_over) = (connection.owner, connection.is_over());
            for event in events {
                self.handle_event(id, owner, event)?;
            }
            if is_over {
                self.connections.remove(&id);
            }
        }
        Ok(())
    }

    fn handle_event(&mut self, id: u64, owner: usize, event: ConnectionEvent) -> Result<(), String> {
        self.report.fold(self.now_ms, id, &event);
        if owner >= self.users.len() {
            return self.handle_tutorial(owner - self.users.len(), id, event);
        }
        let user = &mut self.users[owner];
        if user.connection != Some(id) {
            return Ok(());
        }
        let now_ms = user.session_ms(self.now_ms);
        match &event {
            ConnectionEvent::Bytes(bytes) => user.session.handle(Input::Bytes(bytes), now_ms),
            ConnectionEvent::Written => user.session.handle(Input::Written, now_ms),
            ConnectionEvent::Closed => user.session.handle(Input::Closed("it is closed"), now_ms),
        }
        self.drain(owner)
    }

    fn step_user(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        if self.users[index].starts_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.users[index].start_again(now_ms);
        }
        if self.users[index].starts_at_ms.is_some() {
            return Ok(());
        }
        if self.users[index].connects_at_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() {
            self.connect_finished(index);
        }
        let user = &mut self.users[index];
        if user.acts_at_ms <= now_ms {
            user.acts_at_ms = now_ms + self.rng.between(1, self.plan.act_every_ms);
            if self.is_fault_free {
                user.send_final_texts(&self.plan, now_ms);
            } else {
                user.act(&self.plan, now_ms);
            }
        }
        let session_ms = user.session_ms(now_ms);
        if user.session.next_deadline_ms().is_some_and(|deadline_ms| deadline_ms <= session_ms) {
            user.session.handle(Input::Tick, session_ms);
        }
        self.drain(index)
    }

    /// A connection attempt has succeeded or failed.
    fn connect_finished(&mut self, index: usize) {
        let connection = self.connect(index);
        let user = &mut self.users[index];
        let now_ms = user.session_ms(self.now_ms);
        user.connection = connection;
        user.is_first_write = true;
        match connection {
            Some(_) => user.session.handle(Input::Connected, now_ms),
            None => user.session.handle(Input::ConnectFailed("nobody answers"), now_ms),
        }
    }

    fn connect(&mut self, owner: usize) -> Option<u64> {
        let server = self.server.as_mut()?;
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, owner as u8 + 1));
        let pipe = server.connect(SocketAddr::new(address, 4_000), self.plan.send_buffer_bytes);
        let mut connection = Connection::new(pipe, owner, self.plan.latency_max_ms, self.plan.slice_bytes_max);
        if self.is_fault_free {
            connection.heal();
        }
        self.last_connection += 1;
        self.connections.insert(self.last_connection, connection);
        self.report.connections += 1;
        Some(self.last_connection)
    }

    fn drain(&mut self, index: usize) -> Result<(), String> {
        while let Some(output) = self.users[index].session.poll_output() {
            let now_ms = self.now_ms;
            let user = &mut self.users[index];
            let connection = user.connection.and_then(|connection| self.connections.get_mut(&connection));
            match output {
                Output::Connect => {
                    user.connects_at_ms = Some(now_ms + self.rng.between(1, self.plan.latency_max_ms));
                }
                Output::Send(bytes) => {
                    let forgets =
                        std::mem::take(&mut user.is_first_write) && self.mutation == Some(Mutation::ClientOmitsSince);
                    let bytes = if forgets { without_since(&bytes) } else { bytes };
                    if let Some(connection) = connection {
                        connection.write(bytes);
                    }
                }
                Output::HalfClose => connection.map_or((), Connection::end),
                Output::Disconnect => {
                    (user.connects_at_ms, user.connection) = (None, None);
                    let was_welcomed = std::mem::take(&mut user.is_welcomed_in_quiet);
                    if let Some(connection) = connection {
                        if was_welcomed && !connection.broken && !connection.pipe.is_finished() {
                            return Err(format!("person {index} gave a good connection up: nothing came any more"));
                        }
                        connection.close();
                    }
                }
                Output::Show(update) => self.show(index, &update)?,
                Output::Ended(ending) => {
                    if user.oracle.is_welcomed() {
                        return Err(format!("the session of person {index} ended: {ending:?}"));
                    }
                    user.starts_at_ms = Some(now_ms + 300);
                }
            }
        }
        Ok(())
    }

    fn show(&mut self, index: usize, update: &Envelope<Update>) -> Result<(), String> {
        self.trace(|_| format!("person {index} is shown {update:?}"));
        if matches!(update.content, Update::Received(Event::Welcome(_))) {
            self.users[index].is_welcomed_in_quiet = self.is_fault_free;
        }
        let disk = self.disk.lock();
        self.users[index].oracle.shown(update, &disk).map_err(|why| format!("person {index}: {why}"))
    }

    /// Ends the phase with faults. What is broken stays so until it is noticed.
    fn end_faults(&mut self) {
        self.is_fault_free = true;
        self.trace(|_| "quiet from here on".to_owned());
        if let Some(journal) = &mut self.journal {
            journal.end_faults();
        }
        let mut disk = self.disk.lock();
        (disk.is_full, disk.fails, disk.page_messages_max) = (false, None, disk.page_messages_max.max(20));
        drop(disk);
        self.connections.values_mut().for_each(Connection::heal);
        let now_ms = self.now_ms;
        for user in &mut self.tutorial_users {
            // A tutorial program waits forever without an answer; its user restarts it.
            if let Some(connection) = user.connection.and_then(|connection| self.connections.get_mut(&connection))
                && connection.broken
            {
                connection.close();
                (user.connection, user.connects_at_ms) = (None, Some(now_ms + 500));
            }
        }
        self.users.iter_mut().for_each(|user| user.acts_at_ms = now_ms + 500);
        self.tutorial_users.iter_mut().for_each(|user| user.acts_at_ms = now_ms + 500);
    }

    fn is_settled(&self) -> bool {
        let is_stored = self.journal.as_ref().is_some_and(SimJournal::is_idle)
            && self.server.as_ref().is_some_and(|server| server.unstored() == 0);
        let all_users = self.users.iter().all(|user| user.is_settled(self.now_ms));
        is_stored && all_users && self.tutorial_users.iter().all(|user| user.is_done) && self.first_missing().is_none()
    }

    fn first_missing(&self) -> Option<String> {
        let disk = self.disk.lock();
        self.users.iter().enumerate().find_map(|(index, user)| {
            user.oracle.first_missing(&disk).map(|missing| format!("person {index}: {missing}"))
        })
    }

    fn open_points(&self) -> String {
        let unsettled = |(index, user): (usize, &SimUser)| {
            let status = user.session.status(user.session_ms(self.now_ms));
            (!user.is_settled(self.now_ms))
                .then(|| format!("person {index} is {:?}, {} unsent", status.link, status.unsent))
        };
        let users = self.users.iter().enumerate().filter_map(unsettled);
        let tutorial_users = self
            .tutorial_users
            .iter()
            .filter(|user| !user.is_done)
            .map(|user| format!("{} is not done", user.session.name));
        let server = self.server.as_ref().map(|server| format!("{} unstored", server.unstored()));
        let all: Vec<String> = users.chain(tutorial_users).chain(self.first_missing()).chain(server).collect();
        all.join("; ")
    }

    /// Holds what everybody saw against what is stored.
    fn check(&mut self) -> Result<(), String> {
        let disk = self.disk.lock();
        for log in disk.rooms.values() {
            self.report.stored += log.messages.len();
            for (message, seq) in log.messages.iter().zip(1_u64..) {
                if message.seq != Some(seq) {
                    return Err(format!("{} has {:?} where {seq} belongs", message.room, message.seq));
                }
            }
        }
        for (index, user) in self.users.iter().enumerate() {
            let named = |why: String| format!("person {index}: {why}");
            for oracle in &user.old_oracles {
                oracle.check(&disk, &self.plan, false).map_err(named)?;
            }
            user.oracle.check(&disk, &self.plan, true).map_err(named)?;
            let (acknowledged, gaps) = user.oracle.counts();
            self.report.acknowledged += acknowledged;
            self.report.gaps += gaps;
        }
        self.tutorial_users.iter().try_for_each(|user| user.session.check(&disk))
    }

    /// Traces an event, if tracing is on.
    fn trace(&self, what: impl FnOnce(&Self) -> String) {
        if self.is_traced {
            println!("{:>7} ms  {}", self.now_ms, what(self));
        }
    }
}
