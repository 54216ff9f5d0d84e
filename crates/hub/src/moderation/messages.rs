//! Texts of moderation.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use core::net::IpAddr;

use glassline_wire::event::AuditEntry;
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::timestamp::Timestamp;

use super::attempts::BURST;
use super::sanctions::Sanction;
use super::target::written;

/// Names that a sanction lists; the rest is a number.
const NAMES_LISTED_MAX: usize = 20;

/// Text of an act for operators in the tutorial dialect.
pub(crate) fn announcement(act: &AuditEntry) -> String {
    let who = act.who.as_deref().map_or_else(String::new, |who| format!(" {who}"));
    format!("{} {}{who}{}{}", act.by, act.done(), until(act.until), because(act.text.as_deref()))
}

/// A sanction as operators are shown it; `kind` is `muted` or `banned`.
pub(crate) fn sanction(sanction: &Sanction, kind: &str) -> String {
    let Sanction { target, until: end, by, reason } = sanction;
    format!("{target} {kind}{} by {by}{}", until(Some(*end)), because(reason.as_deref()))
}

pub(crate) fn muted(mute: &Sanction, operators: &[String]) -> String {
    let to = if operators.is_empty() { String::new() } else { format!(" ({})", operators.join(", ")) };
    let (until, because) = (until(Some(mute.until)), because(mute.reason.as_deref()));
    format!("{} muted you{until}{because}; you may still write to an operator{to} directly", mute.by)
}

pub(crate) fn banned(ban: &Sanction) -> String {
    let (until, because) = (until(Some(ban.until)), because(ban.reason.as_deref()));
    format!("{} banned {}{until}{because}; come back after that, or ask whoever runs this server", ban.by, ban.target)
}

/// Refusal of a name that only looks like the banned one: its owner may be innocent.
pub(crate) fn like_banned(ban: &Sanction) -> String {
    let (until, because) = (until(Some(ban.until)), because(ban.reason.as_deref()));
    format!("this name looks like {}, which {} banned{until}{because}; choose another name", ban.target, ban.by)
}

/// Warning of the first wrong token from an address, and of each that leaves it no attempt.
pub(crate) fn wrong_token(name: &str, address: IpAddr, left: u64) -> Option<String> {
    let address = address.to_canonical();
    if left == 0 {
        Some(format!(
            "{name} gave a wrong operator token, and {address} has no attempt left: for 5 min not even the right one is \
             looked at from there"
        ))
    } else if left == BURST - 1 {
        Some(format!(
            "{name} gave a wrong operator token, from {address}; if that was no slip: /kick {}",
            written(name)
        ))
    } else {
        None
    }
}

pub(crate) fn frozen(by: &str) -> String {
    format!(
        "{by} froze the talk: only operators speak, and who comes is shown to them alone; wait until it ends, or write to an operator directly"
    )
}

pub(crate) fn frozen_rooms(by: &str) -> String {
    format!("{by} froze the talk: only operators open rooms; wait until it ends, or join a room that /rooms lists")
}

pub(crate) fn because(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": {text}"))
}

pub(crate) fn hits(names: &[String]) -> String {
    let listed: Vec<&str> = names.iter().take(NAMES_LISTED_MAX).map(String::as_str).collect();
    match names.len() {
        0 => "it concerns nobody who is here now".to_string(),
        count if count > listed.len() => {
            format!("it concerns {count} who are here: {} +{}", listed.join(", "), count - listed.len())
        }
        count => {
            format!("it concerns {count} who {} here: {}", if count == 1 { "is" } else { "are" }, listed.join(", "))
        }
    }
}

pub(crate) fn until(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(" until {}", until.in_words()))
}

/// The lines that fit one text, and the number of the others.
pub(crate) fn listed(mut text: String, lines: impl Iterator<Item = String>) -> String {
    let mut left_out = 0;
    for line in lines {
        if left_out > 0 || text.len() + line.len() >= TEXT_BYTES_MAX {
            left_out += 1;
        } else {
            text.push('\n');
            text.push_str(&line);
        }
    }
    if left_out > 0 {
        text.push_str("\n+");
        text.push_str(&left_out.to_string());
    }
    text
}
