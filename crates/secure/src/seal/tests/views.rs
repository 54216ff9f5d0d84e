//! Facts that receivers notice: order, and each other's view of the room.

use super::super::{Order, View};
use super::*;

fn order_of(room: &mut SealedRoom, envelope: &Envelope, seq: u64) -> Order {
    deliver(room, envelope, seq).unwrap().facts.order
}

#[test]
fn counters_tell_order_repetition_and_loss() {
    let (mut sender, mut receiver) = (den(), den());
    let sent: Vec<Envelope> = (1..=6).map(|id| sealed(&mut sender, id, "hello")).collect();
    assert_eq!(order_of(&mut receiver, &sent[0], 1), Order::CannotTell);
    assert_eq!(order_of(&mut receiver, &sent[1], 2), Order::InOrder);
    assert_eq!(order_of(&mut receiver, &sent[1], 3), Order::Repeated);
    assert_eq!(order_of(&mut receiver, &sent[4], 4), Order::Missing(2));
    assert_eq!(order_of(&mut receiver, &sent[3], 5), Order::Older);
    assert_eq!(order_of(&mut receiver, &sent[3], 6), Order::Repeated);
    assert_eq!(order_of(&mut receiver, &sent[5], 7), Order::InOrder);

    // Another run, another sender: their own counters.
    assert_eq!(order_of(&mut receiver, &sealed(&mut den(), 9, "hello"), 8), Order::CannotTell);
    // A page of the history leaves them as they are.
    let page = receiver.open(&sent[0], Placed::Page { id: None }).unwrap();
    assert_eq!(page.facts.order, Order::CannotTell);
}

#[test]
fn a_window_of_counters_is_remembered() {
    let (mut sender, mut receiver) = (den(), den());
    let sent: Vec<Envelope> = (1..=200).map(|id| sealed(&mut sender, id, "hello")).collect();
    assert_eq!(order_of(&mut receiver, &sent[100], 1), Order::CannotTell);
    assert_eq!(order_of(&mut receiver, &sent[36], 2), Order::CannotTell);
    assert_eq!(order_of(&mut receiver, &sent[37], 3), Order::Older);
    assert_eq!(order_of(&mut receiver, &sent[37], 4), Order::Repeated);
    assert_eq!(order_of(&mut receiver, &sent[199], 5), Order::Missing(98));
    assert_eq!(order_of(&mut receiver, &sent[100], 6), Order::CannotTell);
}

#[test]
fn members_that_saw_the_same_agree() {
    let (mut one, mut other) = (den(), den());
    let first = sealed(&mut one, 1, "first");
    assert_eq!(deliver(&mut one, &first, 1).unwrap().facts.view, View::CannotTell);
    deliver(&mut other, &first, 1).unwrap();
    let answer = sealed(&mut other, 2, "second");
    assert_eq!(deliver(&mut one, &answer, 2).unwrap().facts.view, View::Same);

    // Who came later has nothing to compare.
    assert_eq!(deliver(&mut den(), &answer, 2).unwrap().facts.view, View::CannotTell);
}

#[test]
fn a_server_that_shows_different_things_is_noticed() {
    let (mut one, mut other) = (den(), den());
    let (yes, no) = (sealed(&mut one, 1, "yes"), sealed(&mut one, 2, "no"));
    deliver(&mut one, &yes, 1).unwrap();
    deliver(&mut other, &no, 1).unwrap();
    let answer = sealed(&mut other, 3, "agreed");
    assert_eq!(deliver(&mut one, &answer, 2).unwrap().facts.view, View::Differs);

    // A number under which a third member got no sealed message at all.
    let mut third = den();
    third.watch(1);
    assert_eq!(deliver(&mut third, &answer, 2).unwrap().facts.view, View::Differs);
}

#[test]
fn two_swapped_messages_are_noticed() {
    let (mut sender, mut receiver) = (den(), den());
    let sent: Vec<Envelope> = (1..=3).map(|id| sealed(&mut sender, id, "hello")).collect();
    order_of(&mut receiver, &sent[0], 1);
    assert_eq!(order_of(&mut receiver, &sent[2], 2), Order::Missing(1));
    assert_eq!(order_of(&mut receiver, &sent[1], 3), Order::Older);
}

#[test]
fn an_unopened_message_is_no_different_view() {
    let (mut one, mut other) = (den(), den());
    let first = sealed(&mut one, 1, "first");
    let mut late = SealedRoom::new("den", None, &mut SystemRandom).unwrap();
    assert!(deliver(&mut late, &first, 1).is_err());
    deliver(&mut other, &first, 1).unwrap();
    late.accept(&EPOCHS.first.0, EPOCHS.first.1.clone()).unwrap();
    assert_eq!(deliver(&mut late, &sealed(&mut other, 2, "second"), 2).unwrap().facts.view, View::Same);
}

#[test]
fn a_hole_in_the_numbers_ends_what_was_watched() {
    let (mut one, mut other) = (den(), den());
    let first = sealed(&mut one, 1, "first");
    deliver(&mut other, &first, 5).unwrap();
    let answer = sealed(&mut other, 2, "second");
    let mut late = den();
    late.watch(3);
    late.watch(6);
    assert_eq!(deliver(&mut late, &answer, 7).unwrap().facts.view, View::CannotTell);
}
