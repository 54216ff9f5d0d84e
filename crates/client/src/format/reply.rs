//! The recipient of `/reply`. A name is not a person: after a leave, another client may take it.

use glassline_session::{Command, Update};
use glassline_wire::event::{Event, Presence};

use super::safe::name as shown;

/// State of the person since the last direct message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerState {
    /// The name belongs to the same person.
    Same,
    /// It left a room.
    Left,
    /// It may have left unseen: among many, or while there was no link.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectPeer {
    name: String,
    state: PeerState,
}

impl DirectPeer {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), state: PeerState::Same }
    }

    /// The name that the person had last.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn follow(&mut self, update: &Update) {
        match update {
            Update::Received(Event::Renamed(renamed)) if renamed.from == self.name => self.name.clone_from(&renamed.to),
            Update::Received(Event::Renamed(renamed)) if renamed.to == self.name => self.state = PeerState::Left,
            Update::Received(Event::Left(presence)) => self.follow_leave(presence),
            // The link was down, and the server may be another one.
            Update::Received(Event::Welcome(_)) => self.state = self.state.or_unknown(),
            // A tutorial server sends a notice.
            Update::Received(Event::Notice(notice)) if mentions_change(&notice.text, &self.name) => {
                self.state = self.state.or_unknown();
            }
            _ => {}
        }
    }

    fn follow_leave(&mut self, presence: &Presence) {
        if presence.names.contains(&self.name) {
            self.state = PeerState::Left;
        } else if presence.names.len() < presence.count {
            self.state = self.state.or_unknown();
        }
    }

    /// Reason why the name may be another person's by now.
    fn doubt(&self) -> Option<String> {
        let name = shown(&self.name);
        match self.state {
            PeerState::Same => None,
            PeerState::Left => Some(format!("{name} left since, and whoever is {name} now may be somebody else")),
            PeerState::Unknown => Some(format!("whoever is {name} now may be somebody else by now")),
        }
    }
}

impl PeerState {
    fn or_unknown(self) -> Self {
        if self == Self::Same { Self::Unknown } else { self }
    }
}

/// Returns whether a notice of a tutorial server may say that this name left or was renamed (T11).
fn mentions_change(words: &str, name: &str) -> bool {
    let names_it = words.split([' ', ',']).any(|word| word == name);
    words.contains(" left") && (names_it || words.contains('+')) || words.contains(" is now ") && names_it
}

/// A `/reply` that is being typed, bound to the sender that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyDraft {
    to: Option<DirectPeer>,
    /// Last question to the user; the same again means yes.
    asked: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReplyTarget {
    /// To this person only, not to another of that name.
    Person(String),
    /// To the owner of the name: the user was warned that it may be another person.
    Name(String),
}

impl ReplyTarget {
    /// Returns the command that sends a text there.
    pub(crate) fn command(self, text: String) -> Command {
        match self {
            Self::Person(to) => Command::Reply { to, text },
            Self::Name(to) => Command::Direct { to, text },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReplyError {
    /// No one to reply to; the alternative.
    NoRecipient(String),
    /// The user must confirm; the reason.
    Confirm(String),
}

impl ReplyDraft {
    pub(crate) fn to(reply_peer: Option<&DirectPeer>) -> Self {
        Self { to: reply_peer.cloned(), asked: None }
    }

    pub(crate) fn follow(&mut self, update: &Update) {
        if let Some(to) = &mut self.to {
            to.follow(update);
        }
    }

    /// The name of the recipient, if there is one.
    pub(crate) fn address(&self) -> Option<&str> {
        self.to.as_ref().map(DirectPeer::name)
    }

    /// Warning about its target, where `latest` wrote last.
    pub(crate) fn concern(&self, latest: Option<&DirectPeer>) -> Option<String> {
        let other = latest.filter(|latest| Some(latest.name()) != self.address());
        match (&self.to, other) {
            (None, Some(latest)) => Some(format!("{} has written since you began", shown(latest.name()))),
            (Some(to), Some(latest)) => {
                let doubt = to.doubt().map_or_else(String::new, |doubt| format!("; {doubt}"));
                let (to, latest) = (shown(to.name()), shown(latest.name()));
                Some(format!("this goes to {to}, but {latest} has written since you began{doubt}"))
            }
            (Some(to), None) => to.doubt(),
            (None, None) => None,
        }
    }

    /// Returns the recipient. A target about which there is a concern is asked about once. Errors:
    /// it is not to go out now.
    pub(crate) fn decide(&mut self, latest: Option<&DirectPeer>) -> Result<ReplyTarget, ReplyError> {
        let Some(target) = self.to.as_ref().or(latest) else {
            return Err(ReplyError::NoRecipient("nobody has written to you only; /msg NAME TEXT begins".to_owned()));
        };
        let concern = self.concern(latest);
        if concern.is_some() && concern != self.asked {
            self.asked.clone_from(&concern);
            return Err(ReplyError::Confirm(concern.unwrap_or_default()));
        }
        let name = target.name().to_owned();
        Ok(if target.state == PeerState::Same { ReplyTarget::Person(name) } else { ReplyTarget::Name(name) })
    }

    /// The line that says the same and names its target, for a text that waits: `/msg NAME TEXT`.
    pub(crate) fn spelled_out(&self, line: &str) -> Option<String> {
        let text = line.split_once(char::is_whitespace)?.1.trim_start();
        Some(format!("/msg {} {text}", self.address()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(json: &str) -> Update {
        Update::Received(Event::from_json(json.as_bytes()).expect(json))
    }

    fn asks(reply: &mut ReplyDraft, latest: &DirectPeer, part: &str) {
        let Err(ReplyError::Confirm(why)) = reply.decide(Some(latest)) else { panic!("it must ask: {part}") };
        assert!(why.contains(part), "{why}");
    }

    #[test]
    fn a_reply_goes_to_whom_it_was_begun_for() {
        let (bob, mallory, carl) = ("bob", "mallory", "carl");
        let [bob, mallory, carl] = [bob, mallory, carl].map(DirectPeer::named);
        let mut reply = ReplyDraft::to(Some(&bob));
        assert_eq!(reply.clone().decide(Some(&bob)), Ok(ReplyTarget::Person("bob".into())));
        asks(&mut reply, &mallory, "goes to bob, but mallory");
        asks(&mut reply, &carl, "but carl has written");
        assert_eq!(reply.decide(Some(&carl)), Ok(ReplyTarget::Person("bob".into())), "the same again means yes");
        let mut nobody = ReplyDraft::to(None);
        assert!(matches!(nobody.decide(None), Err(ReplyError::NoRecipient(_))));
        asks(&mut nobody, &bob, "bob has written since");
        asks(&mut nobody, &mallory, "mallory has written since");
        assert_eq!(nobody.decide(Some(&mallory)), Ok(ReplyTarget::Person("mallory".into())));
    }

    #[test]
    fn a_name_that_may_have_another_owner_is_asked_about() {
        let follow = |json: &str| {
            let mut bob = DirectPeer::named("bob");
            bob.follow(&received(json));
            bob
        };
        let renamed = follow(r#"{"type":"renamed","from":"bob","to":"robert"}"#);
        assert_eq!(
            ReplyDraft::to(Some(&renamed)).decide(Some(&renamed)),
            Ok(ReplyTarget::Person("robert".into())),
            "it is the same person"
        );
        for json in [
            r#"{"type":"left","room":"lobby","names":["bob"],"count":1}"#,
            r#"{"type":"left","room":"lobby","names":["al"],"count":30}"#,
            r#"{"type":"renamed","from":"eve","to":"bob"}"#,
            r#"{"type":"notice","text":"al, bob left"}"#,
            r#"{"type":"notice","text":"al +30 left"}"#,
            r#"{"type":"notice","text":"bob is now robert"}"#,
            r#"{"type":"welcome","name":"me","token":"","server":"s","limits":{"name_chars":1,"name_bytes":1,"text_bytes":1,"event_bytes":1},"rooms":[]}"#,
        ] {
            let doubtful = follow(json);
            let mut reply = ReplyDraft::to(Some(&doubtful));
            asks(&mut reply, &doubtful, "may be somebody else");
            assert_eq!(reply.decide(Some(&doubtful)), Ok(ReplyTarget::Name("bob".into())), "{json}");
            asks(&mut reply, &DirectPeer::named("eve"), "eve has written since");
        }
        for json in [
            r#"{"type":"left","room":"lobby","names":["al"],"count":1}"#,
            r#"{"type":"notice","text":"bob is away: left early"}"#.replace("left", "home").as_str(),
            r#"{"type":"notice","text":"bobby left"}"#,
        ] {
            let same = follow(json);
            assert_eq!(
                ReplyDraft::to(Some(&same)).decide(Some(&same)),
                Ok(ReplyTarget::Person("bob".into())),
                "{json}"
            );
        }
    }

    #[test]
    fn a_reply_that_waits_names_its_target() {
        let reply = ReplyDraft::to(Some(&DirectPeer::named("bob")));
        assert_eq!(reply.spelled_out("/reply  the code").as_deref(), Some("/msg bob the code"));
        assert_eq!(reply.spelled_out("/r"), None);
        assert_eq!(ReplyDraft::to(None).spelled_out("/r x"), None);
    }
}
