//! Outcome of an attack.

use std::fmt;

/// Observation of one attack on one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The attacker did not reach the aim, and nobody had to notice.
    Stopped,
    /// The attacker did not reach the aim, and a victim was told.
    Detected,
    /// The attacker reached the aim, and no victim was told.
    Succeeds,
    /// The scheme has nothing that the attack could act on, for this reason.
    DoesNotApply(String),
    /// A figure or a description, which no other run has to repeat.
    Measured(String),
}

impl Outcome {
    /// The outcome in a word or two, without reasons and figures.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Detected => "detected",
            Self::Succeeds => "succeeds",
            Self::DoesNotApply(_) => "does not apply",
            Self::Measured(_) => "measured",
        }
    }

    /// Reason or figure, where there is one.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::DoesNotApply(text) | Self::Measured(text) => Some(text),
            Self::Stopped | Self::Detected | Self::Succeeds => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            Some(detail) => write!(f, "{}: {detail}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// Cause for which a cell has no outcome: honest messages did not pass, so that an attack would
/// have been "stopped" by a conversation that does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scheme does not carry an honest conversation: {0}")]
pub struct Defect(pub String);
