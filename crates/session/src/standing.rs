//! State of a session, for display.

use alloc::borrow::ToOwned;

use super::update::{Dialect, LinkState, SlashCommands, Status};
use super::{Link, Phase, Session, Wish};

impl Session {
    /// Returns the contents of a status line.
    pub fn status(&self, now_ms: u64) -> Status {
        let link = match self.phase {
            Phase::Connecting { .. } | Phase::Greeting { .. } | Phase::Changing { .. } => LinkState::Connecting,
            // What is not acknowledged yet is waited for, and that is to be seen.
            Phase::Up if matches!(self.wish, Wish::Leave { .. }) => LinkState::Leaving,
            Phase::Up if self.answer.is_silent() => LinkState::Unanswered,
            Phase::Up => LinkState::Online,
            Phase::Waiting { until_ms } => LinkState::Waiting { until_ms },
            Phase::Leaving { .. } | Phase::Ended => LinkState::Leaving,
        };
        let is_up = link == LinkState::Online;
        let told_room = match &self.link {
            Some(Link::Tutorial(link)) => link.room().map(str::to_owned),
            _ => self.current_room(),
        };
        let others = self.roster.people_names().filter(|name| is_up && *name != self.name);
        Status {
            name: self.name.clone(),
            is_room_told: told_room.is_some() || self.dialect == Dialect::Event,
            room: told_room,
            rooms: self.roster.names(),
            people: self.roster.people().filter(|_| is_up),
            others: others.take(Status::OTHERS_MAX).map(str::to_owned).collect(),
            away: self.away.clone(),
            link,
            unsent: self.outbox.len(),
            next_late_ms: self.outbox.next_late_ms(now_ms),
            late: self.outbox.late_texts(now_ms).take(Status::LATE_MAX).map(str::to_owned).collect(),
        }
    }

    /// Number of others in the fullest room of the user, as far as it is known.
    pub fn others(&self) -> usize {
        self.roster.others()
    }

    /// Names in the current room, as far as it is known, in the order of the alphabet.
    pub fn people_names(&self) -> impl Iterator<Item = &str> {
        self.roster.people_names()
    }

    /// Returns the side that carries out a line that starts with `/`.
    pub fn slash_commands(&self) -> SlashCommands {
        match &self.link {
            Some(Link::Tutorial(link)) => link.slash_commands(),
            _ if self.dialect == Dialect::Event => SlashCommands::Client,
            _ => SlashCommands::Nobody,
        }
    }
}
