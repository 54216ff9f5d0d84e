//! The rows of a report: what is known, in words, with evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use glassline_wire::link::LinkKind;
use glassline_wire::timestamp::Timestamp;
use glassline_wire::visible;
use strum::VariantArray as _;

use super::Proof;
use super::knowledge::{ConnectionFacts, Facts, Frames, Knowledge};
use super::proof::ProofUnion;
use super::sizes::Sizes;
use super::utterances::{Audience, Time, Utterance};
use crate::frame::{Dialect, Direction};

/// The questions that each report answers, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum RowId {
    /// Protection of the connections.
    Links,
    /// Names of those who take part.
    Names,
    /// Which rooms there are.
    Rooms,
    /// Texts of the messages.
    Texts,
    /// Number and times of each person's messages.
    Activity,
    /// Pairs of speaker and audience.
    Contacts,
    /// Presence of people, and the server's own messages.
    Presence,
    /// Secrets that pass in readable form.
    Secrets,
    /// Sizes of what passes.
    Sizes,
    /// Times of what passes.
    Times,
    /// Bytes that could not be read.
    Unreadable,
}

impl RowId {
    /// The title of the row.
    pub fn title(self) -> &'static str {
        match self {
            Self::Links => "Links",
            Self::Names => "Names",
            Self::Rooms => "Rooms",
            Self::Texts => "Texts",
            Self::Activity => "Who talks when, how often",
            Self::Contacts => "Who talks to whom",
            Self::Presence => "Presence, server messages",
            Self::Secrets => "Secrets in readable form",
            Self::Sizes => "Sizes",
            Self::Times => "Times",
            Self::Unreadable => "Not readable",
        }
    }
}

/// One finding: a sentence or a value, and its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The finding, safe to show on one line.
    pub words: String,
    /// Places at which it was seen.
    pub proof: Proof,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The question.
    pub id: RowId,
    /// The answer in a few words, for tables that compare.
    pub summary: String,
    /// The findings behind it.
    pub findings: Vec<Finding>,
}

pub(super) fn rows(knowledge: &Knowledge) -> Vec<Row> {
    RowId::VARIANTS.iter().map(|id| row(*id, knowledge)).collect()
}

pub(super) fn to_text(title: &str, loss: Option<&str>, rows: &[Row]) -> String {
    let mut out = format!("What an observer of {} knows\n", visible::one_line(title));
    if let Some(loss) = loss {
        let _ = writeln!(out, "\nIncomplete: {}", visible::one_line(loss));
    }
    for row in rows {
        let _ = write!(out, "\n{}: {}\n", row.id.title(), row.summary);
        for finding in &row.findings {
            let _ = match finding.proof.count() {
                0 => writeln!(out, "  {}", finding.words),
                _ => writeln!(out, "  {}  [{}]", finding.words, finding.proof),
            };
        }
    }
    out
}

fn row(id: RowId, knowledge: &Knowledge) -> Row {
    let (summary, findings) = match id {
        RowId::Links => links(knowledge),
        RowId::Names => facts(&knowledge.names, knowledge),
        RowId::Rooms => facts(&knowledge.rooms, knowledge),
        RowId::Texts => texts(knowledge),
        RowId::Activity => activity(knowledge),
        RowId::Contacts => contacts(knowledge),
        RowId::Presence => frames_of(&knowledge.presence, knowledge, "about who is present, or from the server itself"),
        RowId::Secrets => frames_of(&knowledge.secrets, knowledge, "with a token (not shown, not kept)"),
        RowId::Sizes => sizes(knowledge),
        RowId::Times => times(knowledge),
        RowId::Unreadable => unreadable(knowledge),
    };
    Row { id, summary, findings }
}

fn one_line(text: &str) -> String {
    visible::one_line(text).into_owned()
}

fn finding(words: String, proof: &Proof) -> Finding {
    Finding { words, proof: proof.clone() }
}

/// A number with its noun, in the plural where that is right.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn at(at_us: u64) -> Timestamp {
    Timestamp::from_unix_ms(at_us / 1_000)
}

/// Time between two instants as they are shown, in words.
pub(super) fn duration(first_us: u64, last_us: u64) -> String {
    let ms = last_us / 1_000 - first_us / 1_000;
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}

/// The noun for what passes on such a link: pieces, where nothing says where one ends.
fn unit(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Tutorial | Dialect::Event => "frame",
        Dialect::Tls => "record",
        Dialect::Noise | Dialect::Http | Dialect::Unknown => "piece",
    }
}

fn link(facts: &ConnectionFacts) -> String {
    let link = match facts.intercepted {
        None | Some(LinkKind::Plaintext) => "plain",
        Some(LinkKind::Tls) => "TLS (intercepted by the tap)",
        Some(LinkKind::Noise) => "Noise (intercepted by the tap)",
    };
    let carrier = if facts.in_websocket { " in a WebSocket" } else { "" };
    match facts.dialect {
        Dialect::Tutorial => format!("{link}, tutorial dialect{carrier}"),
        Dialect::Event => format!("{link}, event dialect{carrier}"),
        Dialect::Tls => "TLS".into(),
        Dialect::Noise => "Noise".into(),
        Dialect::Http => "HTTP".into(),
        Dialect::Unknown => "unknown".into(),
    }
}

/// Summary of a row: what was found, if anything, and what is unknown besides.
fn summary(found: Option<String>, knowledge: &Knowledge) -> String {
    let opaque = opaque_connections(knowledge);
    let all = knowledge.connections.len();
    let mut summary = match found {
        Some(found) => found,
        None if all == 0 => "no connection was evaluated".into(),
        None if opaque == all => "not readable, only sizes and times".into(),
        None => "none seen".into(),
    };
    if opaque > 0 && opaque < all {
        let _ = write!(summary, "; {opaque} of {} not readable", counted(all as u64, "connection"));
    }
    if let Some(not_evaluated) = not_evaluated(knowledge) {
        let _ = write!(summary, "; {not_evaluated} (see {:?})", RowId::Unreadable.title());
    }
    if knowledge.frames_left_out > 0 {
        let left_out = counted(knowledge.frames_left_out, "frame");
        let _ = write!(summary, "; {left_out} of connections beyond the limit not evaluated");
    }
    summary
}

/// Returns what was not evaluated, if anything: so many connections, and so many packets.
fn not_evaluated(knowledge: &Knowledge) -> Option<String> {
    let counts = [(knowledge.connections_not_evaluated, "connection"), (knowledge.packets_not_evaluated, "packet")];
    let counts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect();
    (!counts.is_empty()).then(|| format!("{} not evaluated", counts.join(" and ")))
}

fn opaque_connections(knowledge: &Knowledge) -> usize {
    knowledge.connections.values().filter(|facts| !facts.dialect.has_frames()).count()
}

/// A count as a finding; nothing where it is 0.
fn some(count: usize, words: impl FnOnce(u64) -> String) -> Option<String> {
    (count > 0).then(|| words(count as u64))
}

fn and_left_out(left_out: u64) -> String {
    if left_out == 0 {
        String::new()
    } else {
        format!("; {left_out} more sightings were beyond the limit of the report")
    }
}

fn links(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let mut by_link: BTreeMap<String, u64> = BTreeMap::new();
    let mut findings = Vec::new();
    for (number, facts) in &knowledge.connections {
        *by_link.entry(link(facts)).or_default() += 1;
        let name = facts.name.as_ref().map_or_else(|| "name not readable".into(), |name| one_line(name));
        findings.push(finding(format!("connection {number}: {}, {name}", link(facts)), &facts.proof));
    }
    let counts: Vec<String> = by_link.iter().map(|(link, count)| format!("{count} {link}")).collect();
    (summary(some(counts.len(), |_| counts.join("; ")), knowledge), findings)
}

fn facts(facts: &Facts, knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let findings: Vec<Finding> = facts.known().iter().map(|(fact, proof)| finding(one_line(fact), proof)).collect();
    let readable = some(findings.len(), |count| format!("{count} readable{}", and_left_out(facts.left_out())));
    (summary(readable, knowledge), findings)
}

fn audience(audience: &Audience) -> String {
    match audience {
        Audience::Room(room) => format!("room {}", one_line(room)),
        Audience::Person(person) => format!("{} alone", one_line(person)),
        Audience::Server => "the server alone".into(),
        Audience::Unnamed => "the room it is in".into(),
    }
}

/// Returns the time of a message in words. What a server has stored is marked: it was not said at
/// the time at which it passed.
fn time_of(said: &Utterance) -> String {
    match said.time {
        Time::Live(at_us) => at(at_us).to_string(),
        Time::Stored(Some(at_us)) => format!("{} (history)", at(at_us)),
        Time::Stored(None) => "at an unknown time (history)".into(),
    }
}

fn texts(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let utterances = knowledge.utterances.all();
    let words = |said: &Utterance| {
        let (time, speaker) = (time_of(said), one_line(&said.speaker));
        let mut words = format!("{time} {speaker} to {}: {}", audience(&said.audience), one_line(&said.text));
        for other in &said.other_texts {
            let _ = write!(words, " (changed on the way: {})", one_line(other));
        }
        words
    };
    let findings: Vec<Finding> = utterances.iter().map(|said| finding(words(said), &said.proof)).collect();
    let left_out = and_left_out(knowledge.utterances.left_out());
    let stored = utterances.iter().filter(|said| said.time.is_stored()).count();
    let from_history = if stored == 0 { String::new() } else { format!(", {stored} of them from the history") };
    let readable = some(findings.len(), |count| format!("{count} readable{from_history}{left_out}"));
    (summary(readable, knowledge), findings)
}

/// Messages of one person.
#[derive(Default)]
struct Active {
    count: u64,
    stored: u64,
    span_us: Option<(u64, u64)>,
    proof: ProofUnion,
}

impl Active {
    fn add(&mut self, said: &Utterance) {
        self.count += 1;
        self.stored += u64::from(said.time.is_stored());
        self.proof.add(&said.proof);
        if let Some(at_us) = said.time.at_us() {
            let (first_us, last_us) = self.span_us.unwrap_or((at_us, at_us));
            self.span_us = Some((first_us.min(at_us), last_us.max(at_us)));
        }
    }

    fn in_words(&self) -> String {
        let mut words = counted(self.count, "message");
        if self.stored > 0 {
            let _ = write!(words, ", {} from the history", self.stored);
        }
        match self.span_us {
            Some((first_us, last_us)) => words + &format!(", {} to {}", at(first_us), at(last_us)),
            None => words + ", at unknown times",
        }
    }
}

fn activity(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let mut by_speaker: BTreeMap<&str, Active> = BTreeMap::new();
    for said in knowledge.utterances.all() {
        by_speaker.entry(&said.speaker).or_default().add(said);
    }
    if by_speaker.is_empty() && opaque_connections(knowledge) > 0 {
        let sends = |facts: &ConnectionFacts| facts.sizes[Direction::ToServer].units();
        let findings =
            per_connection(knowledge, |facts| format!("sent {}", counted(sends(facts), unit(facts.dialect))));
        return (summary(Some("by connection, not by name".into()), knowledge), findings);
    }
    let speakers = some(by_speaker.len(), |count| format!("{} by name", counted(count, "speaker")));
    let of = |(speaker, active): (&&str, &Active)| {
        finding(format!("{}: {}", one_line(speaker), active.in_words()), &active.proof.proof())
    };
    let findings = by_speaker.iter().map(of).collect();
    (summary(speakers, knowledge), findings)
}

fn contacts(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let mut by_pair: BTreeMap<(&str, &Audience), (u64, ProofUnion)> = BTreeMap::new();
    for said in knowledge.utterances.all() {
        let (count, proof) = by_pair.entry((&said.speaker, &said.audience)).or_default();
        *count += 1;
        proof.add(&said.proof);
    }
    let of = |((speaker, to), (count, proof)): (&(&str, &Audience), &(u64, ProofUnion))| {
        let words = format!("{} to {}: {}", one_line(speaker), audience(to), counted(*count, "message"));
        finding(words, &proof.proof())
    };
    let findings: Vec<Finding> = by_pair.iter().map(of).collect();
    (summary(some(findings.len(), |count| counted(count, "pair")), knowledge), findings)
}

fn frames_of(frames: &Frames, knowledge: &Knowledge, what: &str) -> (String, Vec<Finding>) {
    let counts = some(frames.count() as usize, |count| format!("{} {what}", counted(count, "frame")));
    let findings = counts.iter().map(|_| finding(format!("frames {what}"), frames.proof())).collect();
    (summary(counts, knowledge), findings)
}

fn per_connection(knowledge: &Knowledge, words: impl Fn(&ConnectionFacts) -> String) -> Vec<Finding> {
    let of = |(number, facts): (&u64, &ConnectionFacts)| {
        finding(format!("connection {number}: {}", words(facts)), &facts.proof)
    };
    knowledge.connections.iter().map(of).collect()
}

/// Words about the ways of a connection to the server and to the client.
fn both_ways(facts: &ConnectionFacts, words: fn(&Sizes) -> String) -> String {
    let [up, down] = facts.sizes.both().map(words);
    format!("to the server {up}; to the client {down}")
}

fn sizes(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let connections = &knowledge.connections;
    let findings = per_connection(knowledge, |facts| both_ways(facts, Sizes::in_words));
    let nouns: BTreeSet<&str> = connections.values().map(|facts| unit(facts.dialect)).collect();
    let noun = nouns.first().filter(|_| nouns.len() == 1).copied().unwrap_or("piece");
    let total = |direction: Direction| {
        let (units, bytes) = connections
            .values()
            .map(|facts| &facts.sizes[direction])
            .fold((0, 0), |(units, bytes), sizes| (units + sizes.units(), bytes + sizes.bytes()));
        format!("{} of {bytes} bytes in all", counted(units, noun))
    };
    let totals = some(connections.len(), |_| {
        format!("to servers {}, to clients {}", total(Direction::ToServer), total(Direction::ToClient))
    });
    (summary(totals, knowledge), findings)
}

fn times(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let findings = per_connection(knowledge, |facts| {
        format!("{} to {}: {}", at(facts.first_us), at(facts.last_us), both_ways(facts, Sizes::times_in_words))
    });
    let span = knowledge
        .span_us()
        .map(|(first_us, last_us)| format!("{} to {}, {}", at(first_us), at(last_us), duration(first_us, last_us)));
    (summary(span, knowledge), findings)
}

fn unreadable(knowledge: &Knowledge) -> (String, Vec<Finding>) {
    let mut findings = Vec::new();
    for (number, facts) in knowledge.connections.iter().filter(|(_, facts)| !facts.dialect.has_frames()) {
        findings.push(finding(format!("connection {number}: {}", link(facts)), &facts.proof));
    }
    let opaque = findings.len();
    if knowledge.malformed.count() > 0 {
        let words = "bytes that are no frame and no record".into();
        findings.push(finding(words, knowledge.malformed.proof()));
    }
    let all = knowledge.connections.len();
    findings.extend(
        knowledge
            .not_evaluated
            .iter()
            .map(|reason| finding(format!("not evaluated: {}", one_line(reason)), &Proof::default())),
    );
    let mut summary = format!("{opaque} of {all} connections; {} malformed pieces", knowledge.malformed.count());
    for more in [not_evaluated(knowledge), knowledge.loss.clone()].into_iter().flatten() {
        let _ = write!(summary, "; {}", one_line(&more));
    }
    (summary, findings)
}
