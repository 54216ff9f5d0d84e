//! One run: everybody under one clock, faults for a while, then quiet, in which everything must come right by itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use glassline_hub::Now;
use glassline_server::{Config, FloodLimit, Limits, TestServer};
use glassline_session::{Input, Output, Update};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::timestamp::Timestamp;

use crate::disk::{AS_SIMULATED, SharedDisk};
use crate::line::{Line, Told};
use crate::mutation::Mutation;
use crate::person::Person;
use crate::plan::Plan;
use crate::random::Random;
use crate::rewrite::without_since;
use crate::seat::Seat;
use crate::sim_journal::SimJournal;
use crate::{Failure, Report};

/// Longest time for everything to come right: a dead connection is found after 75 s, a try to
/// connect waits 30 s at most.
const QUIET_MAX_MS: u64 = 240_000;
/// Start of the run's clock, in milliseconds since 1970; no clock shows less.
const EPOCH_MS: u64 = 1_790_000_000_000;
/// Turns and steps at one instant; more is a loop that goes round.
const STEPS_PER_INSTANT_MAX: u32 = 20_000;
/// Everything that may be held for one connection: its queue, a page of the past and a copy of what a room had left for it.
const HELD_BYTES_MAX: usize = 3 << 20;

/// See the module.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    mutation: Option<Mutation>,
    pub(crate) now_ms: u64,
    pub(crate) server: Option<TestServer>,
    server_started_ms: u64,
    turned_ms: u64,
    free_at_ms: u64,
    pub(crate) opens_at_ms: Option<u64>,
    pub(crate) clock_offset_ms: i64,
    pub(crate) disk: SharedDisk,
    pub(crate) journal: Option<SimJournal>,
    pub(crate) lines: BTreeMap<u64, Line>,
    next_line: u64,
    pub(crate) people: Vec<Person>,
    pub(crate) desks: Vec<Seat>,
    pub(crate) faults_at_ms: u64,
    pub(crate) disk_frees_at_ms: Option<u64>,
    pub(crate) is_calm: bool,
    traces: bool,
    pub(crate) report: Report,
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, traces: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random);
        let disk = SharedDisk::default();
        (disk.lock().mutation, disk.lock().page_messages_max) = (mutation, plan.page_messages_max);
        disk.lock().ids_kept = plan.ids_kept;
        let people = (0..plan.people).map(|index| Person::new(index, random.fork(), 0)).collect();
        let desks: Vec<Seat> = (0..plan.students).map(Seat::new).collect();
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
            lines: BTreeMap::new(),
            next_line: 0,
            people,
            desks,
            faults_at_ms: 1_000,
            disk_frees_at_ms: None,
            is_calm: false,
            traces,
            report: Report { seed, ..Report::default() },
            plan,
            random,
        }
    }

    /// Runs until everything has come right.
    pub(crate) fn run(mut self) -> Result<Report, Failure> {
        self.tell(|world| format!("{:?}", world.plan));
        let mut outcome = self.play();
        if outcome.is_ok() {
            outcome = self.check();
        }
        let (seed, at_ms) = (self.report.seed, self.now_ms);
        outcome.map(|()| self.report).map_err(|what| Failure { seed, at_ms, what })
    }

    fn play(&mut self) -> Result<(), String> {
        let mut steps = 0;
        loop {
            let due_ms = self.next_due_ms().max(self.now_ms);
            steps = if due_ms > self.now_ms { 0 } else { steps + 1 };
            if steps > STEPS_PER_INSTANT_MAX {
                return Err(format!("time stands still: somebody goes round in a circle ({})", self.who_is_due()));
            }
            self.now_ms = due_ms;
            if !self.is_calm && self.now_ms >= self.plan.unrest_ms {
                self.calm_down();
            }
            self.step()?;
            if self.is_calm && self.is_settled() {
                self.report.virtual_ms = self.now_ms;
                return Ok(());
            }
            if self.now_ms > self.plan.unrest_ms + QUIET_MAX_MS {
                return Err(format!("it does not come right by itself: {}", self.what_is_open()));
            }
        }
    }

    fn next_due_ms(&self) -> u64 {
        let now_ms = self.now_ms;
        let lines = self.lines.values().filter_map(|line| line.due_ms(now_ms));
        let people = self.people.iter().filter_map(Person::due_ms);
        let desks = self.desks.iter().filter(|desk| !desk.is_done);
        let desks = desks.flat_map(|desk| [desk.dials_at_ms, Some(desk.acts_at_ms)]).flatten();
        let faults = (!self.is_calm).then_some(self.faults_at_ms.min(self.plan.unrest_ms));
        let rest = [self.journal_due_ms(), self.opens_at_ms, self.disk_frees_at_ms, faults, self.turn_due_ms()];
        lines.chain(people).chain(desks).chain(rest.into_iter().flatten()).min().unwrap_or(now_ms + 1_000)
    }

    fn who_is_due(&self) -> String {
        let now_ms = self.now_ms;
        let lines: Vec<u64> = self.lines.values().filter_map(|line| line.due_ms(now_ms)).collect();
        let people: Vec<u64> = self.people.iter().filter_map(Person::due_ms).collect();
        let journal = self.journal_due_ms();
        format!("lines at {lines:?}, people at {people:?}, journal at {journal:?}, server at {:?}", self.turn_due_ms())
    }

    fn journal_due_ms(&self) -> Option<u64> {
        self.journal.as_ref().and_then(SimJournal::due_ms)
    }

    fn turn_due_ms(&self) -> Option<u64> {
        let server = self.server.as_ref()?;
        let is_woken = self.journal.as_ref().is_some_and(SimJournal::is_woken);
        let has_news = is_woken || self.lines.values().any(|line| line.pipe.has_news());
        let due_ms =
            if has_news { Some(self.now_ms) } else { server.wait_ms().map(|wait_ms| self.turned_ms + wait_ms) };
        due_ms.map(|due_ms| due_ms.max(self.free_at_ms))
    }

    fn step(&mut self) -> Result<(), String> {
        self.tick_journal();
        self.step_lines()?;
        for index in 0..self.people.len() {
            self.step_person(index)?;
        }
        for index in 0..self.desks.len() {
            self.step_desk(index);
        }
        if self.opens_at_ms.take_if(|at_ms| *at_ms <= self.now_ms).is_some() {
            self.open_server()?;
        }
        if self.disk_frees_at_ms.take_if(|at_ms| *at_ms <= self.now_ms).is_some() {
            self.disk.lock().is_full = false;
        }
        if !self.is_calm && self.faults_at_ms <= self.now_ms {
            self.faults_at_ms = self.now_ms + self.random.between(1, self.plan.fault_every_ms);
            self.strike();
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
        (self.turned_ms, self.free_at_ms) = (self.now_ms, self.now_ms + self.random.draw() % 2);
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
            self.tell(|_| format!("the server stops: {error}"));
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
        let opened = SimJournal::open(plan, self.disk.clone(), self.mutation, self.random.fork(), self.now_ms);
        let (journal, mut sim_journal) = opened.map_err(|error| format!("the journal does not open: {error}"))?;
        if self.is_calm {
            sim_journal.calm_down();
        }
        self.journal = Some(sim_journal);
        let limits =
            Limits { log_bytes_max: plan.log_bytes_max, outbox_bytes_max: plan.outbox_bytes_max, ..Limits::default() };
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
        self.tell(|_| format!("the server opens, the lobby is at {newest}"));
        Ok(())
    }

    /// The server and its journal die; what was durable stays.
    pub(crate) fn crash(&mut self) {
        if self.server.take().is_none() {
            return;
        }
        self.report.crashes += 1;
        if let Some(journal) = self.journal.take() {
            journal.crash();
        }
        self.opens_at_ms = Some(self.now_ms + self.random.between(5, 4_000));
        let now_ms = self.now_ms;
        for line in self.lines.values_mut() {
            // Some get what the system still had for them, some hear of it at once, some much later.
            match self.random.between(0, 9) {
                0..=4 => {}
                5..=8 => line.snap(Some(now_ms + self.random.between(0, 300)), None),
                _ => line.snap(Some(now_ms + self.random.between(300, 60_000)), None),
            }
        }
        self.tell(|world| format!("the server crashes; the lobby is at {}", world.disk.lock().newest("lobby")));
    }

    fn step_lines(&mut self) -> Result<(), String> {
        let ids: Vec<u64> = self.lines.keys().copied().collect();
        for id in ids {
            let Some(line) = self.lines.get_mut(&id) else { continue };
            let told = line.step(self.now_ms, self.is_calm, &mut self.random);
            let (owner, is_over) = (line.owner, line.is_over());
            for one in told {
                self.pass_on(id, owner, one)?;
            }
            if is_over {
                self.lines.remove(&id);
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, id: u64, owner: usize, told: Told) -> Result<(), String> {
        self.report.fold(self.now_ms, id, &told);
        if owner >= self.people.len() {
            return self.tell_student(owner - self.people.len(), id, told);
        }
        let person = &mut self.people[owner];
        if person.line != Some(id) {
            return Ok(());
        }
        let now_ms = person.session_ms(self.now_ms);
        match &told {
            Told::Bytes(bytes) => person.session.handle(Input::Bytes(bytes), now_ms),
            Told::Written => person.session.handle(Input::Written, now_ms),
            Told::Closed => person.session.handle(Input::Closed("it is closed"), now_ms),
        }
        self.drain(owner)
    }

    fn step_person(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        if self.people[index].starts_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.people[index].start_again(now_ms);
        }
        if self.people[index].starts_at_ms.is_some() {
            return Ok(());
        }
        if self.people[index].dials_at_ms.take_if(|at_ms| *at_ms <= now_ms).is_some() {
            self.dialled(index);
        }
        let person = &mut self.people[index];
        if person.acts_at_ms <= now_ms {
            person.acts_at_ms = now_ms + self.random.between(1, self.plan.act_every_ms);
            if self.is_calm {
                person.say_last_words(&self.plan, now_ms);
            } else {
                person.act(&self.plan, now_ms);
            }
        }
        let session_ms = person.session_ms(now_ms);
        if person.session.next_deadline_ms().is_some_and(|deadline_ms| deadline_ms <= session_ms) {
            person.session.handle(Input::Tick, session_ms);
        }
        self.drain(index)
    }

    /// A connection that was asked for stands, or does not.
    fn dialled(&mut self, index: usize) {
        let line = self.connect(index);
        let person = &mut self.people[index];
        let now_ms = person.session_ms(self.now_ms);
        person.line = line;
        person.is_first_write = true;
        match line {
            Some(_) => person.session.handle(Input::Connected, now_ms),
            None => person.session.handle(Input::ConnectFailed("nobody answers"), now_ms),
        }
    }

    pub(crate) fn connect(&mut self, owner: usize) -> Option<u64> {
        let server = self.server.as_mut()?;
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, owner as u8 + 1));
        let pipe = server.connect(SocketAddr::new(address, 4_000), self.plan.send_buffer_bytes);
        let mut line = Line::new(pipe, owner, self.plan.latency_max_ms, self.plan.slice_bytes_max);
        if self.is_calm {
            line.heal();
        }
        self.next_line += 1;
        self.lines.insert(self.next_line, line);
        self.report.connections += 1;
        Some(self.next_line)
    }

    /// Carries out what a session wants.
    fn drain(&mut self, index: usize) -> Result<(), String> {
        while let Some(output) = self.people[index].session.poll_output() {
            let now_ms = self.now_ms;
            let person = &mut self.people[index];
            match output {
                Output::Connect => {
                    person.dials_at_ms = Some(now_ms + self.random.between(1, self.plan.latency_max_ms));
                }
                Output::Send(bytes) => {
                    let forgets = std::mem::take(&mut person.is_first_write)
                        && self.mutation == Some(Mutation::ClientForgetsSince);
                    let bytes = if forgets { without_since(&bytes) } else { bytes };
                    if let Some(line) = person.line.and_then(|line| self.lines.get_mut(&line)) {
                        line.write(bytes);
                    }
                }
                Output::HalfClose => {
                    if let Some(line) = person.line.and_then(|line| self.lines.get_mut(&line)) {
                        line.end();
                    }
                }
                Output::Disconnect => {
                    person.dials_at_ms = None;
                    let was_welcomed = std::mem::take(&mut person.is_welcomed_in_quiet);
                    if let Some(line) = person.line.take().and_then(|line| self.lines.get_mut(&line)) {
                        if was_welcomed && !line.broken && !line.pipe.is_finished() {
                            return Err(format!("person {index} gave a good connection up: nothing came any more"));
                        }
                        line.close();
                    }
                }
                Output::Show(update) => self.show(index, &update)?,
                Output::Ended(ending) => {
                    if person.diary.is_welcomed() {
                        return Err(format!("the session of person {index} ended: {ending:?}"));
                    }
                    person.starts_at_ms = Some(now_ms + 300);
                }
            }
        }
        Ok(())
    }

    fn show(&mut self, index: usize, update: &Envelope<Update>) -> Result<(), String> {
        self.tell(|_| format!("person {index} is shown {update:?}"));
        if matches!(update.content, Update::Received(Event::Welcome(_))) {
            self.people[index].is_welcomed_in_quiet = self.is_calm;
        }
        let disk = self.disk.lock();
        self.people[index].diary.shown(update, &disk).map_err(|why| format!("person {index}: {why}"))
    }

    /// The faults are over: what is broken stays so until it is noticed.
    fn calm_down(&mut self) {
        self.is_calm = true;
        self.tell(|_| "quiet from here on".to_owned());
        if let Some(journal) = &mut self.journal {
            journal.calm_down();
        }
        let mut disk = self.disk.lock();
        (disk.is_full, disk.fails, disk.page_messages_max) = (false, None, disk.page_messages_max.max(20));
        drop(disk);
        self.lines.values_mut().for_each(Line::heal);
        let now_ms = self.now_ms;
        for desk in &mut self.desks {
            // A student's program waits for ever where nobody answers: whoever sits before it starts it again.
            if let Some(line) = desk.line.and_then(|line| self.lines.get_mut(&line))
                && line.broken
            {
                line.close();
                (desk.line, desk.dials_at_ms) = (None, Some(now_ms + 500));
            }
        }
        self.people.iter_mut().for_each(|person| person.acts_at_ms = now_ms + 500);
        self.desks.iter_mut().for_each(|desk| desk.acts_at_ms = now_ms + 500);
    }

    fn is_settled(&self) -> bool {
        let is_stored = self.journal.as_ref().is_some_and(SimJournal::is_idle)
            && self.server.as_ref().is_some_and(|server| server.unstored() == 0);
        let everyone = self.people.iter().all(|person| person.is_settled(self.now_ms));
        is_stored && everyone && self.desks.iter().all(|desk| desk.is_done) && self.what_is_owed().is_none()
    }

    fn what_is_owed(&self) -> Option<String> {
        let disk = self.disk.lock();
        self.people
            .iter()
            .enumerate()
            .find_map(|(index, person)| person.diary.what_is_owed(&disk).map(|owed| format!("person {index}: {owed}")))
    }

    fn what_is_open(&self) -> String {
        let unsettled = |(index, person): (usize, &Person)| {
            let status = person.session.status(person.session_ms(self.now_ms));
            (!person.is_settled(self.now_ms))
                .then(|| format!("person {index} is {:?}, {} unsent", status.link, status.unsent))
        };
        let people = self.people.iter().enumerate().filter_map(unsettled);
        let desks =
            self.desks.iter().filter(|desk| !desk.is_done).map(|desk| format!("{} is not done", desk.student.name));
        let server = self.server.as_ref().map(|server| format!("{} unstored", server.unstored()));
        let all: Vec<String> = people.chain(desks).chain(self.what_is_owed()).chain(server).collect();
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
        for (index, person) in self.people.iter().enumerate() {
            let named = |why: String| format!("person {index}: {why}");
            for diary in &person.old_diaries {
                diary.check(&disk, &self.plan, false).map_err(named)?;
            }
            person.diary.check(&disk, &self.plan, true).map_err(named)?;
            let (acknowledged, gaps) = person.diary.counts();
            self.report.acknowledged += acknowledged;
            self.report.gaps += gaps;
        }
        self.desks.iter().try_for_each(|desk| desk.student.check(&disk))
    }

    /// Says what happens, when somebody wants to follow it.
    pub(crate) fn tell(&self, what: impl FnOnce(&Self) -> String) {
        if self.traces {
            println!("{:>7} ms  {}", self.now_ms, what(self));
        }
    }
}
