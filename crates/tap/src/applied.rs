//! Record of a rule that was applied.

use crate::frame::FrameId;

/// A rule applied to a frame: with the rules and the ends as they were, this suffices to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// Seed of the run.
    pub seed: u64,
    /// Name of the rule.
    pub rule: String,
    /// The frame.
    #[serde(flatten)]
    pub frame: FrameId,
    /// Byte of the direction's stream at which the effect begins.
    pub offset: u64,
    /// Time, in microseconds since 1970 (UTC).
    pub at_us: u64,
    /// Effect, in words.
    pub effect: String,
    /// False if nothing was changed: the rule could not be applied, or nobody decided.
    #[serde(skip)]
    pub has_effect: bool,
}
