//! The effect of each action on the plan of a unit.

use serde_json::{Map, Value};

use super::fields::{EditError, Edited, edited, event, frames, payload_offset, quoted_payload};
use super::plan::{Addition, FrameOutcome, Stall, Work};
use super::unit::Form;
use super::{Decider, End};
use crate::frame::{Dialect, Direction, FrameKind};
use crate::rules::{Action, Content, Edit, Injection, Postponement, RuleRng};

/// Outcome of an action.
pub(super) enum Outcome {
    /// It has this effect, from this byte of the unit on.
    Done { effect: String, at: usize },
    /// The user or a hook decides, within this time in microseconds.
    Ask(Decider, u64),
    /// It does not concern this unit.
    NotHere,
    /// It cannot be done, for this reason.
    Rejected(String),
}

fn done(effect: impl Into<String>) -> Outcome {
    Outcome::Done { effect: effect.into(), at: 0 }
}

/// Decides about a unit as the action says.
pub(super) fn apply(action: &Action, work: &mut Work, label: &str, rng: &mut RuleRng) -> Outcome {
    let plan = &mut work.plan;
    match action {
        Action::Drop => {
            plan.outcome = FrameOutcome::Drop;
            done("dropped")
        }
        Action::Delay { delay_us, jitter_us } => {
            let delay_us = delay_us.saturating_add(rng.below(jitter_us.saturating_add(1)));
            plan.delay_us = plan.delay_us.saturating_add(delay_us);
            done(format!("delayed by {}", duration(delay_us)))
        }
        Action::Duplicate { copies } => {
            plan.copies.push((label.to_owned(), *copies));
            done(format!("sent with {copies} more of the same"))
        }
        Action::Reorder(postponement) => {
            plan.outcome = FrameOutcome::Postpone(*postponement);
            done(format!("kept back until {}", shown(*postponement)))
        }
        Action::Replay(postponement) => {
            plan.replays.push((label.to_owned(), *postponement));
            done(format!("sent once more after {}", shown(*postponement)))
        }
        Action::Cut { end, after_bytes } => cut(*end, *after_bytes, work),
        Action::Stall { duration_us, both_directions } => {
            plan.stall = Some(Stall { duration_us: *duration_us, both_directions: *both_directions });
            let both = if *both_directions { " in either direction" } else { "" };
            done(format!("nothing passes{both} for {}", duration(*duration_us)))
        }
        Action::Slice(pace) => {
            plan.pace = Some(plan.pace.map_or(*pace, |before| before.slower(*pace)));
            done(format!("written in slices of {} bytes, {} apart", pace.slice_bytes, duration(pace.pause_us)))
        }
        Action::Throttle { bytes_per_s } => {
            let pace = crate::faults::Pace::of_rate(*bytes_per_s);
            plan.pace = Some(plan.pace.map_or(pace, |before| before.slower(pace)));
            done(format!("written at {bytes_per_s} bytes per second"))
        }
        Action::FlipBit { bit } => flip(*bit, work, rng),
        Action::Edit(edits) => edit(edits, work),
        Action::Send(content) => replace(content, work, rng),
        Action::Inject(injection) => inject(injection, work, label, rng),
        Action::Impersonate { name, text } => impersonate(name, text.as_deref(), work),
        Action::Downgrade => downgrade(work),
        Action::Hold { timeout_us } => Outcome::Ask(Decider::Hand, *timeout_us),
        Action::Hook { command, timeout_us } => Outcome::Ask(Decider::Hook(command.clone()), *timeout_us),
    }
}

/// Cuts a unit.
pub(super) fn cut(end: End, after_bytes: usize, work: &mut Work) -> Outcome {
    let at = after_bytes.min(work.bytes().len());
    work.plan.outcome = FrameOutcome::Cut { end, after_bytes: at, ends_both: end == End::Reset };
    let how = match end {
        End::Finished => "with a FIN for the receiver",
        End::Reset => "with a reset for both sides",
        End::Truncated => "without an end that the receiver's link would accept",
    };
    Outcome::Done { effect: format!("cut after {at} of its bytes {how}"), at }
}

/// Changes fields of a unit.
pub(super) fn edit(edits: &[Edit], work: &mut Work) -> Outcome {
    match edited(work.bytes(), work.unit.form, edits) {
        Ok(Edited { bytes, changes }) => {
            work.plan.bytes = Some(bytes);
            done(format!("edited: {}", changes.join(", ")))
        }
        Err(EditError::Absent) => Outcome::NotHere,
        Err(EditError::Unreadable) => {
            Outcome::Rejected("it has no fields that can be read; change its bytes with flip or send instead".into())
        }
    }
}

fn flip(bit: Option<u64>, work: &mut Work, rng: &mut RuleRng) -> Outcome {
    let mut bytes = work.bytes().to_vec();
    let first = 8 * payload_offset(&bytes, work.unit.form) as u64;
    let after_last = 8 * bytes.len() as u64;
    let bit = bit.unwrap_or_else(|| first + rng.below(after_last.saturating_sub(first)));
    let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at)) else { return Outcome::NotHere };
    *byte ^= 0x80 >> (bit % 8);
    work.plan.bytes = Some(bytes);
    Outcome::Done { effect: format!("bit {bit} of it inverted"), at: (bit / 8) as usize }
}

fn replace(content: &Content, work: &mut Work, rng: &mut RuleRng) -> Outcome {
    match encoded(content, work.unit.frame.dialect, work.unit.frame.direction, rng) {
        Ok(bytes) => {
            let effect = sent_in_place(&bytes, "");
            work.plan.bytes = Some(bytes);
            done(effect)
        }
        Err(reason) => Outcome::Rejected(reason),
    }
}

/// Returns the effect of other bytes in place of a unit, with a reason as `, as decided`.
pub(super) fn sent_in_place(bytes: &[u8], reason: &str) -> String {
    let payload = quoted_payload(bytes).map(|payload| format!(": {payload}")).unwrap_or_default();
    format!("{} other bytes sent in its place{reason}{payload}", bytes.len())
}

fn inject(injection: &Injection, work: &mut Work, label: &str, rng: &mut RuleRng) -> Outcome {
    let frame = &work.unit.frame;
    let direction = if injection.backwards { frame.direction.opposite() } else { frame.direction };
    match encoded(&injection.content, frame.dialect, direction, rng) {
        Ok(bytes) => {
            let place = match (injection.backwards, injection.before) {
                (true, _) => "to its sender",
                (false, true) => "before it",
                (false, false) => "after it",
            };
            let effect = format!("{} bytes injected {place}", bytes.len());
            let (rule, is_before) = (label.to_owned(), injection.before);
            work.plan.additions.push(Addition { bytes, direction, is_before, rule });
            done(effect)
        }
        Err(reason) => Outcome::Rejected(reason),
    }
}

fn impersonate(name: &str, text: Option<&str>, work: &mut Work) -> Outcome {
    let set = |field: &str, value: &str| Edit::Set { field: field.to_owned(), value: Value::String(value.to_owned()) };
    let (unit, kind) = (&work.unit, work.unit.meaning.kind.as_str());
    let states_speaker = match unit.form {
        Form::Event => matches!(kind, "message" | "direct" | "hello" | "rename") && !is_unsigned(work),
        Form::Name | Form::Pair => true,
        Form::Text | Form::Payload | Form::Record | Form::Bytes => false,
    };
    if !states_speaker {
        let uses = is_unsigned(work) || (unit.form == Form::Text && unit.frame.direction == Direction::ToServer);
        return if uses {
            Outcome::Rejected(format!(
                "what a client sends does not say who sends it, the connection does; change the hello or name with \
                 which it begins, inject into the connection of {name:?}, or match to=client"
            ))
        } else if matches!(unit.form, Form::Payload | Form::Record | Form::Bytes)
            && unit.frame.kind != FrameKind::Opening
        {
            Outcome::Rejected("it names no speaker that can be read".into())
        } else {
            Outcome::NotHere
        };
    }
    let edits: Vec<Edit> =
        [Some(set("name", name)), text.map(|text| set("text", text))].into_iter().flatten().collect();
    match edit(&edits, work) {
        Outcome::Done { effect, at } => Outcome::Done { effect: format!("made to come from {name:?}; {effect}"), at },
        other => other,
    }
}

/// Returns whether this is a request by which a client says something, without its name.
fn is_unsigned(work: &Work) -> bool {
    let unit = &work.unit;
    unit.form == Form::Event
        && unit.frame.direction == Direction::ToServer
        && matches!(unit.meaning.kind.as_str(), "send" | "direct")
}

fn downgrade(work: &mut Work) -> Outcome {
    if work.unit.frame.kind != FrameKind::Opening {
        return Outcome::NotHere;
    }
    work.plan.outcome = FrameOutcome::Cut { end: End::Finished, after_bytes: 0, ends_both: true };
    done("kept back and the connection closed, so that the client falls back to the tutorial dialect")
}

/// Returns the bytes of some content; the error says why they would make no sense.
fn encoded(content: &Content, dialect: Dialect, to: Direction, rng: &mut RuleRng) -> Result<Vec<u8>, String> {
    let needs = |wanted: Dialect, what: &str| {
        if dialect == wanted {
            return Ok(());
        }
        Err(format!("{what} belongs to a link in the {} dialect; send raw bytes or a payload instead", wanted.name()))
    };
    match content {
        Content::Raw(bytes) => Ok(bytes.clone()),
        Content::Payload(payload) => Ok(frames(&[payload])),
        Content::Event(object) => {
            needs(Dialect::Event, "an event")?;
            Ok(event(&with_id(object, rng)))
        }
        Content::Pair { name, text } => {
            needs(Dialect::Tutorial, "a pair")?;
            if to == Direction::ToServer {
                return Err("a pair is for a client; to a server send the text as a payload".into());
            }
            Ok(frames(&[name.as_bytes(), text.as_bytes()]))
        }
    }
}

/// Adds the id that a message must have (E4).
fn with_id(object: &Map<String, Value>, rng: &mut RuleRng) -> Map<String, Value> {
    let mut object = object.clone();
    let is_message = object.get("type").and_then(Value::as_str).is_some_and(|kind| matches!(kind, "send" | "direct"));
    if is_message && !object.contains_key("id") {
        let id = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
        object.insert("id".into(), Value::String(id));
    }
    object
}

fn shown(postponement: Postponement) -> String {
    let Postponement { frames, at_most_us } = postponement;
    let have = if frames == 1 { "frame has" } else { "frames have" };
    format!("{frames} later {have} passed, {} at most", duration(at_most_us))
}

/// A time as text.
pub(super) fn duration(us: u64) -> String {
    match us {
        0..10_000 => format!("{us} us"),
        10_000..10_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}
