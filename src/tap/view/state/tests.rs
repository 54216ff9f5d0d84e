//! Effects of keys and observations on the state.

use glassline_tap::rules::{Action as RuleAction, Edit as FieldEdit, Matcher};
use glassline_tap::{Applied, Ask, Rule};

use super::*;
use crate::tap::generator::Generator;
use crate::tap::view::holds::HoldChange;

/// A view on which a connection was opened.
fn opened() -> (State, Generator) {
    let generator = Generator::new(11);
    let mut state = State::new(Clock::system());
    state.observe(generator.opened());
    (state, generator)
}

fn typed(state: &mut State, open: Action, text: &str) {
    state.act(open);
    state.act(Action::Type(Edit::DeleteToStart));
    state.act(Action::Type(Edit::Insert(text.into())));
    state.act(Action::Enter);
}

fn selected(state: &State) -> String {
    let number = state.entries.number(state.cursor.place(&state.entries)).expect("a report");
    state.clock.columns(state.entries.get(number).expect("it is kept")).text
}

/// Question of the line about a frame that it holds.
fn asked(sent: &Observation, deadline_us: u64) -> Observation {
    let Observation::Arrived(frame, meaning) = sent.clone() else { panic!("a frame") };
    let (rule, decider) = ("by-hand".into(), Decider::Hand);
    Observation::Asked(Box::new(Ask { frame, meaning: *meaning, rule, decider, deadline_us }))
}

#[test]
fn a_search_stays_where_it_found_something() {
    let (mut state, mut generator) = opened();
    for text in ["red", "green", "red", "blue"] {
        state.observe(generator.received("bob", text));
    }
    typed(&mut state, Action::Search, "red");
    assert_eq!((selected(&state).as_str(), state.cursor.place(&state.entries)), ("red", 3));
    state.act(Action::SearchPrevious);
    assert_eq!(state.cursor.place(&state.entries), 1);
    state.act(Action::SearchPrevious);
    assert_eq!((state.cursor.place(&state.entries), state.message()), (1, Some("nothing older matches red")));
    state.act(Action::SearchNext);
    state.observe(generator.received("bob", "later"));
    assert_eq!(state.cursor.place(&state.entries), 3);
}

#[test]
fn a_jump_goes_to_a_frame_or_a_time() {
    let (mut state, mut generator) = opened();
    for text in ["one", "two", "three"] {
        state.observe(generator.sent(text));
    }
    typed(&mut state, Action::Jump, "1>4");
    assert_eq!(selected(&state), "two");
    typed(&mut state, Action::Jump, "00:00:00");
    assert_eq!(selected(&state), "one");
    for wrong in ["9>9", "nowhere", "1<1"] {
        typed(&mut state, Action::Jump, wrong);
        assert!(state.message().is_some() && state.is_typing(), "{wrong}");
        state.act(Action::Escape);
    }
    assert_eq!(selected(&state), "one");
}

#[test]
fn a_pause_keeps_what_is_shown_and_shows_the_rest_later() {
    let (mut state, mut generator) = opened();
    state.observe(generator.sent("before"));
    state.act(Action::Pause);
    for _ in 0..3 {
        state.observe(generator.sent("during"));
    }
    state.observe(Observation::Omitted { observations: 6, frames: 4 });
    assert_eq!((state.entries.len(), state.paused()), (2, Some(7)));
    state.observe(Observation::Problem { connection: None, at_us: 0, text: "the disk is full".into() });
    assert_eq!((state.entries.len(), state.last_problem()), (3, Some("the disk is full")));
    state.act(Action::Filter);
    state.act(Action::Enter);
    assert_eq!(state.entries.len(), 3, "a filter shows nothing of the pause");
    state.act(Action::Pause);
    assert_eq!(state.message(), Some("7 frames passed during the pause"));
    assert_eq!(state.entries.len(), 7);
}

#[test]
fn every_row_is_found_and_opened() {
    let (mut state, mut generator) = opened();
    let sent = generator.sent("noon");
    state.observe(sent.clone());
    let effect = "edited: text \"noon\" > \"midnight\"".to_owned();
    let (rule, frame) = ("by-hand".into(), "1>3".parse().expect("an id"));
    let applied = Applied { seed: 7, rule, frame, offset: 5, at_us: 0, effect, has_effect: true };
    state.observe(Observation::Applied(applied));
    state.observe(Observation::Problem { connection: None, at_us: 0, text: "the disk is full".into() });
    for (word, shown) in [
        ("midnight", "+ by-hand: edited: text \"noon\" > \"midnight\" (byte 5)"),
        ("disk", "! the disk is full"),
        ("opened", "* opened by 127.0.0.1:50000"),
    ] {
        state.act(Action::Last);
        state.act(Action::Down);
        state.observe(generator.sent("later"));
        typed(&mut state, Action::Search, word);
        state.act(Action::Enter);
        let Mode::Note { columns, .. } = &state.mode else { panic!("{word}: {:?}", state.mode) };
        assert_eq!(columns.text, shown);
        state.act(Action::Enter);
        assert!(matches!(state.mode, Mode::List));
    }
    // The frame shows both versions.
    typed(&mut state, Action::Jump, "1>3");
    state.act(Action::Enter);
    let Mode::Detail { fields, .. } = &state.mode else { panic!("{:?}", state.mode) };
    let both = fields.iter().map(|field| format!("{}: {}", field.name, field.value)).collect::<Vec<_>>().join("\n");
    assert!(both.contains("text: noon\n") && both.ends_with("by-hand: edited: text \"noon\" > \"midnight\""), "{both}");
}

#[test]
fn an_edited_text_is_what_the_line_is_told() {
    let (mut state, mut generator) = opened();
    typed(&mut state, Action::Hold, "name:alice");
    let Some(HoldChange::Start(rule)) = state.holds.take_change() else { panic!("a rule") };
    assert!(matches!(*rule, Rule { action: RuleAction::Hold { .. }, .. }), "{rule:?}");
    let sent = generator.sent("noon");
    state.observe(sent.clone());
    state.observe(asked(&sent, u64::MAX));
    typed(&mut state, Action::EditText, "midnight");
    let decisions = state.holds.take_decisions();
    let edit = FieldEdit::Set { field: "text".into(), value: "midnight".into() };
    assert_eq!(decisions, [("1>3".parse().expect("an id"), Decision::Edit(vec![edit]))]);
    assert_eq!((state.holds.len(), state.is_typing()), (0, false));
}

#[test]
fn an_edit_that_changes_nothing_passes_it_unchanged() {
    for edit in [Action::EditText, Action::EditPayload] {
        let (mut state, mut generator) = opened();
        let sent = generator.sent("noon");
        state.observe(asked(&sent, u64::MAX));
        state.act(edit);
        state.act(Action::Enter);
        assert_eq!(state.holds.take_decisions(), [("1>3".parse().expect("an id"), Decision::Pass)]);
        assert_eq!(state.message(), Some("forwarded unchanged"));
    }
}

#[test]
fn what_is_held_passes_when_holding_stops() {
    let (mut state, mut generator) = opened();
    typed(&mut state, Action::Hold, "");
    assert_eq!((state.holds.take_change(), state.is_typing()), (None, false), "nothing typed holds nothing");
    typed(&mut state, Action::Hold, "all");
    let Some(HoldChange::Start(rule)) = state.holds.take_change() else { panic!("a rule") };
    assert_eq!(rule.matcher, Matcher::default());
    for text in ["one", "two"] {
        let sent = generator.sent(text);
        state.observe(asked(&sent, u64::MAX));
    }
    state.act(Action::Drop);
    state.act(Action::Hold);
    let decisions: Vec<_> = state.holds.take_decisions().into_iter().map(|(_, decision)| decision).collect();
    assert_eq!(decisions, [Decision::Drop, Decision::Pass]);
    assert_eq!(state.holds.take_change(), Some(HoldChange::Stop));
}

#[test]
fn an_edit_ends_with_the_time_or_the_connection() {
    for is_closed in [false, true] {
        let (mut state, mut generator) = opened();
        let sent = generator.sent("noon");
        state.observe(asked(&sent, 1_000));
        state.act(Action::EditText);
        state.advance(500);
        assert!(state.is_typing());
        if is_closed {
            state.observe(Observation::Closed { connection: 1, at_us: 600 });
        }
        state.advance(if is_closed { 700 } else { 1_000 });
        assert!(!state.is_typing() && state.message().is_some_and(|message| message.contains("waits no more")));
        state.act(Action::Pass);
        assert_eq!(state.holds.take_decisions(), []);
    }
}

#[test]
fn pages_are_left_by_any_key_that_they_do_not_take() {
    let (mut state, mut generator) = opened();
    state.observe(generator.sent("hello"));
    state.act(Action::Enter);
    state.act(Action::Down);
    assert!(matches!(state.mode, Mode::Detail { scroll: 1, .. }));
    state.act(Action::Filter);
    assert!(state.is_typing());
    state.act(Action::Escape);
    state.act(Action::Help);
    state.act(Action::Help);
    assert!(matches!(state.mode, Mode::List));
    state.act(Action::Quit);
    assert!(state.is_over());
}
