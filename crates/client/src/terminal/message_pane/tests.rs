use super::*;
use crate::commands::ParsedLine;
use crate::format::clock::LocalClock;
use crate::preferences::Preferences;

const NOON: &str = "2026-11-22T12:00:00.000Z";

fn page(timestamps: bool) -> MessagePane {
    let clock = LocalClock::fixed(|| Timestamp::parse(NOON).expect("an instant"));
    let settings = DisplaySettings::new(&Preferences { timestamps: Some(timestamps), ..Preferences::default() }, true);
    MessagePane::new(Formatter::with_clock("me", clock), settings)
}

fn received(json: &str) -> Update {
    Update::Received(Event::from_json(json.as_bytes()).expect(json))
}

fn message(room: &str, from: &str, text: &str) -> Update {
    received(&format!(
        r#"{{"type":"message","room":"{room}","from":"{from}","text":"{text}","at":"2026-11-22T12:34:56.000Z"}}"#
    ))
}

fn shown(page: &mut MessagePane, update: Update, now_ms: u64) -> Vec<String> {
    page.receive(update, now_ms).lines.iter().flat_map(StyledLine::plain).collect()
}

#[test]
fn each_line_has_its_time_and_each_new_day_a_mark() {
    let mut page = page(true);
    assert_eq!(shown(&mut page, message("lobby", "bob", "hi"), 0), ["12:34 bob > hi"]);
    let next_day =
        received(r#"{"type":"message","room":"lobby","from":"bob","text":"up","at":"2026-11-23T07:00:00.000Z"}"#);
    assert_eq!(shown(&mut page, next_day, 0), ["── Monday, 23 November 2026 ──", "07:00 bob > up"]);
    page.settings.change(&ParsedLine::Timestamps(Some(false)));
    assert_eq!(shown(&mut page, message("lobby", "bob", "hi"), 0), ["bob > hi"]);
}

#[test]
fn other_rooms_wait_and_are_shown_on_going_there() {
    let mut page = page(false);
    let rooms = ["lobby".to_owned(), "den".to_owned()];
    assert!(shown(&mut page, message("den", "bob", "me, look"), 0).is_empty());
    assert!(page.receive(message("den", "bob", "me!"), 0).rings, "a mention elsewhere rings as well");
    let waiting = UnreadCount { number: 2, room: "den".into(), messages: 2, mentions: 2 };
    assert_eq!(page.waiting(&rooms), [waiting]);
    assert_eq!(
        page.leave(&rooms).iter().flat_map(StyledLine::plain).collect::<Vec<_>>(),
        ["* not read: 2 in den (2 for you)"]
    );
    let notice = shown(&mut page, Update::CurrentRoom(Some("den".into())), 0);
    assert_eq!(notice, ["── den: 2 new, 2 for you ──", "bob > me, look", "bob > me!"]);
    assert_eq!(shown(&mut page, message("den", "bob", "here"), 0), ["bob > here"]);
    assert!(shown(&mut page, message("lobby", "eve", "there"), 0).is_empty());
    assert_eq!(shown(&mut page, Update::CurrentRoom(Some("lobby".into())), 0), ["── lobby: 1 new ──", "eve > there"]);
    assert_eq!(shown(&mut page, Update::CurrentRoom(Some("ops".into())), 0), ["── ops ──"]);
}

#[test]
fn joins_are_shown_together_before_a_message_of_the_new_member() {
    let mut page = page(false);
    let joined = |who: &str| received(&format!(r#"{{"type":"joined","room":"lobby","names":["{who}"],"count":1}}"#));
    for who in ["alice", "bob", "carol", "dave"] {
        assert!(shown(&mut page, joined(who), 0).is_empty());
    }
    let due_ms = page.next_due_ms().expect("something gathered");
    let due: Vec<String> = page.take_due(due_ms).iter().flat_map(StyledLine::plain).collect();
    assert_eq!(due, ["* alice, bob, carol +1 joined"]);
    assert!(shown(&mut page, joined("eve"), 0).is_empty());
    assert_eq!(shown(&mut page, message("lobby", "eve", "hi"), 0), ["* eve joined", "eve > hi"]);
    assert!(shown(&mut page, joined("me"), 0).is_empty(), "the user knows");
    assert_eq!(page.next_due_ms(), None);
    let both = received(r#"{"type":"joined","room":"lobby","names":["me","fay"],"count":2}"#);
    assert!(shown(&mut page, both, 0).is_empty());
    let due: Vec<String> = page.take_due(u64::MAX).iter().flat_map(StyledLine::plain).collect();
    assert_eq!(due, ["* fay joined"], "nor is it listed among others");
    assert_eq!(page.speakers().collect::<Vec<_>>(), ["eve"]);
}

#[test]
fn departures_are_shown_before_the_loss_of_the_link() {
    let mut page = page(false);
    assert!(shown(&mut page, received(r#"{"type":"left","room":"lobby","names":["bob"],"count":1}"#), 0).is_empty());
    assert_eq!(shown(&mut page, Update::Notice("the link is lost".into()), 0), ["* bob left", "* the link is lost"]);
    assert_eq!(page.next_due_ms(), None);
}

#[test]
fn only_words_count_as_unread_and_a_gap_does_too() {
    let mut page = page(false);
    let rooms = ["lobby".to_owned(), "den".to_owned(), "ops".to_owned()];
    for room in ["den", "ops"] {
        shown(&mut page, received(&format!(r#"{{"type":"joined","room":"{room}","names":["eve"],"count":1}}"#)), 0);
    }
    shown(&mut page, message("den", "eve", "me: hi"), 0);
    let den = UnreadCount { number: 2, room: "den".into(), messages: 1, mentions: 1 };
    assert_eq!(page.waiting(&rooms), std::slice::from_ref(&den));
    shown(&mut page, received(r#"{"type":"gap","room":"ops","from":1,"to":40}"#), 0);
    let ops = UnreadCount { number: 3, room: "ops".into(), messages: 1, mentions: 0 };
    assert_eq!(page.waiting(&rooms), [den, ops]);
    let left = shown(&mut page, received(r#"{"type":"left","room":"den","names":["me"],"count":1}"#), 0);
    assert_eq!(left, ["* you left den", "* not read: 1 in den"]);
    assert_eq!(page.waiting(&rooms).len(), 1);
}

#[test]
fn what_is_too_much_to_wait_is_shown_with_its_room_and_its_time() {
    let mut page = page(true);
    let mut all = Vec::new();
    for number in 0..2_100 {
        all.extend(shown(&mut page, message("den", "bob", &number.to_string()), 0));
    }
    assert_eq!((all.len(), all[0].as_str()), (2_000, "12:34 [den] bob > 0"));
    assert!(shown(&mut page, received(r#"{"type":"joined","room":"den","names":["eve"],"count":1}"#), 0).is_empty());
    assert!(page.take_due(u64::MAX).is_empty());
    let there = shown(&mut page, Update::CurrentRoom(Some("den".into())), 0);
    assert_eq!((there[0].as_str(), there.len()), ("── den: 100 new ──", 102));
    assert_eq!(there.last().map(String::as_str), Some("12:00 * eve joined"));
}

#[test]
fn rooms_that_were_listed_can_be_completed() {
    let mut page = page(false);
    let rooms = r#"{"type":"rooms","rooms":[{"room":"lobby","count":1},{"room":"den","count":2}],"count":2}"#;
    assert_eq!(shown(&mut page, received(rooms), 0), ["* rooms: lobby (1), den (2)"]);
    assert_eq!(page.listed_rooms(), ["lobby", "den"]);
}

#[test]
fn a_mark_stands_where_one_left_off() {
    let mut page = page(false);
    assert_eq!(shown(&mut page, message("lobby", "bob", "1"), 0).len(), 1);
    page.user_has_gone();
    assert_eq!(shown(&mut page, message("lobby", "bob", "me: 2"), 0), ["── new since 12:00 ──", "bob > me: 2"]);
    assert_eq!(shown(&mut page, message("lobby", "bob", "3"), 0), ["bob > 3"]);
    assert_eq!(page.mentions(), 1);
    page.user_is_here(1_000);
    assert_eq!(page.mentions(), 0);
    assert_eq!(shown(&mut page, message("lobby", "bob", "4"), 200_000), ["bob > 4"]);
    assert_eq!(shown(&mut page, message("lobby", "bob", "5"), 400_000)[0], "── new since 12:00 ──");
}

const EARLIER: &str = concat!(
    r#"{"type":"history","room":"ROOM","messages":["#,
    r#"{"room":"ROOM","seq":1,"from":"bob","text":"me, look","at":"2026-11-20T09:00:00.000Z"},"#,
    r#"{"room":"ROOM","seq":2,"from":"bob","text":"again","at":"2026-11-22T09:30:00.000Z"}]}"#
);

#[test]
fn past_messages_stand_apart_with_their_times_and_no_bell() {
    for timestamps in [false, true] {
        let mut page = page(timestamps);
        page.user_has_gone();
        let received = page.receive(received(&EARLIER.replace("ROOM", "lobby")), 0);
        assert!(!received.rings);
        let lines: Vec<String> = received.lines.iter().flat_map(StyledLine::plain).collect();
        assert_eq!(
            lines,
            [
                "── earlier in lobby ──",
                "── Friday, 20 November 2026 ──",
                "09:00 bob > me, look",
                "── Sunday, 22 November 2026 ──",
                "09:30 bob > again",
                "── now ──"
            ]
        );
        assert_eq!(page.mentions(), 0);
        let now = if timestamps { "12:34 bob > hi" } else { "bob > hi" };
        assert_eq!(shown(&mut page, message("lobby", "bob", "hi"), 0), ["── new since 12:00 ──", now]);
    }
}

#[test]
fn days_of_earlier_do_not_mix_with_lines_without_times() {
    let mut page = page(false);
    let earlier = EARLIER.replace("ROOM", "lobby").replace("-22T", "-20T");
    for _ in 0..2 {
        assert_eq!(shown(&mut page, received(&earlier), 0)[1], "── Friday, 20 November 2026 ──");
        assert_eq!(shown(&mut page, message("lobby", "bob", "hi"), 0), ["bob > hi"]);
    }
}

#[test]
fn past_messages_of_another_room_wait_there_and_are_no_news() {
    let mut page = page(false);
    assert!(shown(&mut page, received(&EARLIER.replace("ROOM", "den")), 0).is_empty());
    assert!(page.waiting(&["lobby".to_owned(), "den".to_owned()]).is_empty());
    let there = shown(&mut page, Update::CurrentRoom(Some("den".into())), 0);
    assert_eq!(
        there[..4],
        ["── den ──", "── earlier in den ──", "── Friday, 20 November 2026 ──", "09:00 bob > me, look"]
    );
}

#[test]
fn what_was_missed_rings_once() {
    let mut page = page(false);
    let welcome = concat!(
        r#"{"type":"welcome","name":"me","token":"t","server":"s","limits":{"name_chars":1,"name_bytes":1,"#,
        r#""text_bytes":1,"event_bytes":1},"rooms":[{"room":"lobby","seq":3,"count":1}]}"#
    );
    page.receive(received(welcome), 0);
    let mut call = |seq: u64| {
        let json = format!(r#"{{"type":"message","room":"lobby","seq":{seq},"from":"bob","text":"me!"}}"#);
        page.receive(received(&json), 0).rings
    };
    assert_eq!([1, 2, 3, 4, 5].map(&mut call), [true, false, false, true, true]);
}

#[test]
fn a_change_of_name_does_not_overtake_who_had_it() {
    let mut page = page(false);
    let left = received(r#"{"type":"left","room":"lobby","names":["bob"],"count":1}"#);
    assert!(shown(&mut page, left, 0).is_empty(), "it is gathered");
    let renamed = received(r#"{"type":"renamed","from":"carol","to":"bob"}"#);
    assert_eq!(shown(&mut page, renamed, 1), ["* bob left", "* carol is now bob"]);
}
