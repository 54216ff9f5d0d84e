//! Operators (O): which acts are allowed, and their effects once they are stored.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::net::IpAddr;

use glassline_hub::{
    Awaits, ConnectInfo, Dialect, Disconnect, Hub, LogEvent, LoginOutcome, MemberId, NameHolder, Now, OperatorToken,
    Rules,
};
use glassline_testkit::frame::texts;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{AuditEntry, AuditKind, ErrorCode, Event, Rejection};
use glassline_wire::history::{CommitOutcome, NotAppended, PendingRecord, Record};
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::operator_token::GeneratedToken;
use glassline_wire::request::{Hello, Send};
use glassline_wire::timestamp::Timestamp;

const SECRET: &str = "sixteen bytes or more";
const OP: &str = "op sixteen bytes or more";
const START_MS: u64 = 1_700_000_000_000;
const CLASS: &str = "192.0.2.7";
const HOME: &str = "198.51.100.9";

fn at(seconds: u64) -> Now {
    Now { monotonic_ms: seconds * 1_000, at: Timestamp { unix_ms: START_MS + seconds * 1_000 } }
}

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: START_MS } };

struct World {
    hub: Hub,
    connections: usize,
}

impl World {
    fn new() -> Self {
        Self::with(Rules::default())
    }

    fn with(rules: Rules) -> Self {
        let operator_token = Some(OperatorToken::parse(SECRET).expect("a token"));
        Self { hub: Hub::new(Rules { operator_token, replay: 0, ..rules }), connections: 0 }
    }

    fn login(&mut self, address: &str, now: Now) -> ConnectInfo {
        self.connections += 1;
        let address: IpAddr = address.parse().expect("an address");
        ConnectInfo {
            connection: self.connections,
            token: self.connections as u128,
            address,
            link: LinkFacts::PLAINTEXT,
            now,
        }
    }

    fn comes(&mut self, dialect: Dialect, name: &str, address: &str, now: Now) -> Result<MemberId, Rejection> {
        let login = self.login(address, now);
        match dialect {
            Dialect::Tutorial => self.hub.enter_tutorial(name.as_bytes(), login),
            Dialect::Event => {
                let hello = Hello { name: name.into(), ..Hello::default() };
                match self.hub.enter_event(&hello, None, NameHolder::Unasked, login)? {
                    LoginOutcome::As(id) => Ok(id),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn enters(&mut self, name: &str, address: &str) -> MemberId {
        self.comes(Dialect::Event, name, address, NOW).expect("enters")
    }

    fn operator(&mut self, name: &str, address: &str) -> MemberId {
        let id = self.enters(name, address);
        self.does(id, OP);
        self.received(id);
        id
    }

    fn does(&mut self, id: MemberId, line: &str) {
        let reply = self.hub.operate(id, line, Some("r".into()), NOW);
        assert!(reply.is_ok(), "{line}: {reply:?}");
        self.hub.reply(id, reply, Some("r".into()));
    }

    fn refused(&mut self, id: MemberId, line: &str) -> ErrorCode {
        let refused = self.hub.operate(id, line, None, NOW).expect_err(line);
        assert!(refused.text.contains(';') || refused.text.contains(':'), "a next step: {}", refused.text);
        assert!(!refused.text.contains("sixteen"), "the token is never shown: {}", refused.text);
        refused.code
    }

    fn says(&mut self, id: MemberId, now: Now) -> Result<(), ErrorCode> {
        self.connections += 1;
        let send = Send {
            room: "lobby".into(),
            text: "hi".into(),
            id: MessageId(self.connections as u128),
            after: None,
            action: false,
            sealed: None,
        };
        self.hub.say(id, &send, None, now).map(drop).map_err(|refused| refused.code)
    }

    fn writes(&mut self, id: MemberId, to: &str) -> Result<(), ErrorCode> {
        let reply = self.hub.send_direct(id, to, "psst", None, NOW);
        let result = reply.as_ref().map(drop).map_err(|refused| refused.code);
        if reply.is_ok() {
            self.hub.reply(id, reply, None);
        }
        result
    }

    fn disconnects(&mut self) -> Vec<Disconnect> {
        std::iter::from_fn(|| self.hub.take_disconnect()).collect()
    }

    fn happened(&mut self) -> Vec<LogEvent> {
        std::iter::from_fn(|| self.hub.take_log_event()).collect()
    }

    fn payloads(&mut self, id: MemberId) -> Vec<String> {
        let mut bytes = Vec::new();
        loop {
            self.hub.skip_lost(id);
            let gathered = self.hub.gather(id).slices().concat();
            let drained = self.hub.advance(id, gathered.len());
            bytes.extend_from_slice(&gathered);
            if drained {
                break;
            }
        }
        texts(&bytes)
    }

    /// Acts, notices and errors that a member was sent, in short; a ref is marked.
    fn received(&mut self, id: MemberId) -> Vec<String> {
        let mark = |reference: Option<String>| if reference.is_some() { "ref " } else { "" };
        let short = |payload: String| {
            let Envelope { content, reference } = Envelope::<Event>::from_json(payload.as_bytes()).expect("an event");
            match content {
                Event::Act(AuditEntry { by, act, who, text, .. }) => {
                    let words = [Some(by), Some(format!("{act:?}")), who, text].into_iter().flatten();
                    Some(format!("{}{}", mark(reference), words.collect::<Vec<_>>().join(" ")))
                }
                Event::Notice(notice) => Some(format!("{}notice {}", mark(reference), notice.text)),
                Event::Error(rejection) => Some(format!("{:?}", rejection.code)),
                _ => None,
            }
        };
        self.payloads(id).into_iter().filter_map(short).collect()
    }
}

#[test]
fn only_the_token_makes_an_operator_and_guessing_ends() {
    let mut world = World::new();
    let (alice, eve) = (world.enters("alice", HOME), world.enters("eve", CLASS));
    assert_eq!(world.refused(eve, "kick alice"), ErrorCode::NotOperator);
    for wrong in ["op", "op guess", "op sixteen bytes or mor"] {
        assert_eq!(world.refused(eve, wrong), ErrorCode::NotOperator);
    }
    let guesses = world.happened();
    assert!(guesses.iter().all(|entry| matches!(entry, LogEvent::WrongToken { .. })) && guesses.len() == 3);
    for _ in 0..1_000 {
        assert_eq!(world.refused(eve, OP), ErrorCode::NotOperator, "now even the right one is not looked at");
    }
    assert_eq!(world.happened(), [], "and nothing fills the log");
    world.received(alice);
    world.received(eve);
    world.does(alice, OP);
    assert_eq!(
        world.received(alice),
        ["ref alice Op", "ref notice you are an operator for as long as this connection lasts"]
    );
    assert_eq!(world.received(eve), [""; 0], "only operators are notified");
    world.does(alice, OP);
    assert_eq!(world.received(alice), ["ref notice you are an operator already"]);
    let mut plain = World { hub: Hub::new(Rules::default()), connections: 0 };
    let bob = plain.enters("bob", HOME);
    let refused = plain.hub.operate(bob, OP, None, NOW).expect_err("refused");
    assert!(refused.code == ErrorCode::NotOperator && refused.text.contains("--operator-token-file FILE"));
}

#[test]
fn a_kick_closes_one_connection_and_no_more() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    let (eve, bob) = (world.enters("eve", CLASS), world.enters("bob", CLASS));
    world.does(teacher, "kick EVE too loud\u{1b}[2J");
    let disconnects = world.disconnects();
    let [Disconnect { member, code: ErrorCode::Kicked, output: words, .. }] = &disconnects[..] else {
        panic!("{disconnects:?}")
    };
    assert_eq!(*member, eve);
    let last = texts(words);
    assert!(last[0].contains("\"kicked\"") && last[0].contains("too loud\u{fffd}[2J") && last[1].contains("\"bye\""));
    assert_eq!(world.received(teacher), ["ref teacher Kick eve too loud\u{fffd}[2J"]);
    world.hub.depart(eve, NOW);
    world.enters("eve", CLASS);
    assert_eq!(world.says(bob, NOW), Ok(()));
    for (line, code) in [("kick nobody", ErrorCode::UnknownName), ("kick teacher", ErrorCode::BadField)] {
        assert_eq!(world.refused(teacher, line), code, "{line}");
    }
}

#[test]
fn a_mute_takes_the_voice_and_leaves_a_way_to_the_operators() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    let (eve, bob) = (world.enters("eve", CLASS), world.enters("bob", CLASS));
    world.received(eve);
    world.does(teacher, "mute Eve 10m listen first");
    assert_eq!(
        world.received(eve),
        [
            "notice teacher muted you until 2023-11-14 22:23:20 UTC: listen first; you may still write to an operator (teacher) directly"
        ]
    );
    assert_eq!(
        world.received(teacher),
        ["ref teacher Mute Eve listen first", "ref notice it concerns 1 who is here: eve"]
    );
    assert_eq!(world.says(eve, at(599)), Err(ErrorCode::Muted));
    assert_eq!(world.writes(eve, "bob"), Err(ErrorCode::Muted));
    assert_eq!(world.writes(eve, "teacher"), Ok(()));
    assert_eq!(world.hub.rename(eve, "eva", NOW).map(drop).map_err(|refused| refused.code), Err(ErrorCode::Muted));
    assert_eq!(world.says(bob, NOW), Ok(()));
    assert_eq!(world.says(eve, at(600)), Ok(()), "it ends by itself");
    assert_eq!(world.says(teacher, NOW), Ok(()));

    // Coming back in another case, or looking like it, is no way out.
    world.does(teacher, "mute eve 10m");
    world.hub.depart(eve, NOW);
    for (dialect, name) in [(Dialect::Event, "EVE"), (Dialect::Tutorial, "eve-2"), (Dialect::Tutorial, "ҽve")] {
        let id = world.comes(dialect, name, HOME, NOW).expect("a mute keeps nobody out");
        let said = world.hub.say_text(id, "hi", false, NOW).map(drop).map_err(|refused| refused.code);
        assert_eq!(said.is_err(), name != "eve-2", "{name}");
        world.hub.depart(id, NOW);
    }
    let eve = world.enters("eve", HOME);
    assert!(world.received(eve)[0].starts_with("notice teacher muted you until"));
    world.does(teacher, "unmute EVE");
    assert_eq!(world.received(eve), ["notice teacher gave your voice back"]);
    assert_eq!(world.says(eve, NOW), Ok(()));
    assert_eq!(world.refused(teacher, "unmute eve"), ErrorCode::UnknownName);
}

#[test]
fn an_operator_that_was_muted_may_send() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    let aide = world.enters("aide", CLASS);
    world.does(teacher, "mute aide");
    world.does(aide, OP);
    assert_eq!(world.says(aide, NOW), Ok(()));
}

#[test]
fn a_ban_throws_out_and_keeps_out_by_name_and_by_address() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    let (eve, bob) = (world.enters("eve", CLASS), world.enters("bob", "::ffff:192.0.2.8"));
    world.does(teacher, "ban eve 1h");
    assert_eq!(world.disconnects().iter().map(|out| out.member).collect::<Vec<_>>(), [eve]);
    world.hub.depart(eve, NOW);
    for dialect in [Dialect::Event, Dialect::Tutorial] {
        for name in ["eve", "EVE", "еve"] {
            let refused = world.comes(dialect, name, HOME, at(3_599)).expect_err(name);
            assert!(refused.code == ErrorCode::Banned && refused.text.contains("2023-11-14 23:13:20 UTC"));
        }
    }
    assert_eq!(world.hub.rename(bob, "Eve", NOW).map(drop).map_err(|refused| refused.code), Err(ErrorCode::Banned));
    assert!(world.comes(Dialect::Event, "eve", HOME, at(3_600)).is_ok(), "it ends by itself");
    world.received(teacher);

    world.does(teacher, "ban 192.0.2.0/24 7d enough");
    assert_eq!(
        world.disconnects().iter().map(|out| (out.member, out.code)).collect::<Vec<_>>(),
        [(bob, ErrorCode::Banned)]
    );
    assert_eq!(
        world.received(teacher),
        ["ref teacher Ban 192.0.2.0/24 enough", "ref notice it concerns 1 who is here: bob"]
    );
    world.hub.depart(bob, NOW);
    assert!(world.hub.check_address(CLASS.parse().expect("an address"), NOW).is_err());
    assert!(world.hub.check_address("::ffff:192.0.2.255".parse().expect("an address"), NOW).is_err());
    assert!(world.hub.check_address(HOME.parse().expect("an address"), NOW).is_ok());
    assert_eq!(world.comes(Dialect::Tutorial, "carl", CLASS, NOW).expect_err("banned").code, ErrorCode::Banned);
    assert_eq!(world.refused(teacher, "unban 192.0.2.7"), ErrorCode::UnknownName);
    world.does(teacher, "unban 192.0.2.0/24");
    assert!(world.comes(Dialect::Tutorial, "carl", CLASS, NOW).is_ok());
}

#[test]
fn nobody_bans_the_room_they_sit_in() {
    let mut world = World::new();
    let teacher = world.operator("teacher", CLASS);
    let aide = world.operator("aide", HOME);
    for line in [
        "ban 192.0.2.7",
        "mute 192.0.2.0/24",
        "ban 0.0.0.0/0",
        "ban ::/0",
        "mute 128.0.0.0/1",
        "ban 198.51.100.9",
        "ban ::ffff:192.0.2.7",
        "ban TEACHER",
        "mute aide",
        "kick aide",
        "ban tеacher",
    ] {
        assert_eq!(world.refused(teacher, line), ErrorCode::BadField, "{line}");
    }
    let own = world.hub.operate(teacher, "ban 192.0.2.0/24", None, NOW).expect_err("refused").text;
    assert!(own.contains("your own connection") && own.contains("take the name instead"), "{own}");
    assert_eq!(world.disconnects(), []);
    assert_eq!(world.says(aide, NOW), Ok(()));
}

#[test]
fn in_a_freeze_only_operators_may_send() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    let (eve, bob) = (world.enters("eve", CLASS), world.comes(Dialect::Tutorial, "bob", CLASS, NOW).expect("enters"));
    world.received(eve);
    world.payloads(bob);
    world.does(teacher, "freeze");
    assert!(world.received(eve)[0].contains("only operators speak"));
    assert!(world.payloads(bob).iter().any(|payload| payload.contains("only operators speak")));
    assert_eq!((world.says(eve, NOW), world.says(teacher, NOW)), (Err(ErrorCode::Frozen), Ok(())));
    assert_eq!((world.writes(eve, "bob"), world.writes(eve, "teacher")), (Err(ErrorCode::Frozen), Ok(())));
    let late = world.enters("late", CLASS);
    assert!(world.received(late)[0].contains("only operators speak"), "later members are notified");
    world.received(teacher);
    world.does(teacher, "freeze");
    assert_eq!(world.received(teacher), ["ref notice the talk is frozen already; /thaw ends it"]);
    world.does(teacher, "thaw");
    assert_eq!(world.received(late), ["notice the freeze is over: everybody may speak again"]);
    assert_eq!(world.says(eve, NOW), Ok(()));
}

#[test]
fn new_members_get_the_message_of_the_day() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    world.does(teacher, "motd welcome\nread the notes");
    let eve = world.enters("eve", CLASS);
    assert_eq!(world.received(eve), ["notice welcome\nread the notes"]);
    let bob = world.comes(Dialect::Tutorial, "bob", CLASS, NOW).expect("enters");
    let output = world.payloads(bob);
    assert!(output[1].contains("/help lists commands") && output[3] == "welcome\nread the notes", "{output:?}");
    world.received(teacher);
    world.does(teacher, "motd");
    assert_eq!(world.received(teacher), ["ref notice newcomers are shown:\nwelcome\nread the notes"]);
    world.does(teacher, "motd -");
    let late = world.enters("late", CLASS);
    assert_eq!(world.received(late), [""; 0]);
}

#[test]
fn operators_look_at_who_is_here_and_what_stands() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    world.enters("eve", "::ffff:192.0.2.7");
    world.comes(Dialect::Tutorial, "bob", "2001:db8::1", NOW).expect("enters");
    world.does(teacher, "mute eve 1d shouting");
    world.does(teacher, "ban 203.0.113.0/24");
    world.received(teacher);
    world.does(teacher, "roster");
    world.does(teacher, "bans");
    assert_eq!(
        world.received(teacher),
        [
            "ref notice 3 here:\n\
             bob 2001:db8::1, tutorial dialect, since 2023-11-14 22:13:20 UTC\n\
             eve (muted) 192.0.2.7, event dialect, since 2023-11-14 22:13:20 UTC\n\
             teacher (operator) 198.51.100.9, event dialect, since 2023-11-14 22:13:20 UTC",
            "ref notice what stands:\n\
             eve muted until 2023-11-15 22:13:20 UTC by teacher: shouting\n\
             203.0.113.0/24 banned until 2023-11-14 23:13:20 UTC by teacher",
        ]
    );
}

#[test]
fn a_long_roster_fits_one_text() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    for n in 0..400 {
        world.enters(&format!("{}{n}", "\"".repeat(28)), "2001:db8:1111:2222:3333:4444:5555:6666");
    }
    world.does(teacher, "roster");
    let received = world.received(teacher);
    let roster = received.last().expect("a roster");
    assert!(roster.starts_with("ref notice 401 here:") && roster.len() <= 17_000, "{} bytes", roster.len());
    let shown = roster.lines().filter(|line| line.contains("dialect")).count();
    assert!(roster.ends_with(&format!("\n+{}", 401 - shown)) && shown > 100, "{shown}");
}

#[test]
fn what_stands_is_bounded() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    for n in 0..1_000 {
        world.does(teacher, &format!("ban b{n}"));
    }
    assert_eq!(world.refused(teacher, "ban one-more"), ErrorCode::BadField);
    world.does(teacher, "ban b7 2h");
    world.does(teacher, "mute somebody");
    let later = at(3_601);
    world.hub.operate(teacher, "ban one-more", None, later).expect("the others have ended");
    assert!(world.comes(Dialect::Event, "b8", HOME, later).is_ok());
    assert!(world.comes(Dialect::Event, "b7", HOME, later).is_err());
}

#[test]
fn reconnecting_buys_no_more_guesses() {
    let mut world = World::new();
    let (alice, mut guesses) = (world.enters("alice", HOME), 0);
    for connection in 0..20 {
        let eve = world.enters(&format!("eve{connection}"), CLASS);
        for _ in 0..3 {
            assert_eq!(world.refused(eve, "op a guess of sixteen bytes"), ErrorCode::NotOperator);
        }
        guesses += world.happened().len();
        world.hub.depart(eve, NOW);
    }
    assert_eq!(guesses, 10, "no other guess is looked at");
    let eve = world.enters("eve", CLASS);
    assert_eq!(world.refused(eve, OP), ErrorCode::NotOperator, "nor is the right token");
    world.does(alice, OP);
    let later = Now { monotonic_ms: NOW.monotonic_ms + 5 * 60 * 1_000, ..NOW };
    assert_eq!(world.hub.operate(eve, OP, None, later).map(drop), Ok(()));
}

#[test]
fn nothing_of_the_form_of_a_token_is_published() {
    let mut world = World::new();
    let (alice, eve) = (world.enters("alice", HOME), world.enters("eve", CLASS));
    world.does(alice, OP);
    for bits in [0, 1, u128::MAX] {
        let token = GeneratedToken::from_bits(bits).to_string();
        for text in [token.clone(), format!("/op {}", token.to_uppercase()), format!("it is {}!", &token[..30])] {
            assert_eq!(world.says(eve, NOW), Ok(()));
            let refused = [
                world.hub.say_text(eve, &text, false, NOW).map(drop),
                world.hub.say_text(eve, &text, true, NOW).map(drop),
                world.hub.send_direct(eve, "alice", &text, None, NOW).map(drop),
                world.hub.send_direct(eve, "eve", &text, None, NOW).map(drop),
                world.hub.set_away(eve, Some(&text), NOW).map(drop),
                world.hub.operate(alice, &format!("kick eve {text}"), None, NOW).map(drop),
                world.hub.operate(alice, &format!("motd {text}"), None, NOW).map(drop),
            ];
            for refused in refused {
                let refused = refused.expect_err("refused");
                assert_eq!(refused.code, ErrorCode::BadField, "{text}");
                assert!(!refused.text.contains(&token[5..]), "{text}");
            }
        }
        let part = &token[..32];
        assert_eq!(world.hub.rename(eve, part, NOW).map(drop).map_err(|refused| refused.code), Err(ErrorCode::BadName));
        assert_eq!(world.hub.join(eve, part, NOW).map(drop).map_err(|refused| refused.code), Err(ErrorCode::BadRoom));
        assert!(world.hub.operate(alice, &format!("ban {part}"), None, NOW).is_err());
    }
}

#[test]
fn a_text_discloses_nothing_about_a_chosen_token() {
    let mut world = World::new();
    let eve = world.enters("eve", CLASS);
    let secret = OP.strip_prefix("op ").expect("a token");
    for text in [secret, "another text of as many bytes"] {
        assert_eq!(world.hub.send_direct(eve, "eve", text, None, NOW).map(drop), Ok(()), "{text}");
    }
}

#[test]
fn operators_are_notified_of_guessing_once_and_at_its_end() {
    let mut world = World::new();
    let (teacher, eve) = (world.operator("teacher", HOME), world.enters("eve", CLASS));
    for connection in 0..4 {
        let guesser = world.enters(&format!("guess{connection}"), CLASS);
        for _ in 0..4 {
            world.refused(guesser, "op guess");
        }
    }
    let warnings: Vec<String> =
        world.received(teacher).into_iter().filter(|received| received.contains("wrong operator token")).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains(&format!("guess0 gave a wrong operator token, from {CLASS}")), "{warnings:?}");
    assert!(warnings[1].starts_with("notice guess3 ") && warnings[1].contains("no attempt left"), "{warnings:?}");
    assert_eq!(world.received(eve), [""; 0], "only operators are notified");
}

#[test]
fn a_name_like_a_banned_one_gets_the_advice_to_choose_another() {
    let mut world = World::new();
    let teacher = world.operator("teacher", HOME);
    world.does(teacher, "ban Erna 5m");
    let text_for = |world: &mut World, name: &str| {
        world.comes(Dialect::Event, name, CLASS, NOW).map(|_| ()).expect_err("refused").text
    };
    let innocent = text_for(&mut world, "Ema");
    assert!(innocent.starts_with("this name looks like Erna, which teacher banned until"), "{innocent}");
    assert!(innocent.ends_with("; choose another name"), "{innocent}");
    for name in ["Erna", "ERNA", "Егnа"] {
        assert!(text_for(&mut world, name).contains("come back after that"), "{name}");
    }
}

#[test]
fn every_instruction_is_kept_from_everybody_else() {
    let mut world = World::new();
    let eve = world.enters("eve", CLASS);
    world.enters("bob", CLASS);
    for line in [
        "kick bob",
        "mute bob",
        "unmute bob",
        "ban bob",
        "unban bob",
        "freeze",
        "thaw",
        "motd x",
        "motd",
        "roster",
        "bans",
        "dance",
        "",
        "op",
        "\0",
        "ban 0.0.0.0/0",
    ] {
        assert_eq!(world.refused(eve, line), ErrorCode::NotOperator, "{line}");
    }
    assert_eq!(world.refused(eve, &"x".repeat(1_025)), ErrorCode::TooLong);
    assert!(world.happened().iter().all(|entry| matches!(entry, LogEvent::WrongToken { .. })));
    assert_eq!((world.disconnects(), world.says(eve, NOW)), (Vec::new(), Ok(())));
}

/// This became of a record.
fn settle(hub: &mut Hub, pending: &PendingRecord, outcome: CommitOutcome) {
    let PendingRecord { ticket, record } = pending.clone();
    assert!(match outcome {
        CommitOutcome::Stored { seq } => hub.committed(record.committed(ticket, seq)),
        CommitOutcome::NotAppended(outcome) => hub.settle(ticket, outcome),
    });
}

#[test]
fn with_a_history_nothing_is_in_force_before_it_is_stored() {
    let mut world = World::with(Rules { durable: true, ..Rules::default() });
    let (teacher, eve) = (world.enters("teacher", HOME), world.enters("eve", CLASS));
    world.received(teacher);
    world.received(eve);
    world.does(teacher, OP);
    assert_eq!(world.hub.awaits(1), Awaits::Answer, "what is asked next comes behind it");
    assert_eq!(world.refused(teacher, "roster"), ErrorCode::NotOperator);
    let settle_act = |world: &mut World, outcome: CommitOutcome| {
        let pending = world.hub.take_pending_records();
        let [PendingRecord { record, .. }] = &pending[..] else { panic!("{pending:?}") };
        let Record::Audit(act) = record.clone() else { panic!("{record:?}") };
        assert!(!format!("{act:?}").contains("sixteen"), "the token is not stored");
        settle(&mut world.hub, &pending[0], outcome);
        act
    };
    settle_act(&mut world, CommitOutcome::Stored { seq: 0 });
    assert_eq!((world.received(teacher).len(), world.hub.take_settled()), (2, Some(1)));

    world.does(teacher, "kick eve");
    assert_eq!((world.disconnects(), world.received(teacher)), (Vec::new(), Vec::new()));
    // Another client has the name by the time it is stored.
    world.hub.depart(eve, NOW);
    let other = world.enters("eve", HOME);
    settle_act(&mut world, CommitOutcome::Stored { seq: 0 });
    assert_eq!(world.disconnects(), [], "the kick was for another");
    assert_eq!(world.received(teacher), ["ref teacher Kick eve"]);

    // Or its target has presented the token meanwhile.
    let aide = world.enters("aide", HOME);
    world.does(aide, OP);
    world.does(teacher, "kick aide");
    for pending in world.hub.take_pending_records() {
        settle(&mut world.hub, &pending, CommitOutcome::Stored { seq: 0 });
    }
    assert_eq!(world.disconnects(), [], "no other operator can touch an operator");
    let received = world.received(teacher);
    assert!(
        received.contains(&"ref notice aide has become an operator meanwhile, and stays".to_string()),
        "{received:?}"
    );

    world.does(teacher, "freeze");
    let before = world.happened().len();
    settle_act(&mut world, CommitOutcome::NotAppended(NotAppended::NotStored("the disk is full".into())));
    assert_eq!(world.received(teacher), ["NotStored"]);
    assert_eq!((world.happened().len(), before > 0), (0, true));
    assert_eq!(world.hub.say_text(other, "hi", false, NOW).map(drop), Ok(()), "nothing is frozen");
    for pending in world.hub.take_pending_records() {
        settle(&mut world.hub, &pending, CommitOutcome::Stored { seq: 1 });
    }

    world.does(teacher, "ban 203.0.113.0/24");
    world.hub.depart(teacher, NOW);
    let mut acts = vec![settle_act(&mut world, CommitOutcome::Stored { seq: 0 })];
    assert!(world.hub.check_address("203.0.113.9".parse().expect("an address"), NOW).is_err(), "who gave it has left");

    // What was stored is in force again after a start.
    acts.push(AuditEntry { act: AuditKind::Freeze, who: None, until: None, ..acts[0].clone() });
    let mut later = World::with(Rules { durable: true, ..Rules::default() });
    for act in &acts {
        later.hub.restore(act);
    }
    assert!(later.hub.check_address("203.0.113.9".parse().expect("an address"), NOW).is_err());
    let eve = later.enters("eve", CLASS);
    assert_eq!(later.says(eve, NOW), Err(ErrorCode::Frozen));
}
