//! Rates of messages.

use super::sender::UNDER_WAY_MAX;

pub const STEADY_PER_SECOND: u32 = 2_000;

/// Rate of messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Pace {
    Quiet,
    Steady,
    Flood,
}

impl Pace {
    pub fn explanation(self) -> String {
        match self {
            Self::Quiet => "No messages: the cost of typing alone.".to_owned(),
            Self::Steady => format!("{STEADY_PER_SECOND} messages a second, evenly."),
            Self::Flood => format!(
                "As many messages as are shown: {UNDER_WAY_MAX} are under way at most, from the sender to the screen. A key waits \
                 behind those of them that the client has taken in."
            ),
        }
    }
}
