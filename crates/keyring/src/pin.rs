//! One key that was seen, as a line of a file.

use std::time::{SystemTime, UNIX_EPOCH};

use glassline_secure::Fingerprint;
use glassline_wire::timestamp::Timestamp;

use crate::line_file::Line;

/// Reason why a key counts as its owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was the first one seen.
    FirstUse,
    /// The user has accepted it, in place of another one or in advance.
    Accepted,
    /// The user has compared its fingerprint with the owner's.
    Verified,
    /// A certificate authority vouched for it.
    Authority,
    /// It does not count: it was offered in place of the known one, and refused.
    Refused,
}

impl Standing {
    const WORDS: [(&'static str, Self); 5] = [
        ("first-use", Self::FirstUse),
        ("accepted", Self::Accepted),
        ("verified", Self::Verified),
        ("authority", Self::Authority),
        ("refused", Self::Refused),
    ];

    /// Word in the file and in JSON.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, standing)| *standing == self).map_or("", |(word, _)| word)
    }

    /// Words for a person, after a fingerprint.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::FirstUse => "trusted on first use",
            Self::Accepted => "accepted by you",
            Self::Verified => "verified by you",
            Self::Authority => "vouched for by a certificate authority",
            Self::Refused => "refused",
        }
    }

    /// Returns whether the key counts as its owner's.
    pub fn is_trusted(self) -> bool {
        self != Self::Refused
    }
}

/// A key of a subject: a server and a scheme, or a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) key: Fingerprint,
    pub(crate) standing: Standing,
    /// Time at which the key was first seen.
    pub(crate) since: Timestamp,
    pub(crate) subject: String,
}

/// Returns the time of the system's clock.
pub(crate) fn now() -> Timestamp {
    let unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_unix_ms(u64::try_from(unix_ms).unwrap_or(u64::MAX))
}

impl Pin {
    /// Returns a pin of a key that is seen now.
    pub(crate) fn now(subject: &str, key: Fingerprint, standing: Standing) -> Self {
        Self { key, standing, since: now(), subject: subject.to_owned() }
    }
}

impl Line for Pin {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let mut fields = line.splitn(4, ' ');
        let mut field = || fields.next().ok_or("it has fewer than four fields");
        let (key, standing, since, subject) = (field()?, field()?, field()?, field()?);
        let standing = Standing::WORDS.iter().find(|(word, _)| *word == standing).map(|(_, standing)| *standing);
        Ok(Self {
            key: key.parse().map_err(|_| "the first field is no fingerprint of 64 digits")?,
            standing: standing.ok_or("the second field says in no known way why the key is trusted")?,
            since: Timestamp::parse(since).ok_or("the third field is no time of the form 2026-01-02T03:04:05.678Z")?,
            subject: subject.to_owned(),
        })
    }

    fn line(&self) -> String {
        format!("{} {} {} {}\n", self.key.hex(), self.standing.as_str(), self.since, self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        for (_, standing) in Standing::WORDS {
            let pin = Pin::now("a name  with spaces ", Fingerprint::of_spki(b"key"), standing);
            assert_eq!(Pin::parse(pin.line().trim_end_matches('\n')), Ok(pin));
        }
        let now = Pin::now("x", Fingerprint::of_spki(b"key"), Standing::FirstUse).since;
        assert!(now.to_string().as_str() > "2026", "{now}");
    }

    #[test]
    fn a_wrong_line_says_which_field_is_wrong() {
        let hex = Fingerprint::of_spki(b"key").hex();
        for (line, why) in [
            (String::new(), "four fields"),
            (format!("{hex} first-use 2026-01-02T03:04:05.678Z"), "four fields"),
            ("x first-use 2026-01-02T03:04:05.678Z a".to_owned(), "first"),
            (format!("{hex} trusted 2026-01-02T03:04:05.678Z a"), "second"),
            (format!("{hex} first-use yesterday a"), "third"),
        ] {
            assert!(Pin::parse(&line).is_err_and(|error| error.contains(why)), "{line}");
        }
    }
}
