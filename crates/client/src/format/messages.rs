//! Lines for each event; all of them are safe to show, with text of any sender.

mod highlight;
mod history;
mod whois;

use std::borrow::Cow;

use glassline_keyring::KnownMembers;
use glassline_session::Update;
use glassline_wire::event::{
    AuditEntry, Away, Direct, ErrorCode, Event, Gap, Members, Message, Presence, Rejection, Rooms,
};
use glassline_wire::natural_order;
use glassline_wire::visible;

use super::clock::LocalClock;
use super::name_colour::NameColours;
use super::presence_digest::{and_more, people};
use super::reply::DirectPeer;
use super::safe::{self, name};
use super::{Span, StyledLine, TextRole, mention};

/// Formatter of updates for one user: the user's name, clock and colours of names.
#[derive(Debug)]
pub(crate) struct Formatter {
    me: String,
    reply_peer: Option<DirectPeer>,
    clock: LocalClock,
    colours: NameColours,
    /// Keys of members, as far as they are kept.
    members: Option<KnownMembers>,
}

impl Formatter {
    pub(crate) fn new(me: &str) -> Self {
        Self {
            me: me.to_owned(),
            reply_peer: None,
            clock: LocalClock::system(),
            colours: NameColours::default(),
            members: None,
        }
    }

    pub(crate) fn me(&self) -> &str {
        &self.me
    }

    /// Recipient of `/reply`: the sender of the last direct message that was shown to the user.
    pub(crate) fn reply_peer(&self) -> Option<&DirectPeer> {
        self.reply_peer.as_ref()
    }

    pub(crate) fn clock(&self) -> &LocalClock {
        &self.clock
    }

    /// Compares the keys of members with those that are kept.
    pub(crate) fn with_members(self, members: Option<KnownMembers>) -> Self {
        Self { members, ..self }
    }

    /// Chooses the colours of names from so many.
    pub(crate) fn use_colours(&mut self, distinct: usize) {
        self.colours = NameColours::of_screen(distinct);
    }

    /// The lines that show an update; none if there is nothing to show.
    pub(crate) fn lines(&self, update: &Update) -> Vec<StyledLine> {
        match update {
            Update::Received(event) | Update::Sent { event, .. } => self.event_lines(event),
            Update::HistoryPage { history, asked, newest, hidden } => {
                self.history_lines(history, asked, *newest, hidden)
            }
            Update::Rejected { rejection, text } => vec![rejection_line(rejection, text.as_deref())],
            Update::Notice(text) => vec![StyledLine::notice(text)],
            Update::CurrentRoom(Some(room)) => {
                vec![StyledLine::notice(&format!("you are talking in {} now", name(room)))]
            }
            Update::CurrentRoom(None) => {
                vec![StyledLine::notice("you are in no room now; /join ROOM enters one, /join lobby the first one")]
            }
        }
    }

    /// Updates the reply recipient's state, also if the change is not shown.
    pub(crate) fn follow_people(&mut self, update: &Update) {
        if let Some(reply_peer) = &mut self.reply_peer {
            reply_peer.follow(update);
        }
    }

    /// Records present members before an update is shown, so that no two have the same colour.
    pub(crate) fn note_names(&mut self, update: &Update) {
        let (Update::Received(event) | Update::Sent { event, .. }) = update else { return };
        match event {
            Event::Message(message) => self.colours.assign(&message.from),
            Event::Direct(direct) => self.colours.assign(&direct.from),
            Event::Joined(presence) => presence.names.iter().for_each(|name| self.colours.assign(name)),
            Event::Left(presence) => presence.names.iter().for_each(|name| self.colours.release(name)),
            Event::Members(members) => members.names.iter().for_each(|name| self.colours.assign(name)),
            Event::Renamed(renamed) => {
                self.colours.release(&renamed.from);
                self.colours.assign(&renamed.to);
            }
            _ => {}
        }
    }

    /// Keeps the user's name and the reply recipient, after the update was shown.
    pub(crate) fn follow(&mut self, update: &Update) {
        match update {
            Update::Received(Event::Welcome(welcome)) => self.me.clone_from(&welcome.name),
            Update::Received(Event::Renamed(renamed)) if renamed.from == self.me => self.me.clone_from(&renamed.to),
            Update::Received(Event::Direct(direct)) if direct.from != self.me => {
                self.reply_peer = Some(DirectPeer::named(&direct.from));
            }
            _ => {}
        }
    }

    fn event_lines(&self, event: &Event) -> Vec<StyledLine> {
        match event {
            Event::Message(message) => vec![self.message_line(message)],
            Event::Direct(direct) => vec![self.direct_line(direct)],
            Event::Joined(presence) => self.presence_line(presence, "joined").into_iter().collect(),
            Event::Left(presence) => self.presence_line(presence, "left").into_iter().collect(),
            Event::Renamed(renamed) if renamed.from == self.me => {
                vec![StyledLine::notice(&format!("you are now {}", name(&renamed.to)))]
            }
            Event::Renamed(renamed) => {
                vec![StyledLine::notice(&format!("{} is now {}", name(&renamed.from), name(&renamed.to)))]
            }
            Event::Members(members) => vec![members_line(members)],
            Event::Whois(whois) => self.whois_lines(whois),
            Event::Rooms(rooms) => vec![rooms_line(rooms)],
            Event::Away(away) => vec![self.away_line(away)],
            Event::History(history) => self.context_lines(history),
            Event::Act(act) => vec![act_line(act)],
            Event::Notice(notice) => vec![StyledLine::notice(&notice.text)],
            Event::Error(rejection) => vec![rejection_line(rejection, None)],
            Event::Gap(gap) => vec![gap_line(gap)],
            Event::Bye(bye) if bye.text.is_empty() => Vec::new(),
            Event::Bye(bye) => vec![StyledLine::notice(&bye.text)],
            Event::Pong {} => vec![StyledLine::notice("the server answers")],
            Event::Welcome(_) | Event::Ping {} => Vec::new(),
        }
    }

    pub(super) fn message_line(&self, message: &Message) -> StyledLine {
        let text = safe::text(&message.text);
        let body = self.with_mentions(&message.from, &text);
        let is_calling = body.len() > 1 || body.iter().any(|span| span.role == TextRole::Mention);
        let from = Span::new(self.name_role(&message.from, is_calling), name(&message.from));
        // Messages and actions of users begin with the name, notices of the client and the server
        // with `* `: `* bob left` is genuine.
        let head = vec![from, Span::new(TextRole::Faint, if message.action { " * " } else { " > " })];
        StyledLine { at: message.at, room: Some(message.room.clone()), head, body, ..StyledLine::default() }
    }

    /// The text in pieces, the reader's own name apart; the user's own messages mention nobody.
    fn with_mentions(&self, from: &str, text: &str) -> Vec<Span> {
        let mentions = if from == self.me { Vec::new() } else { mention::of(&self.me, text) };
        let mut spans = Vec::new();
        let mut copied_to = 0;
        for range in mentions {
            if copied_to < range.start {
                spans.push(Span::new(TextRole::Plain, &text[copied_to..range.start]));
            }
            copied_to = range.end;
            spans.push(Span::new(TextRole::Mention, &text[range]));
        }
        if copied_to < text.len() {
            spans.push(Span::new(TextRole::Plain, &text[copied_to..]));
        }
        spans
    }

    fn direct_line(&self, direct: &Direct) -> StyledLine {
        let Direct { from, to, text, at, .. } = direct;
        let is_calling = *from != self.me;
        let head = vec![
            Span::new(self.name_role(from, is_calling), self.person(from)),
            Span::new(TextRole::Faint, " -> "),
            Span::new(self.name_role(to, false), self.person(to)),
            Span::new(TextRole::Faint, " > "),
        ];
        StyledLine { at: *at, head, body: vec![Span::new(TextRole::Plain, safe::text(text))], ..StyledLine::default() }
    }

    fn name_role(&self, name: &str, is_calling: bool) -> TextRole {
        if is_calling { TextRole::Calling } else { TextRole::Name(self.colours.of(name)) }
    }

    fn person<'a>(&self, who: &'a str) -> Cow<'a, str> {
        if who == self.me { Cow::Borrowed("you") } else { name(who) }
    }

    /// Returns whether only the user itself came or went.
    pub(crate) fn is_only_me(&self, presence: &Presence) -> bool {
        presence.count == 1 && presence.names.first() == Some(&self.me)
    }

    fn presence_line(&self, presence: &Presence, did: &str) -> Option<StyledLine> {
        if self.is_only_me(presence) {
            return Some(StyledLine::notice(&format!("you {did} {}", name(&presence.room))));
        }
        let listed: Vec<Cow<'_, str>> = presence.names.iter().map(|listed| name(listed)).collect();
        let who = people(&listed, presence.count.saturating_sub(listed.len()))?;
        Some(StyledLine::notice(&format!("{who} {did}")).in_room(&presence.room))
    }

    fn away_line(&self, away: &Away) -> StyledLine {
        let is_me = away.name == self.me;
        let who = if is_me { "you are".to_owned() } else { format!("{} is", name(&away.name)) };
        match &away.text {
            Some(text) if is_me => StyledLine::notice(&format!("{who} away ({text}); /back ends it")),
            Some(text) => StyledLine::notice(&format!("{who} away ({text})")),
            None => StyledLine::notice(&format!("{who} back")),
        }
    }
}

fn act_line(act: &AuditEntry) -> StyledLine {
    let who = act.who.as_deref().map_or_else(String::new, |who| format!(" {}", name(who)));
    let until = act.until.map_or_else(String::new, |until| format!(" until {}", until.in_words()));
    let text = act.text.as_deref().map_or_else(String::new, |text| format!(": {text}"));
    StyledLine::notice(&format!("{} {}{who}{until}{text}", name(&act.by), act.done()))
}

fn rejection_line(rejection: &Rejection, text: Option<&str>) -> StyledLine {
    let why = visible::one_line(&rejection.text);
    match text {
        None => StyledLine::warning(&format!("error: {why}")),
        Some(text) if rejection.code == ErrorCode::TooLate => {
            StyledLine::warning(&format!("may or may not have been delivered ({why}): {}", safe::text(text)))
        }
        Some(text) => StyledLine::warning(&format!("not delivered ({why}): {}", safe::text(text))),
    }
}

fn members_line(members: &Members) -> StyledLine {
    let mut listed: Vec<Cow<'_, str>> = members.names.iter().map(|listed| name(listed)).collect();
    listed.sort_by(|one, other| natural_order::compare(one, other));
    let more = and_more(members.count.saturating_sub(listed.len()));
    StyledLine::notice(&format!("in {} ({}): {}{more}", name(&members.room), members.count, listed.join(", ")))
}

fn rooms_line(rooms: &Rooms) -> StyledLine {
    let listed: Vec<String> = rooms.rooms.iter().map(|room| format!("{} ({})", name(&room.room), room.count)).collect();
    let more = and_more(rooms.count.saturating_sub(listed.len()));
    StyledLine::notice(&format!("rooms: {}{more}", listed.join(", ")))
}

fn gap_line(gap: &Gap) -> StyledLine {
    let missed = gap.to.saturating_sub(gap.from).saturating_add(1);
    let what = if missed == 1 { "one message".to_owned() } else { format!("{missed} messages") };
    let what_is_left = format!("/history around {} shows what is still stored there", gap.from);
    StyledLine::warning(&format!("you missed {what}; {what_is_left}")).in_room(&gap.room)
}

#[cfg(test)]
mod tests {
    use super::super::safe::NAME_SHOWN_CHARS;
    use super::*;
    use glassline_session::HistoryQuery;
    use glassline_wire::event::{History, Notice};
    use glassline_wire::timestamp::Timestamp;

    impl Formatter {
        pub(crate) fn with_clock(me: &str, clock: LocalClock) -> Self {
            Self { clock, ..Self::new(me) }
        }
    }

    fn formatter() -> Formatter {
        Formatter {
            me: "me".into(),
            reply_peer: None,
            clock: LocalClock::fixed(|| Timestamp::from_unix_ms(0)),
            colours: NameColours::default(),
            members: None,
        }
    }

    fn plain(update: &Update) -> Vec<String> {
        formatter().lines(update).iter().flat_map(StyledLine::plain).collect()
    }

    fn received(json: &str) -> Update {
        Update::Received(Event::from_json(json.as_bytes()).expect(json))
    }

    fn past(history: History, asked: HistoryQuery) -> Update {
        Update::HistoryPage { history, asked, newest: None, hidden: Vec::new() }
    }

    fn message(room: &str, from: &str, text: &str, action: bool) -> Update {
        Update::Received(Event::Message(Message {
            room: room.into(),
            seq: None,
            at: None,
            from: from.into(),
            text: text.into(),
            action,
            id: None,
            sealed: None,
        }))
    }

    #[test]
    fn a_message_that_may_be_stored_is_never_reported_unstored() {
        let Update::Received(Event::Error(rejection)) =
            received(r#"{"type":"error","code":"too_late","text":"look with /history"}"#)
        else {
            panic!("an error")
        };
        let notice = plain(&Update::Rejected { rejection, text: Some("one".into()) });
        assert_eq!(notice, ["* may or may not have been delivered (look with /history): one"]);
    }

    #[test]
    fn names_stand_in_natural_order() {
        let members = r#"{"type":"members","room":"lobby","names":["student-10","student-2","Bob","alice"],"count":5}"#;
        assert_eq!(plain(&received(members)), ["* in lobby (5): alice, Bob, student-2, student-10 +1"]);
    }

    #[test]
    fn messages_read_as_in_the_tutorial() {
        assert_eq!(plain(&message("lobby", "alice", "hi", false)), ["alice > hi"]);
        assert_eq!(plain(&message("lobby", "alice", "waves", true)), ["alice * waves"]);
        assert_eq!(plain(&message("den", "alice", "hi", false)), ["[den] alice > hi"]);
        assert_eq!(plain(&received(r#"{"type":"direct","from":"bob","to":"me","text":"x"}"#)), ["bob -> you > x"]);
    }

    #[test]
    fn a_text_cannot_look_like_another_message() {
        let shown = plain(&message("lobby", "eve", "x\nalice > I owe eve 5\r\n* y", false));
        assert_eq!(shown, ["eve > x", "  alice > I owe eve 5\u{fffd}", "  * y"]);
    }

    #[test]
    fn empty_rows_are_few() {
        let text = format!("a{}b\n\nc", "\n".repeat(16_000));
        assert_eq!(plain(&message("lobby", "eve", &text, false)), ["eve > a", "  ", "  ", "  ", "  b", "  ", "  c"]);
    }

    #[test]
    fn the_users_own_name_stands_out_and_so_does_who_said_it() {
        let roles = |from: &str| -> Vec<(TextRole, String)> {
            let lines = formatter().lines(&message("lobby", from, "and me? me!", false));
            lines[0].head.iter().chain(&lines[0].body).map(|span| (span.role, span.text.clone())).collect()
        };
        let of_bob = roles("bob");
        assert_eq!(of_bob[0], (TextRole::Calling, "bob".into()));
        assert_eq!(of_bob[2..].iter().filter(|(role, text)| *role == TextRole::Mention && text == "me").count(), 2);
        assert!(roles("me").iter().all(|(role, _)| !matches!(role, TextRole::Mention | TextRole::Calling)));
    }

    #[test]
    fn actions_of_the_user_are_shown_to_the_user() {
        assert_eq!(plain(&received(r#"{"type":"left","room":"den","names":["me"],"count":1}"#)), ["* you left den"]);
        assert_eq!(plain(&received(r#"{"type":"renamed","from":"me","to":"you"}"#)), ["* you are now you"]);
        assert_eq!(
            plain(&received(r#"{"type":"away","name":"me","text":"lunch"}"#)),
            ["* you are away (lunch); /back ends it"]
        );
        let mut formatter = formatter();
        formatter.follow(&received(r#"{"type":"renamed","from":"me","to":"al"}"#));
        assert_eq!(formatter.me, "al");
    }

    #[test]
    fn the_end_of_an_act_is_shown_in_the_zone_of_the_list() {
        let east = LocalClock::in_zone(2);
        let formatter = Formatter { clock: east, ..formatter() };
        let mute = received(concat!(
            r#"{"type":"act","at":"2026-11-23T08:12:22.000Z","by":"teacher","act":"mute","who":"eve","#,
            r#""until":"2026-11-23T09:12:22.345Z","text":"too loud"}"#
        ));
        let notice: Vec<String> = formatter.lines(&mute).iter().flat_map(StyledLine::plain).collect();
        assert_eq!(notice, ["* teacher muted eve until 2026-11-23 09:12:22 UTC: too loud"]);
    }

    #[test]
    fn nothing_that_steers_a_terminal_survives_in_any_event() {
        let hostile = "\u{1b}]52;c;aGk=\u{7}\u{9b}6n\u{202e}x\r\u{8}";
        let json = serde_json::to_string(hostile).expect("a string");
        let mut updates = Vec::new();
        for text in [
            r#"{"type":"message","room":X,"from":X,"text":X}"#,
            r#"{"type":"message","room":X,"from":X,"text":X,"action":true}"#,
            r#"{"type":"direct","from":X,"to":X,"text":X}"#,
            r#"{"type":"joined","room":X,"names":[X],"count":9}"#,
            r#"{"type":"left","room":X,"names":[X],"count":9}"#,
            r#"{"type":"renamed","from":X,"to":X}"#,
            r#"{"type":"members","room":X,"names":[X,X],"count":5}"#,
            r#"{"type":"history","room":X,"messages":[{"room":X,"from":X,"text":X}]}"#,
            r#"{"type":"whois","name":X,"since":"2026-11-22T14:02:03.000Z","idle_s":0,"dialect":X,"link":X,"rooms":[X],"away":X}"#,
            r#"{"type":"rooms","rooms":[{"room":X,"count":1}],"count":1}"#,
            r#"{"type":"away","name":X,"text":X}"#,
            r#"{"type":"notice","text":X}"#,
            r#"{"type":"error","code":"rate","text":X}"#,
            r#"{"type":"gap","room":X,"from":1,"to":3}"#,
            r#"{"type":"bye","text":X}"#,
        ] {
            updates.push(received(&text.replace('X', &json)));
        }
        let Update::Received(Event::Error(rejection)) =
            received(&format!(r#"{{"type":"error","code":"rate","text":{json}}}"#))
        else {
            panic!("an error")
        };
        updates.push(Update::Rejected { rejection, text: Some(hostile.into()) });
        let Update::Received(Event::History(history)) = received(
            &r#"{"type":"history","room":X,"messages":[{"room":X,"seq":1,"from":X,"text":X}]}"#.replace('X', &json),
        ) else {
            panic!("a history")
        };
        let none = History { messages: Vec::new(), ..history.clone() };
        for history in [history, none] {
            updates.push(past(history.clone(), HistoryQuery::Latest));
            updates.push(past(history, HistoryQuery::Search { query: hostile.into(), older: true }));
        }
        updates.push(Update::Notice(hostile.into()));
        updates.push(Update::CurrentRoom(Some(hostile.into())));
        for update in updates {
            let shown = plain(&update).concat();
            assert!(!shown.is_empty(), "{update:?}");
            assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
        }
    }

    #[test]
    fn a_crowd_is_a_count_and_a_long_name_is_cut() {
        assert_eq!(
            plain(&received(r#"{"type":"joined","room":"lobby","names":["a","b"],"count":9}"#)),
            ["* a, b +7 joined"]
        );
        assert_eq!(plain(&Update::Received(Event::Notice(Notice { text: "x\ny".into() }))), ["* x", "  y"]);
        assert!(name(&"x".repeat(1_000)).chars().count() == NAME_SHOWN_CHARS + 1);
        assert!(name(&format!("z{}", "\u{301}".repeat(40))).chars().count() < 10);
    }
}
