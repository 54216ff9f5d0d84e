//! Commands of operators (O2), and what a line of them means.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use glassline_wire::commands::{CommandId as Id, SlashCommand};
use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::visible;

use super::target::Target;
use super::{MOTD_BYTES_MAX, REASON_BYTES_MAX};
use crate::name::Name;
use crate::text::{SHORTER, check_length, check_no_token};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Default length of a mute or a ban: one lesson.
const FOR_MS_DEFAULT: u64 = 60 * MINUTE_MS;
/// Longest mute or ban: after a year its reason is forgotten.
const FOR_MS_MAX: u64 = 365 * DAY_MS;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OperatorCommand {
    Kick { name: String, reason: Option<String> },
    Mute { target: Target, for_ms: u64, reason: Option<String> },
    Unmute { target: Target },
    Ban { target: Target, for_ms: u64, reason: Option<String> },
    Unban { target: Target },
    Freeze,
    Thaw,
    ShowMotd,
    TakeMotdAway,
    SetMotd { text: String },
    Roster,
    Bans,
}

/// The first word of a line, and what follows it.
pub(crate) fn first_word(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

impl OperatorCommand {
    /// Parses a line, without a slash. `op` is not parsed here: what follows it is a secret.
    ///
    /// # Errors
    /// Unknown command or wrong arguments; holds the usage.
    pub(crate) fn parse(line: &str) -> Result<Self, Rejection> {
        let (word, arguments) = first_word(line);
        let Some(command) = SlashCommand::of_operators().find(|command| command.name == word) else {
            let words = SlashCommand::of_operators().map(|command| command.name).collect::<Vec<_>>().join(", ");
            return Err(Rejection::new(ErrorCode::BadField, format!("operators may write one of these: {words}")));
        };
        let (who, rest) = first_word(arguments);
        let of_target = |command: fn(Target) -> Self| match Target::parse(who) {
            Ok(_) if !rest.is_empty() => None,
            target => Some(target.map(command)),
        };
        let read = match command.id {
            Id::Kick | Id::Mute | Id::Unmute | Id::Ban | Id::Unban if who.is_empty() => None,
            Id::Kick => Some(name(who).and_then(|name| Ok(Self::Kick { name, reason: reason(rest)? }))),
            Id::Mute => Some(sanction(who, rest).map(|(target, for_ms, reason)| Self::Mute { target, for_ms, reason })),
            Id::Ban => Some(sanction(who, rest).map(|(target, for_ms, reason)| Self::Ban { target, for_ms, reason })),
            Id::Unmute => of_target(|target| Self::Unmute { target }),
            Id::Unban => of_target(|target| Self::Unban { target }),
            Id::Motd => Some(match arguments {
                "" => Ok(Self::ShowMotd),
                "-" => Ok(Self::TakeMotdAway),
                text => motd(text),
            }),
            _ if !arguments.is_empty() => None,
            Id::Freeze => Some(Ok(Self::Freeze)),
            Id::Thaw => Some(Ok(Self::Thaw)),
            Id::Roster => Some(Ok(Self::Roster)),
            Id::Bans => Some(Ok(Self::Bans)),
            _ => None,
        };
        read.unwrap_or_else(|| {
            let syntax = command.server.unwrap_or(command.client);
            let text = format!("this is written: {}; it {}", command.synopsis(syntax), syntax.help);
            Err(Rejection::new(ErrorCode::BadField, text))
        })
    }
}

/// A connected member's name, with or without quotes.
fn name(written: &str) -> Result<String, Rejection> {
    let unquoted = written.strip_prefix('"').and_then(|written| written.strip_suffix('"'));
    Ok(Name::parse(unquoted.unwrap_or(written).as_bytes())?.as_str().to_string())
}

fn sanction(who: &str, rest: &str) -> Result<(Target, u64, Option<String>), Rejection> {
    let target = Target::typed(who)?;
    let (first, behind) = first_word(rest);
    // A number means a length of time; an invalid one must not become a reason and an hour.
    if first.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok((target, length_ms(first)?, reason(behind)?));
    }
    Ok((target, FOR_MS_DEFAULT, reason(rest)?))
}

fn length_ms(written: &str) -> Result<u64, Rejection> {
    let bad = |text: String| Rejection::new(ErrorCode::BadField, text);
    let unit_ms = match written.chars().last() {
        Some('m') => MINUTE_MS,
        Some('h') => 60 * MINUTE_MS,
        Some('d') => DAY_MS,
        _ => 0,
    };
    let digits = written.get(..written.len().saturating_sub(1)).unwrap_or_default();
    if unit_ms == 0 || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let shown: String = visible::one_line(written).chars().take(32).collect();
        return Err(bad(format!("{shown} is no length of time; write 10m, 2h or 7d (a reason starts with no digit)")));
    }
    let length_ms = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit_ms));
    length_ms.filter(|&length_ms| (1..=FOR_MS_MAX).contains(&length_ms)).ok_or_else(|| {
        let days_max = FOR_MS_MAX / DAY_MS;
        bad(format!("that is not between 1m and {days_max}d; write a length of time between them"))
    })
}

fn reason(written: &str) -> Result<Option<String>, Rejection> {
    // It is shown inside a line of others' screens, so it stays on that line.
    let text = visible::one_line(written.trim()).into_owned();
    check_length(&text, REASON_BYTES_MAX, SHORTER)?;
    check_no_token(&text)?;
    Ok((!text.is_empty()).then_some(text))
}

fn motd(written: &str) -> Result<OperatorCommand, Rejection> {
    let text = visible::lines(written.trim_end()).into_owned();
    check_length(&text, MOTD_BYTES_MAX, SHORTER)?;
    check_no_token(&text)?;
    Ok(OperatorCommand::SetMotd { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).expect("somebody")
    }

    fn read(line: &str) -> OperatorCommand {
        OperatorCommand::parse(line).unwrap_or_else(|refused| panic!("{line}: {}", refused.text))
    }

    fn refused(line: &str) -> Rejection {
        OperatorCommand::parse(line).expect_err("refused")
    }

    #[test]
    fn each_instruction_reads_its_arguments() {
        let because = |text: &str| Some(text.to_string());
        assert_eq!(read("kick bob"), OperatorCommand::Kick { name: "bob".into(), reason: None });
        assert_eq!(
            read(" kick  bob  too  loud "),
            OperatorCommand::Kick { name: "bob".into(), reason: because("too  loud") }
        );
        assert_eq!(read("kick \"10.0.0.1\""), OperatorCommand::Kick { name: "10.0.0.1".into(), reason: None });
        assert_eq!(
            read("mute bob"),
            OperatorCommand::Mute { target: target("bob"), for_ms: FOR_MS_DEFAULT, reason: None }
        );
        assert_eq!(
            read("mute 192.0.2.7 10m"),
            OperatorCommand::Mute { target: target("192.0.2.7"), for_ms: 10 * MINUTE_MS, reason: None }
        );
        assert_eq!(
            read("ban 2001:db8::/64 7d until the trip is over"),
            OperatorCommand::Ban {
                target: target("2001:db8::/64"),
                for_ms: 7 * DAY_MS,
                reason: because("until the trip is over")
            }
        );
        assert_eq!(
            read("ban bob he knows why 10m"),
            OperatorCommand::Ban { target: target("bob"), for_ms: FOR_MS_DEFAULT, reason: because("he knows why 10m") }
        );
        assert_eq!(read("unban 10.0.0.0/8"), OperatorCommand::Unban { target: target("10.0.0.0/8") });
        assert_eq!(read("unmute Bob"), OperatorCommand::Unmute { target: target("Bob") });
        for (line, instruction) in [
            ("freeze", OperatorCommand::Freeze),
            ("thaw", OperatorCommand::Thaw),
            ("motd", OperatorCommand::ShowMotd),
            ("motd -", OperatorCommand::TakeMotdAway),
            ("motd  two\nlines\t-\u{1b}\n", OperatorCommand::SetMotd { text: "two\nlines\t-\u{fffd}".into() }),
            ("roster", OperatorCommand::Roster),
            ("bans", OperatorCommand::Bans),
        ] {
            assert_eq!(read(line), instruction);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        for line in
            ["kick", "mute ", "unmute", "ban", "unban bob 10m", "freeze now", "thaw x", "roster bob", "bans all"]
        {
            let refused = refused(line);
            assert!(refused.code == ErrorCode::BadField && refused.text.starts_with("this is written: "), "{line}");
        }
        assert!(refused("dance").text.contains("kick, mute, unmute"));
        assert!(refused("").text.contains("kick"));
        assert_eq!(refused("ban 10.0.0.0/40").code, ErrorCode::BadField);
        assert_eq!(refused("kick a\u{202e}b").code, ErrorCode::BadName);
    }

    #[test]
    fn a_duration_is_read_or_refused_and_never_taken_for_a_reason() {
        for (written, length_ms) in [("1m", MINUTE_MS), ("2h", 120 * MINUTE_MS), ("365d", FOR_MS_MAX)] {
            assert_eq!(super::length_ms(written), Ok(length_ms));
        }
        for written in "0m 366d 99999999999999999999d 18446744073709551615d 30s 5 10min 1w 1\u{1b}m 1ä".split(' ') {
            let refused = refused(&alloc::format!("mute bob {written} because"));
            assert_eq!(refused.code, ErrorCode::BadField, "{written}");
            assert!(!refused.text.contains(char::is_control));
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let OperatorCommand::Kick { reason, .. } = read("kick bob a\nb\u{1b}[2J\u{202e}") else { panic!("a kick") };
        assert_eq!(reason.as_deref(), Some("a\u{fffd}b\u{fffd}[2J\u{fffd}"));
        assert!(OperatorCommand::parse(&format!("kick bob {}", "x".repeat(REASON_BYTES_MAX))).is_ok());
        // The removed text may be shorter than its replacement.
        for long in ["x".repeat(REASON_BYTES_MAX + 1), "\u{7}x".repeat(100)] {
            assert_eq!(refused(&format!("kick bob {long}")).code, ErrorCode::TooLong);
        }
        assert_eq!(refused(&format!("motd {}", "x".repeat(MOTD_BYTES_MAX + 1))).code, ErrorCode::TooLong);
    }
}
