//! A rule from its settings.

use serde_json::Value;
use strum::VariantNames as _;

use super::error::{Fault, unknown};
use super::settings::{Setting, Settings, plain, shown};
use super::{Action, ActionKind, Content, Edit, Injection, Matcher, Postponement, Range, Rule};
use crate::faults::Pace;
use crate::frame::{Dialect, Direction};
use crate::line::End;
use glassline_wire::hex;

/// Types of frames: those of the published schema, and those that the tap tells apart otherwise.
pub const KINDS: [&str; 34] = [
    "act", "away", "bye", "direct", "error", "gap", "hello", "history", "join", "joined", "leave", "left", "members",
    "message", "notice", "operate", "ping", "pong", "rename", "renamed", "rooms", "search", "send", "welcome", "whois",
    "name", "text", "opening", "record", "http", "ws_ping", "ws_pong", "ws_close", "raw",
];
/// Most copies of one frame.
const COPIES_MAX: u32 = 100;
/// Time that a reordered or replayed frame waits at most, unless the rule says otherwise.
const POSTPONED_US: u64 = 1_000_000;
/// Time for a decision by hand: shorter than the 75 s after which either side gives up.
pub const HOLD_US: u64 = 60_000_000;
/// Time for the decision of a program.
const HOOK_US: u64 = 1_000_000;

/// Reads a rule whose action stands at `at`.
pub(super) fn rule(action: &str, mut settings: Settings, at: usize) -> Result<Rule, Fault> {
    let Ok(kind) = action.parse() else {
        return Err(Fault::new(at, unknown("action", action, ActionKind::VARIANTS)));
    };
    let action = read_action(kind, &mut settings);
    let label = settings.read("label", "write a name without control characters, of at most 64 bytes", |label| {
        let is_good = !label.is_empty() && label.len() <= 64 && !label.contains(char::is_control);
        is_good.then(|| label.to_owned())
    });
    let matcher = read_matcher(&mut settings);
    let probability = settings.number("p", 0.0, 1.0);
    let count_max = settings.number("count", 0, u64::MAX);
    settings.finish()?;
    Ok(Rule { label: label.unwrap_or_default(), matcher, probability: probability.unwrap_or(1.0), count_max, action })
}

fn read_matcher(settings: &mut Settings) -> Matcher {
    let directions = [("server", Direction::ToServer), ("client", Direction::ToClient)];
    let kind = settings.take("kind").and_then(|setting| {
        let kind = plain(&setting.value).unwrap_or_default();
        if KINDS.contains(&kind.as_str()) {
            return Some(kind);
        }
        settings.fault(setting.at, unknown("kind of frame", &kind, &KINDS));
        None
    });
    Matcher {
        direction: settings.word("to", &directions),
        connection: range(settings, "connection"),
        frame: range(settings, "frame"),
        size: range(settings, "size"),
        dialect: settings
            .word("dialect", &Dialect::ALL.iter().map(|dialect| (dialect.name(), *dialect)).collect::<Vec<_>>()),
        kind,
        name: settings.text("name"),
        name_contains: settings.text("name_contains"),
        room: settings.text("room"),
        text: settings.text("text"),
        text_contains: settings.text("text_contains"),
    }
}

fn range(settings: &mut Settings, key: &'static str) -> Option<Range> {
    settings.read(key, "write a number or a range, such as 3, 3-5, 3- or -5", |text| {
        let Some((least, most)) = text.split_once('-') else { return text.parse().ok().map(Range::only) };
        let number = |text: &str, otherwise| if text.is_empty() { Some(otherwise) } else { text.parse().ok() };
        let range = Range { least: number(least, 0)?, most: number(most, u64::MAX)? };
        (text != "-" && range.least <= range.most).then_some(range)
    })
}

fn read_action(kind: ActionKind, settings: &mut Settings) -> Action {
    match kind {
        ActionKind::Drop => Action::Drop,
        ActionKind::Delay => {
            let delay_us = required_us(settings, "by", "delay needs its time, such as by=50ms");
            Action::Delay { delay_us, jitter_us: settings.duration_us("jitter").unwrap_or(0) }
        }
        ActionKind::Duplicate => Action::Duplicate { copies: settings.number("copies", 1, COPIES_MAX).unwrap_or(1) },
        ActionKind::Reorder => Action::Reorder(postponement(settings)),
        ActionKind::Replay => Action::Replay(postponement(settings)),
        ActionKind::Cut => {
            let end = settings.word("end", &[("fin", End::Finished), ("reset", End::Reset)]);
            let after_bytes = settings.number("at", 0, usize::MAX).unwrap_or(0);
            Action::Cut { end: end.unwrap_or(End::Finished), after_bytes }
        }
        ActionKind::Stall => {
            let duration_us = required_us(settings, "for", "stall needs its time, such as for=5s");
            Action::Stall { duration_us, both_directions: settings.truth("both").unwrap_or(false) }
        }
        ActionKind::Slice => {
            let slice_bytes = settings.number("bytes", 1, usize::MAX).unwrap_or(1);
            Action::Slice(Pace { slice_bytes, pause_us: settings.duration_us("pause").unwrap_or(0) })
        }
        ActionKind::Throttle => {
            let rate = settings.number("rate", 1, u64::MAX);
            if rate.is_none() {
                settings.miss("throttle needs its bytes per second, such as rate=400");
            }
            Action::Throttle { bytes_per_s: rate.unwrap_or(1) }
        }
        ActionKind::FlipBit => Action::FlipBit { bit: settings.number("bit", 0, u64::MAX) },
        ActionKind::Edit => Action::Edit(edits(settings)),
        ActionKind::Send => Action::Send(content(settings, "send")),
        ActionKind::Inject => {
            let places = [("before", true), ("after", false)];
            let before = settings.word("where", &places).unwrap_or(false);
            let backwards = settings.truth("back").unwrap_or(false);
            Action::Inject(Injection { content: content(settings, "inject"), backwards, before })
        }
        ActionKind::Impersonate => {
            let name = settings.text("as");
            if name.is_none() {
                settings.miss("impersonate needs a name, such as as=alice");
            }
            Action::Impersonate { name: name.unwrap_or_default(), text: settings.text("say") }
        }
        ActionKind::Downgrade => Action::Downgrade,
        ActionKind::Hold => Action::Hold { timeout_us: settings.duration_us("timeout").unwrap_or(HOLD_US) },
        ActionKind::Hook => {
            let command = settings.words("command");
            if command.is_none() {
                settings.miss("hook needs a program, such as command=\"python3 hook.py\"");
            }
            let timeout_us = settings.duration_us("timeout").unwrap_or(HOOK_US);
            Action::Hook { command: command.unwrap_or_default(), timeout_us }
        }
    }
}

fn required_us(settings: &mut Settings, key: &'static str, missing: &str) -> u64 {
    settings.duration_us(key).unwrap_or_else(|| {
        settings.miss(missing);
        0
    })
}

fn postponement(settings: &mut Settings) -> Postponement {
    let frames = settings.number("after", 1, u64::MAX).unwrap_or(1);
    Postponement { frames, at_most_us: settings.duration_us("within").unwrap_or(POSTPONED_US) }
}

/// Reads `set.FIELD`, `add.FIELD` and `replace.FIELD`, which gives the old words and the new ones.
fn edits(settings: &mut Settings) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (field, setting) in settings.take_group("set") {
        let value = settings.typed(&field, setting.value);
        edits.push((setting.at, Edit::Set { field, value }));
    }
    for (field, setting) in settings.take_group("add") {
        let value = settings.typed(&field, setting.value);
        edits.push((setting.at, Edit::Add { field, value }));
    }
    for (field, setting) in settings.take_group("replace") {
        match old_and_new(&setting) {
            Some((old, new)) => edits.push((setting.at, Edit::Replace { field, old, new })),
            None => settings.fault(
                setting.at,
                format!(
                    "{} cannot be {}; write the old words, => and the new ones, in a file [\"old\", \"new\"]",
                    setting.key,
                    shown(&setting.value)
                ),
            ),
        }
    }
    if edits.is_empty() {
        settings.miss("edit needs a change, such as set.text=\"other words\" or replace.text=\"old=>new\"");
    }
    edits.sort_by_key(|(at, _)| *at);
    edits.into_iter().map(|(_, edit)| edit).collect()
}

fn old_and_new(setting: &Setting) -> Option<(String, String)> {
    let (old, new) = match &setting.value {
        Value::String(text) => text.split_once("=>")?,
        Value::Array(list) => match &list[..] {
            [Value::String(old), Value::String(new)] => (old.as_str(), new.as_str()),
            _ => return None,
        },
        _ => return None,
    };
    (!old.is_empty()).then(|| (old.to_owned(), new.to_owned()))
}

fn content(settings: &mut Settings, action: &str) -> Content {
    let raw = settings.text("raw").map(|text| Content::Raw(text.into_bytes()));
    let hex = settings
        .read("hex", "write two hexadecimal digits for each byte", |digits| hex::decode(&digits.replace(' ', "")))
        .map(Content::Raw);
    let payload = settings.text("payload").map(|text| Content::Payload(text.into_bytes()));
    let event = settings.object("event").map(Content::Event);
    let pair = settings.object("pair").and_then(|pair| {
        let field = |field: &str| pair.get(field).and_then(plain);
        let (name, text) = (field("name"), field("text"));
        if name.is_none() || text.is_none() {
            settings.miss("a pair needs pair.name and pair.text");
        }
        Some(Content::Pair { name: name?, text: text? })
    });
    let mut contents: Vec<Content> = [raw, hex, payload, event, pair].into_iter().flatten().collect();
    match contents.pop() {
        Some(content) if contents.is_empty() => content,
        Some(content) => {
            settings.miss(format!("{action} takes one of raw, hex, payload, event and pair; leave one"));
            content
        }
        None => {
            settings.miss(format!("{action} needs what to send: raw, hex, payload, event.type or pair.name"));
            Content::Raw(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_kinds_are_those_of_the_schema() {
        let schema: Value = serde_json::from_str(include_str!("../../../../spec/events.schema.json")).expect("JSON");
        let mut types = BTreeSet::new();
        collect_types(&schema, &mut types);
        assert!(types.len() > 20, "{types:?}");
        let own = ["name", "text", "opening", "record", "http", "ws_ping", "ws_pong", "ws_close", "raw"];
        let known: BTreeSet<String> =
            KINDS.iter().filter(|kind| !own.contains(kind)).map(|kind| (*kind).to_owned()).collect();
        assert_eq!(known, types);
    }

    fn collect_types(value: &Value, types: &mut BTreeSet<String>) {
        if let Some(kind) = value.pointer("/properties/type/const").and_then(Value::as_str) {
            types.insert(kind.to_owned());
        }
        match value {
            Value::Object(object) => object.values().for_each(|value| collect_types(value, types)),
            Value::Array(list) => list.iter().for_each(|value| collect_types(value, types)),
            _ => {}
        }
    }
}
