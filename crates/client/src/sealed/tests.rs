//! Sealed rooms with their files, keys derived as in the program.

use std::sync::mpsc::{self, Receiver};

use glassline_keyring::{Keyring, ServerAddress};
use glassline_testkit::Folder;
use glassline_wire::event::{ErrorCode, Event, History};
use glassline_wire::message_id::MessageId;

use super::*;
use crate::inbox::{DriverEvent, EVENTS_MAX};

/// A member with a folder of its own.
struct Member {
    keys: RoomKeys,
    events: Receiver<DriverEvent>,
    _folder: Folder,
}

impl Member {
    /// With the passphrase of a room, in this spelling, from the start.
    fn open(bound: Option<&str>) -> Result<Self, String> {
        let folder = Folder::new();
        let (keyring, address) = (Keyring::open(folder.join("keys")), ServerAddress::parse("here:1").expect("one"));
        let files = Sealing {
            identity: keyring.identity(),
            rooms: keyring.sealed_rooms(&address),
            members: keyring.known_members(&address),
            passphrases: bound.map(|room| (room.to_owned(), passphrase("words"))).into_iter().collect(),
        };
        let (inbox, events) = mpsc::sync_channel(EVENTS_MAX);
        Ok(Self { keys: RoomKeys::open(Some(files), inbox)?, events, _folder: folder })
    }

    fn bound() -> Self {
        Self::open(Some("den")).expect("it opens")
    }

    fn keyless() -> Self {
        Self::open(None).expect("it opens")
    }

    /// Takes the next derived key.
    fn derived(&self) -> News {
        match self.events.recv().expect("a derivation is under way") {
            DriverEvent::KeyDerived(derived) => self.keys.derived(*derived),
            other => panic!("{other:?}"),
        }
    }

    fn seal(&mut self, id: u128, room: &str, text: &str) -> Result<String, String> {
        RoomSeal::seal(&mut self.keys, Draft { room, id: MessageId(id), name: "alice", text, action: false })
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).expect("a passphrase")
}

fn message(id: u128, room: &str, sealed: Option<&str>) -> Message {
    Message {
        room: room.into(),
        seq: u64::try_from(id).ok(),
        at: None,
        from: "alice".into(),
        text: if sealed.is_some() { "[sealed message]".into() } else { "readable".into() },
        action: false,
        id: Some(MessageId(id)),
        sealed: sealed.map(str::to_owned),
    }
}

/// A member that has begun the key of "den", and a message under it.
fn sealed(text: &str) -> (Member, String) {
    let mut alice = Member::bound();
    alice.keys.begin_if_unknown("den");
    assert_eq!(alice.derived().announced_in.as_deref(), Some("den"));
    let field = alice.seal(1, "den", text).expect("the key is here");
    (alice, field)
}

#[test]
fn a_room_is_sealed_in_every_spelling() {
    for spelling in ["my_den", "#my_den", "My_Den", "my den", "\u{ff2d}y_den"] {
        let keys = Member::open(Some(spelling)).expect("it opens").keys;
        for other in ["my_den", "#MY_DEN", " My den "] {
            assert!(keys.is_sealed(other), "{spelling} {other}");
        }
        assert!(!keys.is_sealed("myden"));
    }
    let refused = Member::open(Some("#Lobby")).map(|_| ()).expect_err("the lobby is never sealed");
    assert!(
        refused.starts_with("the lobby is never sealed") && refused.contains("another room with --seal"),
        "{refused}"
    );
}

#[test]
fn what_was_said_before_is_no_news_once_its_key_is_derived() {
    let (_alice, field) = sealed("hi");
    let mut bob = Member::bound();
    for (id, arrival) in [(1, Arrival::Context), (2, Arrival::InTurn)] {
        assert_eq!(bob.keys.open(message(id, "den", Some(&field)), arrival), None, "its key is being derived");
    }
    let updates = bob.derived().updates;
    let [
        Update::Notice(_),
        Update::Received(Event::History(History { messages, .. })),
        Update::Received(Event::Message(new)),
    ] = &updates[..]
    else {
        panic!("{updates:?}")
    };
    assert_eq!(messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["hi"]);
    assert!(new.text.contains("another message id"), "{}", new.text);
}

#[test]
fn a_passphrase_shows_what_could_not_be_read_before() {
    let (_alice, field) = sealed("hi");
    let mut carol = Member::keyless();
    let shown = carol.keys.open(message(1, "den", Some(&field)), Arrival::InTurn).expect("shown at once");
    assert!(shown.text.contains("/seal"), "{}", shown.text);
    carol.keys.seal("den", passphrase("words")).expect("it can be sealed");
    let updates = carol.derived().updates;
    let [Update::Notice(_), Update::Received(Event::Message(again))] = &updates[..] else { panic!("{updates:?}") };
    assert_eq!((again.text.as_str(), again.seq), ("hi", Some(1)));
}

#[test]
fn too_many_sealed_rooms_close_all_others() {
    let (_alice, field) = sealed("hi");
    let mut carol = Member::keyless();
    for id in 0..256 {
        carol.keys.open(message(id, &format!("room{id}"), Some(&field)), Arrival::InTurn);
    }
    assert!(carol.keys.is_sealed_by_others("room255") && !carol.keys.is_sealed_by_others("den"));
    carol.keys.open(message(257, "one_more", Some(&field)), Arrival::InTurn);
    for room in ["one_more", "den"] {
        assert!(carol.keys.is_sealed_by_others(room), "{room}");
        let refused = carol.seal(1, room, "hi").expect_err("nothing is sent");
        assert!(refused.contains("256 rooms") && refused.contains("start it anew"), "{refused}");
    }
    assert!(!carol.keys.is_sealed_by_others("lobby"));
    // The user's own rooms have a bound of their own, and rooms that are readable again make place.
    carol.keys.seal("den", passphrase("words")).expect("it can be sealed");
    assert!(carol.keys.is_sealed("den") && !carol.keys.is_sealed_by_others("den"));
    carol.keys.open(message(1, "room0", None), Arrival::InTurn);
    carol.keys.open(message(2, "another", Some(&field)), Arrival::InTurn);
    assert!(carol.seal(1, "another", "hi").expect_err("no key").contains("/seal"));
}

#[test]
fn a_refused_first_key_is_given_up() {
    let mut alice = Member::keyless();
    alice.keys.seal("den", passphrase("words")).expect("it can be sealed");
    assert_eq!(alice.derived().announced_in.as_deref(), Some("den"));
    let rejection = Rejection::new(ErrorCode::NotSealed, "others are in it");
    let notice = alice.keys.refused("den", &rejection).expect("it is told");
    assert!(notice.contains("is readable") && notice.contains("others are in it"), "{notice}");
    assert!(!alice.keys.is_sealed("den"));
}

#[test]
fn where_others_have_sealed_no_first_key_is_begun() {
    let (_alice, field) = sealed("hi");
    for reported in ["", "AAAA", "!"] {
        let mut bob = Member::bound();
        let notice = bob.keys.entered("den", Some(reported)).expect("it is reported");
        assert!(notice.contains("until the next sealed message"), "{notice}");
        assert!(!bob.keys.begin_if_unknown("den"), "{reported}");
        let refused = bob.seal(1, "den", "hi").expect_err("no key");
        assert!(refused.contains("the next sealed message"), "{refused}");
        assert_eq!(bob.keys.open(message(1, "den", Some(&field)), Arrival::InTurn), None, "its key is derived");
        bob.derived();
        bob.seal(1, "den", "hi").expect("the others' key is here");

        // A person's passphrase waits as well, and begins a key only if it is entered again.
        let mut carol = Member::keyless();
        carol.keys.entered("den", Some(reported)).expect("it is reported");
        let report = carol.keys.seal("den", passphrase("words")).expect("it can be sealed");
        assert!(report.contains("its next sealed message shows it"), "{report}");
        assert!(carol.seal(1, "den", "hi").is_err());
        let report = carol.keys.seal("den", passphrase("words")).expect("it can be sealed");
        assert!(report.contains("a new key"), "{report}");
    }
}
