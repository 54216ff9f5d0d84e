//! Settings that the user can change during a session.

use std::collections::{BTreeMap, BTreeSet};

use glassline_session::{HistoryQuery, Update};
use glassline_wire::event::{Event, History, Presence};

use crate::commands::ParsedLine;
use crate::format::attention::Attention;
use crate::format::safe::name;
use crate::preferences::{Bell, Preferences};

/// Names that can be ignored at a time.
const IGNORED_MAX: usize = 1_000;

#[derive(Debug)]
pub(crate) struct DisplaySettings {
    pub(crate) timestamps: bool,
    bell: Bell,
    /// As the user named them, in lower case.
    ignored: BTreeSet<String>,
    /// Current names of those who were renamed.
    followed: BTreeMap<String, String>,
}

impl DisplaySettings {
    /// Creates the settings of a session; `timestamps` is the default.
    pub(crate) fn new(preferences: &Preferences, timestamps: bool) -> Self {
        Self {
            timestamps: preferences.timestamps.unwrap_or(timestamps),
            bell: preferences.bell,
            ignored: preferences.ignore.iter().take(IGNORED_MAX).map(|ignored| ignored.to_lowercase()).collect(),
            followed: BTreeMap::new(),
        }
    }

    /// Executes a command that changes a setting and returns its result; `None` for other commands.
    pub(crate) fn change(&mut self, meaning: &ParsedLine) -> Option<String> {
        Some(match meaning {
            ParsedLine::Timestamps(setting) => {
                self.timestamps = setting.unwrap_or(self.timestamps);
                if self.timestamps { "times are shown".to_owned() } else { "times are not shown".to_owned() }
            }
            ParsedLine::Bell(setting) => {
                self.bell = setting.unwrap_or(self.bell);
                match self.bell {
                    Bell::Off => "the bell is off".to_owned(),
                    Bell::Mentions => "the bell rings when you are mentioned or written to".to_owned(),
                    Bell::All => "the bell rings at every message".to_owned(),
                }
            }
            ParsedLine::Ignore(Some(who)) if self.ignored.len() == IGNORED_MAX => {
                format!("{} is not ignored: you ignore {IGNORED_MAX} people already; /unignore some", name(who))
            }
            ParsedLine::Ignore(Some(who)) => {
                self.ignored.insert(who.to_lowercase());
                format!("what {} says is not shown any more; /unignore {} shows it again", name(who), name(who))
            }
            ParsedLine::Ignore(None) if self.ignored.is_empty() => {
                "you ignore nobody; /ignore NAME hides what somebody says".to_owned()
            }
            ParsedLine::Ignore(None) => {
                let who: Vec<_> = self.ignored.iter().map(|who| name(who)).collect();
                format!("you ignore {}", who.join(", "))
            }
            ParsedLine::Unignore(who) if self.unignore(&who.to_lowercase()) => {
                format!("what {} says is shown again", name(who))
            }
            ParsedLine::Unignore(who) => format!("you do not ignore {}; /ignore tells whom you do", name(who)),
            _ => return None,
        })
    }

    pub(crate) fn rings(&self, attention: Attention) -> bool {
        match self.bell {
            Bell::Off => false,
            Bell::Mentions => attention == Attention::ForMe,
            Bell::All => attention >= Attention::Everybody,
        }
    }

    /// Returns the update without content of ignored people; `None` if nothing is left.
    ///
    /// A renamed person stays ignored.
    pub(crate) fn filter(&mut self, update: Update) -> Option<Update> {
        if self.ignored.is_empty() {
            return Some(update);
        }
        match update {
            Update::Received(Event::Message(ref message)) if self.ignores(&message.from) => None,
            Update::Received(Event::Direct(ref direct)) if self.ignores(&direct.from) => None,
            Update::Received(Event::Joined(presence)) => {
                self.without_ignored(presence).map(|rest| Update::Received(Event::Joined(rest)))
            }
            Update::Received(Event::Left(presence)) => {
                let rest = self.without_ignored(presence.clone());
                // The next owner of the name is another person.
                self.followed.retain(|_, now| !presence.names.iter().any(|gone| gone.to_lowercase() == *now));
                rest.map(|rest| Update::Received(Event::Left(rest)))
            }
            Update::Received(Event::Renamed(ref renamed)) if self.ignores(&renamed.from) => {
                self.follow(&renamed.from, &renamed.to);
                None
            }
            Update::Received(Event::History(mut history)) => {
                let hidden = self.hide(&mut history);
                Some(if hidden.is_empty() {
                    Update::Received(Event::History(history))
                } else {
                    Update::HistoryPage { history, asked: HistoryQuery::Context, newest: None, hidden }
                })
            }
            Update::HistoryPage { mut history, asked, newest, .. } => {
                let hidden = self.hide(&mut history);
                Some(Update::HistoryPage { history, asked, newest, hidden })
            }
            update => Some(update),
        }
    }

    fn hide(&self, history: &mut History) -> Vec<u64> {
        let hidden = history.messages.extract_if(.., |message| self.ignores(&message.from));
        hidden.filter_map(|message| message.seq).collect()
    }

    fn ignores(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.ignored.contains(&name) || self.followed.values().any(|followed| *followed == name)
    }

    fn follow(&mut self, from: &str, to: &str) {
        let (from, to) = (from.to_lowercase(), to.to_lowercase());
        let ignored_as = self.followed.iter().find(|(_, now)| **now == from).map_or(from, |(named, _)| named.clone());
        self.followed.insert(ignored_as, to);
    }

    /// Stops ignoring a person, by the old or the current name; false if no such name was ignored.
    fn unignore(&mut self, name: &str) -> bool {
        let named = self.followed.iter().find(|(_, now)| *now == name).map_or(name, |(named, _)| named).to_owned();
        self.followed.remove(&named);
        self.ignored.remove(&named)
    }

    fn without_ignored(&self, mut presence: Presence) -> Option<Presence> {
        let before = presence.names.len();
        presence.names.retain(|name| !self.ignores(name));
        presence.count = presence.count.saturating_sub(before - presence.names.len());
        (presence.count > 0).then_some(presence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(json: &str) -> Update {
        Update::Received(Event::from_json(json.as_bytes()).expect(json))
    }

    fn ignoring(name: &str) -> DisplaySettings {
        DisplaySettings::new(&Preferences { ignore: vec![name.into()], ..Preferences::default() }, true)
    }

    #[test]
    fn an_ignored_member_is_hidden_under_any_name_until_unignored() {
        let mut settings = ignoring("Eve");
        let message =
            |from: &str| received(&format!(r#"{{"type":"message","room":"lobby","from":"{from}","text":"x"}}"#));
        assert!(settings.filter(message("eve")).is_none());
        assert!(settings.filter(message("steve")).is_some());
        assert!(settings.filter(received(r#"{"type":"direct","from":"eve","to":"me","text":"x"}"#)).is_none());
        assert!(settings.filter(received(r#"{"type":"renamed","from":"eve","to":"Adam"}"#)).is_none());
        assert!(settings.filter(message("adam")).is_none());
        let both = received(r#"{"type":"joined","room":"lobby","names":["eve","bob"],"count":2}"#);
        let rest = received(r#"{"type":"joined","room":"lobby","names":["bob"],"count":1}"#);
        assert_eq!(settings.filter(both), Some(rest));
        assert!(settings.filter(received(r#"{"type":"left","room":"lobby","names":["eve"],"count":1}"#)).is_none());
        for number in 0..3_000 {
            let (from, to) = if number == 0 {
                ("adam".into(), "n0".into())
            } else {
                (format!("n{}", number - 1), format!("n{number}"))
            };
            assert!(
                settings.filter(received(&format!(r#"{{"type":"renamed","from":"{from}","to":"{to}"}}"#))).is_none()
            );
        }
        assert!(settings.filter(message("n2999")).is_none() && settings.filter(message("adam")).is_some());
        assert!(settings.filter(received(r#"{"type":"left","room":"lobby","names":["n2999"],"count":1}"#)).is_none());
        assert!(settings.filter(message("n2999")).is_some(), "somebody else by now");
        assert!(
            settings.change(&ParsedLine::Unignore("EVE".into())).is_some_and(|notice| notice.contains("shown again"))
        );
        assert!(settings.filter(message("eve")).is_some());
    }

    #[test]
    fn the_bell_rings_for_what_it_is_set_to() {
        let mut settings = DisplaySettings::new(&Preferences::default(), true);
        assert!(settings.rings(Attention::ForMe) && !settings.rings(Attention::Everybody));
        settings.change(&ParsedLine::Bell(Some(Bell::All)));
        assert!(settings.rings(Attention::Everybody) && !settings.rings(Attention::Nobody));
        settings.change(&ParsedLine::Bell(Some(Bell::Off)));
        assert!(!settings.rings(Attention::ForMe));
        assert_eq!(settings.change(&ParsedLine::Bell(None)).as_deref(), Some("the bell is off"));
        assert_eq!(settings.change(&ParsedLine::Clear), None);
    }

    #[test]
    fn times_are_shown_as_wished_or_as_the_mode_likes() {
        assert!(!DisplaySettings::new(&Preferences::default(), false).timestamps);
        let setting = Preferences { timestamps: Some(true), ..Preferences::default() };
        let mut settings = DisplaySettings::new(&setting, false);
        assert!(settings.timestamps);
        settings.change(&ParsedLine::Timestamps(Some(false)));
        assert!(!settings.timestamps);
    }
}
