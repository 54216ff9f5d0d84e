//! Workloads that are measured. Each workload is one file; a run of one starts the system alone and
//! ends it.

mod connections;
pub mod idle;
pub mod one_at_a_time;
mod scale;
mod stalled;
pub mod windowed;

use std::path::Path;

use anyhow::Result;
use strum::VariantArray as _;

pub use self::scale::{Scale, TEXT_BYTES};
use self::windowed::Windowed;
use crate::clients::Clients;
use crate::results::Figures;
use crate::systems::{Server, System};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Workload {
    Fanout,
    FanoutSingly,
    AllSending,
    OneAtATime,
    Idle,
    Connections,
    Stalled,
}

impl Workload {
    pub fn explanation(self) -> String {
        match self {
            Self::Fanout => format!(
                "{} readers, one sender, {TEXT_BYTES}-byte texts, {} messages in flight (a message is in flight until the slowest reader has it). The sender writes all that the window allows at once.",
                windowed::FANOUT.readers,
                windowed::FANOUT.window_messages
            ),
            Self::FanoutSingly => "As fanout, but with a write for each message, as chat programs send.".to_owned(),
            Self::AllSending => format!(
                "{} members, every one sends, {TEXT_BYTES}-byte texts, {} messages in flight in all.",
                windowed::ALL_SENDING.readers,
                windowed::ALL_SENDING.window_messages
            ),
            Self::OneAtATime => format!(
                "{} readers, one sender; a message is sent when the last reader has the one before. Times until the last has it.",
                one_at_a_time::READERS
            ),
            Self::Idle => format!(
                "{} members connected and silent. Resident memory against the empty server, and the time from the first connect until one message reaches all.",
                idle::READERS
            ),
            Self::Connections => format!(
                "{} connections held at once, and the time until one message reaches all of them.",
                connections::CONNECTIONS
            ),
            Self::Stalled => stalled::explanation(),
        }
    }

    pub fn systems(self) -> &'static [System] {
        use System::{Floor, Glassline, GlasslineEvent, Nats, Ngircd, Redis};
        match self {
            Self::Fanout | Self::FanoutSingly | Self::AllSending | Self::OneAtATime => System::VARIANTS,
            Self::Connections => &[Glassline],
            Self::Idle => &[Floor, Glassline, GlasslineEvent, Redis, Nats, Ngircd],
            Self::Stalled => &[Floor, Glassline, GlasslineEvent, Redis],
        }
    }

    /// The long workloads are repeated less often.
    pub fn rounds(self, rounds: usize) -> usize {
        match self {
            Self::Fanout | Self::FanoutSingly | Self::AllSending | Self::OneAtATime | Self::Stalled => rounds,
            Self::Idle => rounds.min(3),
            Self::Connections => 1,
        }
    }

    /// Starts the system, runs, ends the system.
    pub fn run(self, system: System, glassline: &Path, scale: &Scale) -> Result<Figures> {
        let on_fresh_server = |run: &dyn Fn(System, &Server) -> Result<Figures>| {
            let server = system.start(glassline)?;
            run(system, &server).map_err(|error| match server.last_line() {
                Some(words) => error.context(format!("the server's last line: {words}")),
                None => error,
            })
        };
        let in_a_window = |windowed: &Windowed| {
            on_fresh_server(&|system, server| windowed.run(Clients::new(system, server)?, server, scale))
        };
        match self {
            Self::Fanout => in_a_window(&windowed::FANOUT),
            Self::FanoutSingly => in_a_window(&windowed::FANOUT_SINGLY),
            Self::AllSending => in_a_window(&windowed::ALL_SENDING),
            Self::OneAtATime => on_fresh_server(&|system, server| one_at_a_time::run(system, server, scale)),
            Self::Idle => on_fresh_server(&|system, server| {
                Ok(idle::Cost::measure(Clients::new(system, server)?, server)?.figures())
            }),
            Self::Connections => on_fresh_server(&connections::run),
            Self::Stalled => {
                let alone = on_fresh_server(&|system, server| stalled::run(system, server, scale, false))?;
                let beside = on_fresh_server(&|system, server| stalled::run(system, server, scale, true))?;
                Ok(stalled::compare(&alone, beside))
            }
        }
    }
}
