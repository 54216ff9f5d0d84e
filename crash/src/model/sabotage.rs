//! The promises that the small server can break, so that the harness can be seen to notice.

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// Acknowledges and shows messages before they are stored.
    AcknowledgeEarly,
    /// Forgets the last messages at each start.
    LoseTail,
    /// Stores what is said again as something new.
    ForgetIds,
    /// Leaves a number out after each start.
    SkipNumber,
    /// Shows others, at times, what it does not store.
    ShowUnstored,
    /// Changes the newest text at each start.
    ChangeText,
    /// Sends whoever comes back one message that it has.
    ReplayAgain,
    /// Sends whoever comes back one message too few.
    ReplayLate,
    /// Announces a gap where it could replay.
    AnnounceGap,
    /// Swaps two messages at times.
    Swap,
    /// Answers what is said again with another number.
    OtherNumber,
    /// Leaves the newest message out of its last page.
    ShortPage,
    /// Says of what is said again that nobody can tell.
    SayTooLate,
    /// Answers nothing any more after a while.
    StaySilent,
}

/// Each with the word that asks for it.
const WORDS: [(&str, Sabotage); 14] = [
    ("acknowledge-early", Sabotage::AcknowledgeEarly),
    ("lose-tail", Sabotage::LoseTail),
    ("forget-ids", Sabotage::ForgetIds),
    ("skip-number", Sabotage::SkipNumber),
    ("show-unstored", Sabotage::ShowUnstored),
    ("change-text", Sabotage::ChangeText),
    ("replay-again", Sabotage::ReplayAgain),
    ("replay-late", Sabotage::ReplayLate),
    ("announce-gap", Sabotage::AnnounceGap),
    ("swap", Sabotage::Swap),
    ("other-number", Sabotage::OtherNumber),
    ("short-page", Sabotage::ShortPage),
    ("say-too-late", Sabotage::SayTooLate),
    ("stay-silent", Sabotage::StaySilent),
];

impl Sabotage {
    /// The sabotage of a word.
    pub(super) fn named(word: &str) -> Option<Self> {
        WORDS.iter().find(|(name, _)| *name == word).map(|(_, sabotage)| *sabotage)
    }

    /// All words, for whoever wrote another.
    pub(super) fn words() -> String {
        WORDS.map(|(word, _)| word).join(", ")
    }
}
