//! Speed of the journal on this disk: `cargo run --release -p glassline-journal --example speed --
//! [ROWS]`.
//!
//! Prints what the disk alone takes (write and sync), then rows a second alone, through the threads, and of the search index.
#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a measurement that cannot go on says where"
)]

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use glassline_journal::{Done, Journal, Keep, Requester, Store, open};
use glassline_testkit::{Folder, Rng};
use glassline_wire::event::Message;
use glassline_wire::history::{NewMessage, PendingRecord, Question, Record};
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{HistoryRange, Search};
use glassline_wire::timestamp::Timestamp;

const SEED: u64 = 1;
const WORDS: [&str; 24] = [
    "line", "glass", "room", "what", "stands", "between", "morning", "window", "paper", "river", "signal", "quiet",
    "stone", "letter", "winter", "yellow", "garden", "matter", "seven", "listen", "copper", "thread", "answer",
    "north",
];

struct Speech {
    rng: Rng,
    said: u64,
}

impl Speech {
    /// A text of about 64 bytes, with an id of its own.
    fn record(&mut self) -> Record {
        self.said += 1;
        let mut text = String::with_capacity(80);
        while text.len() < 56 {
            text.push_str(self.rng.pick(&WORDS));
            text.push(' ');
        }
        let _ = write!(text, "{:08x}", self.rng.next_u64() as u32);
        let sender = self.said % 200;
        Record::Message(NewMessage {
            message: Message {
                room: "lobby".to_string(),
                seq: None,
                at: Some(Timestamp::from_unix_ms(1_790_000_000_000 + self.said)),
                from: format!("sender-{sender}"),
                text,
                action: false,
                id: Some(MessageId(self.rng.next_u128())),
            },
            author: sender + 1,
            after: None,
            subnet: u128::from(sender % 20) + 1,
        })
    }
}

fn main() {
    let rows: u64 = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let folder = Folder::new();
    println!("seed {SEED}, {rows} rows of about 64 bytes");
    disk_alone(folder.path());
    let mut speech = Speech { rng: Rng::new(SEED), said: 0 };
    one_at_a_time(&folder.join("lone.db"), &mut speech);
    for batch in [256, 4_096] {
        let file = folder.join(format!("batch-{batch}.db"));
        println!("append alone, {batch} rows in a batch, checkpoints included:");
        let mut store = open(&file, Keep::default()).expect("opens");
        append(store.as_mut(), &mut speech, rows.min(500_000), batch, false);
    }
    println!("append with tending of 4 ms for every 100 ms, 256 rows in a batch:");
    let file = folder.join("tended.db");
    let mut store = open(&file, Keep::default()).expect("opens");
    append(store.as_mut(), &mut speech, rows, 256, true);
    index(store.as_mut());
    questions(store.as_ref(), rows);
    drop(store);
    println!("file: {} bytes a row", std::fs::metadata(&file).expect("a file").len() / rows);
    for (senders, window) in [(1, 1), (200, 1), (200, 8), (200, 40)] {
        through_threads(&folder.join(format!("threads-{senders}-{window}.db")), &mut speech, senders, window);
    }
}

/// Resources that this process has used, which a busy machine does not change: CPU time in µs,
/// bytes handed to the disk.
#[derive(Clone, Copy)]
struct Used {
    cpu_us: f64,
    written: f64,
}

impl Used {
    fn now() -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        // Ticks of 10 ms, behind the name in brackets: user and system time are the 12th and 13th.
        let stat = read("stat");
        let ticks: f64 = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|number| number.parse::<f64>().ok())
            .sum();
        let io = read("io");
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0.0);
        Self { cpu_us: ticks * 10_000.0, written }
    }

    fn print(self, what: &str, rows: u64) {
        let now = Self::now();
        let rows = rows as f64;
        println!(
            "  {what}: {:.1} µs of CPU and {:.0} bytes written a row",
            (now.cpu_us - self.cpu_us) / rows,
            (now.written - self.written) / rows
        );
    }
}

fn line(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("  {name}: median {:.3} ms, 99 % {:.3} ms, worst {:.3} ms", at(0.5), at(0.99), at(1.0));
}

fn disk_alone(folder: &Path) {
    println!("the disk alone, write and fdatasync:");
    for (bytes, times) in [(4_096, 300), (64 * 1024, 300), (1024 * 1024, 60)] {
        let mut file: File =
            OpenOptions::new().create(true).truncate(true).write(true).open(folder.join("raw")).expect("a file");
        let block = vec![7_u8; bytes];
        for growing in [true, false] {
            file.seek(SeekFrom::Start(0)).expect("seeks");
            let mut took = Vec::new();
            for _ in 0..times {
                let started = Instant::now();
                file.write_all(&block).expect("writes");
                file.sync_data().expect("syncs");
                took.push(started.elapsed());
            }
            line(&format!("{bytes} bytes, {}", if growing { "growing" } else { "in place" }), &mut took);
        }
    }
}

fn one_at_a_time(file: &Path, speech: &mut Speech) {
    let mut store = open(file, Keep::default()).expect("opens");
    let mut took = Vec::new();
    for _ in 0..2_000 {
        let record = [speech.record()];
        let started = Instant::now();
        store.append(&record).expect("stores");
        took.push(started.elapsed());
    }
    println!("one row at a time:");
    line("commit", &mut took);
}

fn append(store: &mut dyn Store, speech: &mut Speech, rows: u64, batch: u64, tended: bool) {
    let (mut spent, mut took, mut tending) = (Duration::ZERO, Vec::new(), Vec::new());
    let mut used = Used::now();
    let mut tended_at = Instant::now();
    for done in (0..rows).step_by(batch as usize) {
        let records: Vec<Record> = (0..batch).map(|_| speech.record()).collect();
        let started = Instant::now();
        store.append(&records).expect("stores");
        took.push(started.elapsed());
        let between = Instant::now();
        // Alone: only what keeps the log bounded, as often.
        if tended_at.elapsed() >= Duration::from_millis(100) {
            let budget = if tended { Duration::from_millis(4) } else { Duration::ZERO };
            store.maintain(budget).expect("tends");
            tended_at = Instant::now();
            tending.push(between.elapsed());
        }
        spent += started.elapsed();
        if (done / batch + 1).is_multiple_of((rows / batch / 4).max(1)) {
            line(
                &format!(
                    "{:>9} rows, {:>7.0} rows/s, commit",
                    done + batch,
                    took.len() as f64 * batch as f64 / spent.as_secs_f64()
                ),
                &mut took,
            );
            if !tending.is_empty() {
                line("  tending between", &mut tending);
            }
            used.print("  used", (rows / batch / 4).max(1) * batch);
            used = Used::now();
            (spent, took, tending) = (Duration::ZERO, Vec::new(), Vec::new());
        }
    }
}

fn index(store: &mut dyn Store) {
    let lag = store.index_lag();
    let (started, used) = (Instant::now(), Used::now());
    let mut took = Vec::new();
    loop {
        let step = Instant::now();
        let more = store.maintain(Duration::ZERO).expect("tends");
        took.push(step.elapsed());
        if !more {
            break;
        }
    }
    println!("index: {lag} rows behind, {:.0} rows/s", lag as f64 / started.elapsed().as_secs_f64());
    line("step", &mut took);
    used.print("used", lag);
}

fn questions(store: &dyn Store, rows: u64) {
    let mut reader = store.reader().expect("a reader");
    println!("questions:");
    let room = || "lobby".to_string();
    let deadline = || Instant::now() + Duration::from_secs(20);
    for (name, query) in [
        ("a common word", "window"),
        ("two words", "copper thread"),
        ("two characters", "gl"),
        ("nothing", "zzzqqq"),
        ("rare", "deadbe"),
    ] {
        let mut took = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            reader
                .search(&Search { room: room(), query: query.into(), before: None, limit: Some(50) }, deadline())
                .expect("a page");
            took.push(started.elapsed());
        }
        line(&format!("search for {name}"), &mut took);
    }
    let mut took = Vec::new();
    let mut speech = Speech { rng: Rng::new(SEED), said: 0 };
    for _ in 0..200 {
        let before = Some(speech.rng.next_u64() % rows);
        let started = Instant::now();
        reader
            .range(&HistoryRange { room: room(), before, limit: Some(50), ..HistoryRange::default() }, deadline())
            .expect("a page");
        took.push(started.elapsed());
    }
    line("a page of 50 somewhere", &mut took);
}

/// Senders that each have `window` records on their way.
fn through_threads(file: &Path, speech: &mut Speech, senders: u64, window: u64) {
    let store = open(file, Keep::default()).expect("opens");
    let (bell, wakes) = mpsc::channel();
    let journal = Journal::start(store, move || {
        let _ = bell.send(());
    })
    .expect("starts");
    let mut prepared: Vec<Record> = (0..(senders * window * 3_000).min(400_000)).map(|_| speech.record()).collect();
    let total = prepared.len() as u64;
    let mut submit = |count: u64| {
        let first = prepared.len().saturating_sub(count as usize);
        journal.append(prepared.drain(first..).map(|record| PendingRecord { ticket: 0, record }).collect());
    };
    let (started, used) = (Instant::now(), Used::now());
    submit(senders * window);
    let mut done = 0;
    while done < total {
        wakes.recv_timeout(Duration::from_mins(1)).expect("woken");
        let count = journal.take_done().iter().filter(|done| matches!(done, Done::Committed(_))).count() as u64;
        done += count;
        submit(count);
    }
    let took = started.elapsed();
    let gauges = journal.gauges();
    println!(
        "through the threads, {senders} senders with {window} each: {:.0} rows/s, {:.0} rows and {:.3} ms in a commit, {} behind in the index",
        total as f64 / took.as_secs_f64(),
        total as f64 / gauges.commits as f64,
        gauges.commit_times.sum_s * 1e3 / gauges.commits as f64,
        gauges.index_lag
    );
    used.print("used", total);
    assert!(journal.ask(0, Requester { subnet: 1, number: 1 }, Question::Head("lobby".into())));
    journal.close(Duration::from_mins(1)).expect("closes");
}
