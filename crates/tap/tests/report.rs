//! The report knows what passed in plaintext completely, and nothing of what was encrypted.

use std::collections::BTreeSet;

use glassline_tap::report::RowId;
use glassline_tap::{Direction, Evidence, Frame, Knowledge, Reader, Report, Seen, Splitter};
use glassline_testkit::{Rng, seed_or};
use glassline_wire::link::LinkKind;

/// Connections as an observer sees them, in one order.
#[derive(Default)]
struct Session {
    lines: Vec<(Splitter, Reader)>,
    knowledge: Knowledge,
    now_us: u64,
}

impl Session {
    fn connection(&mut self) -> usize {
        self.lines.push((Splitter::new(self.lines.len() as u64 + 1), Reader::default()));
        self.lines.len() - 1
    }

    fn bytes(&mut self, line: usize, direction: Direction, bytes: &[u8]) {
        self.now_us += 1_000;
        let (splitter, reader) = &mut self.lines[line];
        let mut frames: Vec<Frame> = Vec::new();
        splitter.receive(direction, bytes, self.now_us, |frame| frames.push(frame));
        for frame in &frames {
            let meaning = reader.read(frame);
            self.knowledge.add(Seen { frame, meaning: &meaning, evidence: Evidence::of(frame) });
        }
    }

    fn frame(&mut self, line: usize, direction: Direction, payload: &str) {
        let bytes = format!("{:<10}{payload}", payload.len());
        self.bytes(line, direction, bytes.as_bytes());
    }

    fn event_client(&mut self, name: &str) -> usize {
        let line = self.connection();
        self.bytes(line, Direction::ToServer, b"GLASSLINE2");
        self.frame(line, Direction::ToServer, &format!(r#"{{"type":"hello","name":"{name}","token":"s3cret"}}"#));
        line
    }

    fn report(self) -> Report {
        Report::new("a session", self.knowledge)
    }
}

fn words(report: &Report, id: RowId) -> BTreeSet<String> {
    report.rows().iter().filter(|row| row.id == id).flat_map(|row| &row.findings).map(|one| one.words.clone()).collect()
}

fn summary(report: &Report, id: RowId) -> String {
    report.rows().iter().filter(|row| row.id == id).map(|row| row.summary.clone()).collect()
}

#[test]
fn everything_said_in_plaintext_is_known_once() {
    let seed = seed_or(0x7a9);
    let mut rng = Rng::new(seed);
    let mut session = Session::default();
    let names = ["alice", "bob", "carol"];
    let lines: Vec<usize> = names.iter().map(|name| session.event_client(name)).collect();
    let rooms = ["lobby", "maths", "art"];
    let mut said = BTreeSet::new();
    for seq in 1..=300_u64 {
        let (speaker, room) = (rng.index(names.len()), rng.pick(&rooms));
        // Few words, so that they repeat.
        let text = format!("text {}", rng.below(20));
        let request = format!(r#"{{"type":"send","room":"{room}","text":"{text}","id":"{seq:032x}"}}"#);
        session.frame(lines[speaker], Direction::ToServer, &request);
        let message = format!(
            r#"{{"type":"message","room":"{room}","seq":{seq},"from":"{}","text":"{text}","id":"{seq:032x}"}}"#,
            names[speaker]
        );
        for line in &lines {
            session.frame(*line, Direction::ToClient, &message);
        }
        said.insert((names[speaker], room, text));
    }
    session.frame(lines[0], Direction::ToServer, r#"{"type":"direct","to":"bob","text":"only you","id":"ff"}"#);
    let report = session.report();
    assert_eq!(words(&report, RowId::Names), names.map(str::to_owned).into());
    assert_eq!(words(&report, RowId::Rooms), rooms.map(str::to_owned).into());
    let texts = words(&report, RowId::Texts);
    for (speaker, room, text) in &said {
        let line = format!(" {speaker} to room {room}: {text}");
        assert!(texts.iter().any(|words| words.ends_with(&line)), "seed {seed}: {line}");
    }
    assert_eq!(summary(&report, RowId::Texts), "301 readable", "seed {seed}: copies count once");
    assert!(texts.iter().any(|words| words.ends_with(" alice to bob alone: only you")));
    assert!(!report.to_text().contains("s3cret") && !report.to_html().contains("s3cret"));
    assert_eq!(summary(&report, RowId::Secrets), "3 frames with a token (not shown, not kept)");
    let row = report.rows().iter().find(|row| row.id == RowId::Texts).expect("texts");
    assert!(row.findings.iter().all(|finding| finding.proof.count() >= 1), "each finding has evidence");
}

/// One row of a report, with its evidence.
fn lines(report: &Report, id: RowId) -> Vec<String> {
    let findings = report.rows().iter().filter(|row| row.id == id).flat_map(|row| &row.findings);
    findings.map(|finding| format!("{} [{}]", finding.words, finding.proof)).collect()
}

/// A message as the server sends it.
fn message(seq: u64, at: &str, text: &str) -> String {
    format!(r#"{{"type":"message","room":"lobby","seq":{seq},"at":"{at}","from":"alice","text":"{text}"}}"#)
}

#[test]
fn a_stored_message_has_its_own_time_and_is_marked() {
    let mut session = Session { now_us: 1_767_400_000_000_000, ..Session::default() };
    let bob = session.event_client("bob");
    let stored = [message(1, "2026-01-02T03:04:05.678Z", "old"), message(2, "yesterday", "older")];
    let history = format!(r#"{{"type":"history","room":"lobby","messages":[{}]}}"#, stored.join(","));
    session.frame(bob, Direction::ToClient, r#"{"type":"welcome","name":"bob","rooms":[{"room":"lobby","seq":4}]}"#);
    session.frame(bob, Direction::ToClient, &history);
    // What was missed is sent again, then what is new.
    for (seq, text) in [(4, "missed"), (5, "new")] {
        session.frame(bob, Direction::ToClient, &message(seq, "2026-01-02T03:05:00.000Z", text));
    }
    session.frame(bob, Direction::ToClient, &history);
    let report = session.report();
    let expected = [
        "2026-01-02T03:04:05.678Z (history) alice to room lobby: old [1<2 1<5]",
        "at an unknown time (history) alice to room lobby: older [1<2 1<5]",
        "2026-01-02T03:05:00.000Z (history) alice to room lobby: missed [1<3]",
        "2026-01-03T00:26:40.006Z alice to room lobby: new [1<4]",
    ];
    assert_eq!(lines(&report, RowId::Texts), expected);
    assert_eq!(summary(&report, RowId::Texts), "4 readable, 3 of them from the history");
    let alice = "alice: 4 messages, 3 from the history, 2026-01-02T03:04:05.678Z to 2026-01-03T00:26:40.006Z \
                 [1<2 1<3 1<4 1<5]";
    assert_eq!(lines(&report, RowId::Activity), [alice]);
    assert_eq!(lines(&report, RowId::Contacts), ["alice to room lobby: 4 messages [1<2 1<3 1<4 1<5]"]);
}

#[test]
fn a_stored_pair_has_the_time_in_its_text() {
    let mut session = Session { now_us: 1_767_400_000_000_000, ..Session::default() };
    let (bob, carol) = (session.connection(), session.connection());
    session.frame(bob, Direction::ToServer, "bob");
    session.frame(carol, Direction::ToServer, "carol");
    session.frame(carol, Direction::ToServer, "[2025-01-02 03:04 UTC] I only look stored");
    for _ in 0..2 {
        for payload in ["alice", "[2026-01-02 03:04 UTC] hi", "alice", "[2026-13-02 03:04 UTC] no time"] {
            session.frame(bob, Direction::ToClient, payload);
        }
    }
    for payload in ["carol", "[2025-01-02 03:04 UTC] I only look stored"] {
        session.frame(bob, Direction::ToClient, payload);
    }
    let texts = lines(&session.report(), RowId::Texts);
    let expected = [
        "2026-01-03T00:26:40.003Z carol to the room it is in: [2025-01-02 03:04 UTC] I only look stored [2>2 1<10]",
        "2026-01-02T03:04:00.000Z (history) alice to the room it is in: hi [1<2 1<6]",
    ];
    assert_eq!(texts[..2], expected, "{texts:?}");
    assert!(!texts[2].contains("(history)"), "{texts:?}");
}

#[test]
fn frames_of_one_packet_are_counted_each() {
    let mut session = Session::default();
    let bob = session.event_client("bob");
    let joined = r#"{"type":"joined","room":"lobby","names":["eve"]}"#;
    let frame = format!("{:<10}{joined}", joined.len());
    let (splitter, reader) = &mut session.lines[bob];
    splitter.receive(Direction::ToClient, frame.repeat(3).as_bytes(), 0, |frame| {
        let meaning = reader.read(&frame);
        session.knowledge.add(Seen { frame: &frame, meaning: &meaning, evidence: Evidence::Packet(12) });
    });
    let report = session.report();
    assert!(summary(&report, RowId::Presence).starts_with("3 frames"), "{report:?}");
    assert!(lines(&report, RowId::Presence)[0].ends_with("[#12]"), "{report:?}");
}

#[test]
fn the_tutorial_dialect_is_read_in_pairs() {
    let mut session = Session::default();
    let (bob, eve) = (session.connection(), session.connection());
    for (line, name) in [(bob, "bob"), (eve, "eve")] {
        session.frame(line, Direction::ToServer, name);
    }
    session.frame(bob, Direction::ToServer, "hello there");
    for payload in ["*", "bob joined", "bob", "hello there"] {
        session.frame(eve, Direction::ToClient, payload);
    }
    for line in ["/msg eve psst", "/search maths", "/op glop_0123"] {
        session.frame(bob, Direction::ToServer, line);
    }
    for payload in ["bob→you", "psst"] {
        session.frame(eve, Direction::ToClient, payload);
    }
    session.bytes(bob, Direction::ToServer, b"/exit");
    let report = session.report();
    assert_eq!(words(&report, RowId::Names), ["bob", "eve"].map(str::to_owned).into());
    let texts: Vec<String> = words(&report, RowId::Texts).into_iter().collect();
    let expected = [
        " bob to the room it is in: hello there",
        " bob to eve alone: psst",
        " bob to the server alone: /search maths",
    ];
    assert_eq!(texts.len(), expected.len(), "each once, without the server's own messages: {texts:?}");
    assert!(expected.iter().all(|end| texts.iter().any(|text| text.ends_with(end))), "{texts:?}");
    assert!(!report.to_text().contains("glop"), "a token is not shown");
}

#[test]
fn an_encrypted_session_shows_sizes_and_times_only() {
    let mut session = Session::default();
    let line = session.connection();
    session.bytes(line, Direction::ToServer, &[0x16, 3, 1, 0, 0]);
    for burst in 0..3_u64 {
        session.now_us = 10_000 + burst * 10_000_000;
        for _ in 0..4 {
            session.bytes(line, Direction::ToServer, &[&[0x17, 3, 3, 1, 0xfb][..], &[7; 507]].concat());
        }
    }
    let report = session.report();
    for id in [RowId::Names, RowId::Rooms, RowId::Texts, RowId::Contacts, RowId::Presence] {
        assert!(words(&report, id).is_empty());
        assert_eq!(summary(&report, id), "not readable, only sizes and times", "{id:?}");
    }
    let sizes = words(&report, RowId::Sizes);
    assert!(sizes.iter().any(|words| words.contains("to the server 1 of 5, 12 of 512 bytes")), "{sizes:?}");
    assert_eq!(
        summary(&report, RowId::Sizes),
        "to servers 13 records of 6149 bytes in all, to clients 0 records of 0 bytes in all"
    );
    let times = words(&report, RowId::Times);
    assert!(times.iter().any(|words| words.contains("to the server 13 in 3 bursts, the largest of 5")), "{times:?}");
}

#[test]
fn hostile_names_and_texts_stay_text() {
    let mut session = Session::default();
    let line = session.connection();
    session.frame(line, Direction::ToServer, "<img src=x onerror=alert(1)>");
    session.frame(line, Direction::ToServer, "</td><script>alert(1)</script>\u{1b}]0;x\u{7}\u{202e}");
    let report = session.report();
    let (html, text) = (report.to_html(), report.to_text());
    assert!(!html.contains("<img") && !html.contains("<script"), "markup is escaped");
    for shown in [&html, &text] {
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    }
    for other in ["http:", "https:", "src=\"", "@import", "url("] {
        assert!(!html.contains(other), "the page asks for nothing: {other}");
    }
}

#[test]
fn huge_names_and_texts_make_no_huge_report() {
    let mut session = Session::default();
    let client = session.event_client("alice");
    let huge = "h".repeat(90_000);
    for number in 0..1_500 {
        let text = format!(r#"{{"type":"send","room":"{huge}","text":"{number}"}}"#);
        session.frame(client, Direction::ToServer, &text);
        session.frame(client, Direction::ToClient, &format!(r#"{{"type":"joined","room":"{number} {huge}"}}"#));
        session.frame(client, Direction::ToClient, &format!(r#"{{"type":"joined","names":["{number} {huge}"]}}"#));
    }
    let report = session.report();
    assert!(report.to_text().len() < 64 << 20, "{}", report.to_text().len());
    assert!(report.to_html().len() < 8 << 20, "{}", report.to_html().len());
    let texts = summary(&report, RowId::Texts);
    assert!(texts.contains("beyond the limit"), "{texts}");
    assert!(words(&report, RowId::Names).contains("alice"));
}

#[test]
fn reports_have_the_same_rows_side_by_side() {
    let mut plain = Session::default();
    let line = plain.event_client("bob");
    plain.frame(line, Direction::ToServer, r#"{"type":"send","room":"lobby","text":"hi","id":"1"}"#);
    let mut opaque = Session::default();
    let line = opaque.connection();
    opaque.bytes(line, Direction::ToServer, &[0x16, 3, 1, 0, 0]);
    let table = glassline_tap::report::compare(&[plain.report(), opaque.report()], 100);
    let names = table.lines().find(|line| line.starts_with("Names")).expect("a row of names");
    assert!(names.contains("1 readable") && names.contains("not readable, only"), "{table}");
}

#[test]
fn an_intercepted_link_is_not_called_plain() {
    let mut session = Session::default();
    session.knowledge.add_intercepted(1, LinkKind::Tls);
    session.event_client("alice");
    session.event_client("bob");
    let report = session.report();
    let (intercepted, plain) = ("TLS (intercepted by the tap), event dialect", "plain, event dialect");
    assert_eq!(summary(&report, RowId::Links), format!("1 {intercepted}; 1 {plain}"));
    let links = words(&report, RowId::Links);
    assert_eq!(links, [format!("connection 1: {intercepted}, alice"), format!("connection 2: {plain}, bob")].into());
}
