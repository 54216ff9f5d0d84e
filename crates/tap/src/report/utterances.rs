//! Messages, each once, although it passes on its way to the server and again to every reader.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use super::{Evidence, Proof};

/// Messages kept with their words, and bytes of these words; later ones are counted only.
const UTTERANCES_MAX: usize = 100_000;
const WORDS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Other texts kept of a message that was changed.
const OTHER_TEXTS_MAX: usize = 4;
/// Streams and words whose appearances are counted; beyond, messages are counted only.
const APPEARANCES_MAX: usize = 1_000_000;

/// Messages with the same words that are compared with a stored one; the others are older.
const SAME_WORDS_MAX: usize = 1_000;

/// For whom a message is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Audience {
    /// A room by name.
    Room(String),
    /// One person.
    Person(String),
    /// The server alone: a command.
    Server,
    /// The room in which the speaker is: the tutorial dialect does not name it.
    Unnamed,
}

impl Audience {
    /// Returns the name of the room or person; empty if there is none.
    fn name(&self) -> &str {
        match self {
            Self::Room(name) | Self::Person(name) => name,
            Self::Server | Self::Unnamed => "",
        }
    }
}

/// Time of a message, in microseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Passed then, on its way.
    Live(u64),
    /// Stored by the server, which sent it again later. The time is the message's own, as far as it
    /// has one.
    Stored(Option<u64>),
}

impl Time {
    pub(super) fn at_us(self) -> Option<u64> {
        match self {
            Self::Live(at_us) => Some(at_us),
            Self::Stored(at_us) => at_us,
        }
    }

    pub(super) fn is_stored(self) -> bool {
        matches!(self, Self::Stored(_))
    }
}

/// One message.
#[derive(Debug, Clone)]
pub(super) struct Utterance {
    pub(super) speaker: String,
    pub(super) audience: Audience,
    pub(super) text: String,
    /// Other texts under the same id: the message was changed on its way.
    pub(super) other_texts: Vec<String>,
    pub(super) time: Time,
    pub(super) proof: Proof,
    /// Its number in its room is known: a stored message with another number is another one.
    is_numbered: bool,
    /// Its id is known, and another id is another message.
    has_id: bool,
}

/// Hash of speaker and text: two messages that agree in both have the same words. Keyed at random,
/// so that nobody can choose words that collide; kept in place of the words, whose length a peer
/// decides.
type Words = u64;

/// A sequence in which each message appears once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stream {
    /// Numbered messages, whichever connection carries them.
    Numbered,
    /// One direction of one connection.
    Of(u64, bool),
}

/// All messages, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Utterances {
    all: Vec<Utterance>,
    words_bytes: usize,
    hasher: RandomState,
    /// Messages that were seen on their way, in their order.
    by_words: HashMap<Words, Vec<usize>>,
    /// Number of appearances of the same words in one stream.
    appearances: HashMap<(Stream, Words), usize>,
    by_seq: HashMap<(String, u64), usize>,
    /// Index by hash of speaker and id.
    by_id: HashMap<u64, usize>,
    left_out: u64,
}

/// One appearance of a message on the line.
#[derive(Debug, Clone)]
pub(super) struct Appearance {
    pub(super) connection: u64,
    pub(super) is_to_server: bool,
    pub(super) speaker: String,
    pub(super) audience: Audience,
    pub(super) text: String,
    pub(super) seq: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) time: Time,
    pub(super) evidence: Evidence,
}

impl Utterances {
    pub(super) fn add(&mut self, appearance: Appearance) {
        let numbered = match (&appearance.audience, appearance.seq) {
            (Audience::Room(room), Some(seq)) => Some((room.clone(), seq)),
            _ => None,
        };
        let id = appearance.id.as_ref().map(|id| self.hasher.hash_one((&appearance.speaker, id)));
        let known = numbered.as_ref().and_then(|numbered| self.by_seq.get(numbered));
        let known = known.or_else(|| self.by_id.get(&id?)).copied();
        let with_these_words = match appearance.time {
            Time::Live(_) => Self::nth_with_these_words,
            Time::Stored(_) => Self::stored_with_these_words,
        };
        let Some(index) = known.or_else(|| with_these_words(self, &appearance)) else { return };
        self.all[index].is_numbered |= numbered.is_some();
        self.all[index].has_id |= id.is_some();
        if let Some(numbered) = numbered {
            self.by_seq.insert(numbered, index);
        }
        if let Some(id) = id {
            self.by_id.insert(id, index);
        }
        let utterance = &mut self.all[index];
        let is_other = utterance.text != appearance.text && !utterance.other_texts.contains(&appearance.text);
        if is_other && utterance.other_texts.len() < OTHER_TEXTS_MAX {
            utterance.other_texts.push(appearance.text);
        }
        utterance.proof.add(appearance.evidence);
        if utterance.audience == Audience::Unnamed {
            // A reader of the event dialect is sent the room that the speaker's dialect omits.
            utterance.audience = appearance.audience;
        }
    }

    /// Returns whether somebody was seen to say this.
    pub(super) fn has_seen(&self, speaker: &String, text: &String) -> bool {
        self.by_words.contains_key(&self.hasher.hash_one((speaker, text)))
    }

    pub(super) fn all(&self) -> &[Utterance] {
        &self.all
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The n-th appearance of the same words in one stream is the n-th message with them.
    fn nth_with_these_words(&mut self, appearance: &Appearance) -> Option<usize> {
        let words = self.hasher.hash_one((&appearance.speaker, &appearance.text));
        let stream = match appearance.seq {
            Some(_) => Stream::Numbered,
            None => Stream::Of(appearance.connection, appearance.is_to_server),
        };
        if self.appearances.len() >= APPEARANCES_MAX {
            self.left_out += 1;
            return None;
        }
        let nth = self.appearances.get(&(stream, words)).copied().unwrap_or_default();
        let known = self.by_words.get(&words).and_then(|of_these_words| of_these_words.get(nth)).copied();
        let index = if let Some(index) = known {
            index
        } else {
            let index = self.push(appearance)?;
            self.by_words.entry(words).or_default().push(index);
            index
        };
        *self.appearances.entry((stream, words)).or_default() += 1;
        Some(index)
    }

    /// A stored message was seen on its way if there is one with its words that can be the same;
    /// otherwise it is older than what was seen.
    fn stored_with_these_words(&mut self, appearance: &Appearance) -> Option<usize> {
        let words = self.hasher.hash_one((&appearance.speaker, &appearance.text));
        let can_be = |index: &usize| {
            let known = &self.all[*index];
            let is_another = known.is_numbered && appearance.seq.is_some() || known.has_id && appearance.id.is_some();
            !is_another
        };
        let of_these_words = self.by_words.get(&words).map(Vec::as_slice).unwrap_or_default();
        let newest = &of_these_words[of_these_words.len().saturating_sub(SAME_WORDS_MAX)..];
        match newest.iter().copied().find(can_be) {
            Some(index) => Some(index),
            None => self.push(appearance),
        }
    }

    /// Keeps a message, and returns its index, unless there is no room for it.
    fn push(&mut self, appearance: &Appearance) -> Option<usize> {
        // A room is kept once more, with the number of the message.
        let bytes = appearance.speaker.len() + appearance.text.len() + 2 * appearance.audience.name().len();
        if self.all.len() == UTTERANCES_MAX || self.words_bytes + bytes > WORDS_BYTES_MAX {
            self.left_out += 1;
            return None;
        }
        self.words_bytes += bytes;
        self.all.push(Utterance {
            speaker: appearance.speaker.clone(),
            audience: appearance.audience.clone(),
            text: appearance.text.clone(),
            other_texts: Vec::new(),
            time: appearance.time,
            proof: Proof::default(),
            is_numbered: false,
            has_id: false,
        });
        Some(self.all.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appearance(connection: u64, is_to_server: bool, text: &str, seq: Option<u64>) -> Appearance {
        Appearance {
            connection,
            is_to_server,
            speaker: "bob".into(),
            audience: Audience::Room("lobby".into()),
            text: text.into(),
            seq,
            id: None,
            time: Time::Live(0),
            evidence: Evidence::Packet(connection),
        }
    }

    #[test]
    fn a_message_and_its_copies_are_one() {
        let mut utterances = Utterances::default();
        for _ in 0..2 {
            utterances.add(appearance(1, true, "hi", None));
        }
        for connection in [1, 2, 3] {
            for seq in [7, 8] {
                utterances.add(appearance(connection, false, "hi", Some(seq)));
            }
        }
        assert_eq!(utterances.all().len(), 2, "the same words twice");
        assert_eq!(utterances.all()[0].proof.count(), 3, "connection 1 proves it once");
    }

    #[test]
    fn a_message_changed_on_its_way_is_one_with_two_texts() {
        let mut utterances = Utterances::default();
        for (is_to_server, text) in [(true, "noon"), (false, "midnight"), (false, "midnight")] {
            let id = Some("0f".into());
            utterances.add(Appearance { id, ..appearance(1, is_to_server, text, None) });
        }
        let [said] = utterances.all() else { panic!("{:?}", utterances.all()) };
        assert_eq!((said.text.as_str(), &said.other_texts[..]), ("noon", &["midnight".to_owned()][..]));
    }

    #[test]
    fn words_are_kept_up_to_a_number_of_bytes() {
        let mut utterances = Utterances::default();
        for n in 0..1_000 {
            utterances.add(appearance(1, true, &format!("{n}{}", "x".repeat(100_000)), None));
        }
        let bytes: usize = utterances.all().iter().map(|said| said.text.len()).sum();
        assert!(bytes <= WORDS_BYTES_MAX, "{bytes}");
        assert_eq!(utterances.all().len() as u64 + utterances.left_out(), 1_000, "the others are counted");
    }

    #[test]
    fn the_same_words_said_later_are_another_message() {
        let mut utterances = Utterances::default();
        let stored = |seq, at_us| Appearance {
            id: Some(format!("{seq}")),
            time: Time::Stored(Some(at_us)),
            ..appearance(2, false, "hi", Some(seq))
        };
        utterances.add(stored(4, 1_000));
        utterances.add(Appearance { time: Time::Live(5_000), ..appearance(1, true, "hi", None) });
        // The history of somebody who joins later has both.
        utterances.add(stored(4, 1_000));
        utterances.add(Appearance { id: None, ..stored(5, 5_002) });
        utterances.add(Appearance { id: None, ..stored(6, 5_003) });
        let times: Vec<Time> = utterances.all().iter().map(|said| said.time).collect();
        assert_eq!(times, [Time::Stored(Some(1_000)), Time::Live(5_000), Time::Stored(Some(5_003))]);
    }

    #[test]
    fn history_that_is_sent_again_is_not_said_again() {
        let mut utterances = Utterances::default();
        for _ in 0..3 {
            utterances.add(appearance(1, false, "old", Some(4)));
        }
        assert_eq!(utterances.all().len(), 1);
    }
}
