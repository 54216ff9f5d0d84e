//! Screens of the view, drawn into memory.

use glassline_tap::{Applied, Ask, Decider, Direction, Observation};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tap::columns::Clock;
use crate::tap::generator::Generator;
use crate::tap::view::input_line::Edit;
use crate::tap::view::keys::Action;

fn title() -> Title {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Title {
        listens: address(1235),
        to: address(1234),
        rules: Some("2 rules".into()),
        recording: Some("recording lesson.pcapng".into()),
        is_intercepting: false,
        seed: Some(123_456),
        has_server: true,
    }
}

/// Returns the rows of a screen.
fn screen(state: &mut State, columns: u16, rows: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("memory");
    terminal.draw(|screen| draw(state, &title(), Palette::from_environment(), 0, screen)).expect("memory");
    let cells = terminal.backend().buffer().content();
    cells.chunks(columns.into()).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
}

#[test]
fn the_join_through_an_interception_is_over_tls() {
    for (is_intercepting, join) in [(false, "glassline join 127.0.0.1:1235 "), (true, "127.0.0.1:1235 --link tls")] {
        let title = Title { is_intercepting, ..title() };
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).expect("memory");
        let mut state = State::new(Clock::system());
        terminal.draw(|screen| draw(&mut state, &title, Palette::from_environment(), 0, screen)).expect("memory");
        let text: String = terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
        assert!(text.contains(join), "{text}");
    }
}

/// A view with something of every kind in it.
fn busy() -> State {
    let mut generator = Generator::new(5);
    let mut state = State::new(Clock::system());
    state.observe(generator.opened());
    for _ in 0..50 {
        state.observe(generator.frame());
    }
    state.observe(generator.pass(Direction::ToClient, b"no frame \x1b[2J\x9b"));
    let (rule, effect) = ("drop-1".into(), "dropped".into());
    let applied =
        Applied { seed: 7, rule, frame: "1>3".parse().expect("an id"), offset: 0, at_us: 0, effect, has_effect: true };
    state.observe(Observation::Applied(applied));
    state.observe(Observation::Omitted { observations: 12_345, frames: 12_000 });
    state.observe(Observation::Problem { connection: None, at_us: 0, text: "the disk is full\u{1b}[2J".into() });
    state
}

#[test]
fn what_the_user_must_know_is_on_the_screen() {
    let shown = screen(&mut busy(), 140, 30).join("\n");
    for part in ["SAMPLED: 12345 observations not shown", "1 applied", "! the disk is full", "recording lesson.pcapng"]
    {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let narrow = screen(&mut busy(), 40, 30).join("\n");
    assert!(narrow.contains("SAMPLED: 12345") && narrow.contains("! the disk is full"), "{narrow}");
}

#[test]
fn the_title_has_one_order_and_drops_the_seed_first() {
    let title_of = |columns| screen(&mut State::new(Clock::system()), columns, 24)[0].trim_end().to_owned();
    let whole = "glassline tap 127.0.0.1:1235 > 127.0.0.1:1234  0/s  2 rules  recording lesson.pcapng  seed 123456";
    assert_eq!(title_of(140), whole);
    assert_eq!(title_of(90), whole.strip_suffix("  seed 123456").expect("its end"));
    let unnamed = "127.0.0.1:1235 > 127.0.0.1:1234  0/s  2 rules  recording lesson.pcapng";
    assert_eq!(title_of(80), unnamed);
    assert_eq!(title_of(60), unnamed.strip_suffix(" lesson.pcapng").expect("its end"));
    assert_eq!(title_of(50), "0/s  2 rules  recording");
    assert_eq!(title_of(14), "0/s  recording");
    assert_eq!(title_of(10), "0/s");
}

#[test]
fn the_keys_of_a_held_frame_stay_with_many_waiting() {
    let mut state = busy();
    let mut generator = Generator::new(5);
    for _ in 0..2 {
        let Observation::Arrived(frame, meaning) = generator.sent("noon") else { panic!("a frame") };
        let (rule, decider, meaning) = ("by-hand".into(), Decider::Hand, *meaning);
        state.observe(Observation::Asked(Box::new(Ask { frame, meaning, rule, decider, deadline_us: 60_000_000 })));
    }
    let rows = screen(&mut state, 80, 24);
    let keys = rows.iter().position(|row| row.starts_with("e text  E payload  p pass  d drop  ")).expect("the keys");
    assert!(rows[keys - 1].starts_with("HELD 1>3 alice: noon"), "{rows:#?}");
    let times = &rows[keys + 1];
    assert!(times.starts_with("60 s left, ") && times.contains(", 1 more waits"), "{times}");
}

#[test]
fn the_keys_of_a_held_frame_are_those_that_work() {
    let mut state = busy();
    let Observation::Arrived(frame, meaning) = Generator::new(5).sent("noon") else { panic!("a frame") };
    let (rule, decider, meaning) = ("by-hand".into(), Decider::Hand, *meaning);
    state.observe(Observation::Asked(Box::new(Ask { frame, meaning, rule, decider, deadline_us: 60_000_000 })));
    state.act(Action::EditText);
    let rows = screen(&mut state, 80, 24).join("\n");
    assert!(rows.contains("Enter forwards it as typed  Esc leaves it held") && !rows.contains("p pass"), "{rows}");
    state.act(Action::Escape);
    assert!(screen(&mut state, 80, 24).join("\n").contains("p pass"));
}

#[test]
fn a_missing_server_is_told_where_somebody_looks() {
    let waiting = Title { has_server: false, ..title() };
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("memory");
    let mut state = State::new(Clock::system());
    terminal.draw(|screen| draw(&mut state, &waiting, Palette::from_environment(), 0, screen)).expect("memory");
    let shown: String = terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("nothing listened on 127.0.0.1:1234") && shown.contains("glassline serve"), "{shown}");
}

#[test]
fn a_problem_shows_its_advice_until_it_is_over() {
    let text = "the server 127.0.0.1:1234 cannot be reached (connection refused): start the server, or name its \
                address with --to";
    let shown = |state: &mut State| {
        screen(state, 80, 24).join(" ").split_whitespace().collect::<Vec<_>>().join(" ").contains("with --to (Esc")
    };
    for ends_by in [None, Some(Generator::new(5).opened())] {
        let mut state = busy();
        state.observe(Observation::Problem { connection: Some(1), at_us: 0, text: text.into() });
        assert!(shown(&mut state));
        match ends_by {
            Some(opened) => state.observe(opened),
            None => state.act(Action::Escape),
        }
        assert!(!shown(&mut state));
    }
    let mut state = busy();
    state.observe(Generator::new(5).opened());
    assert_eq!(state.last_problem(), Some("the disk is full\u{1b}[2J"), "a connection does not mend it");
}

#[test]
fn a_rule_without_effect_is_a_problem_and_not_applied() {
    let mut state = busy();
    let (rule, effect) = ("edit-1".to_owned(), "has no effect: a frame that it matches has no field txt".to_owned());
    let frame = "1>3".parse().expect("an id");
    let applied = Applied { seed: 7, rule, frame, offset: 0, at_us: 0, effect, has_effect: false };
    state.observe(Observation::Applied(applied));
    let rows = screen(&mut state, 80, 24);
    assert!(rows[0].contains("1 applied") && rows.iter().any(|row| row.contains(" ! edit-1: has no")), "{rows:#?}");
    assert!(rows.join("\n").contains("\n! edit-1: has no effect"), "{rows:#?}");
}

#[test]
fn an_error_of_a_typed_line_is_shown_in_full() {
    let mut state = busy();
    state.act(Action::Filter);
    state.act(Action::Type(Edit::Insert("nme:bob".into())));
    state.act(Action::Enter);
    // It stays while the line is mended.
    state.act(Action::Type(Edit::Backspace));
    let rows = screen(&mut state, 80, 24);
    assert!(rows[23].starts_with("filter: nme:bo "), "{rows:#?}");
    let shown = rows[..23].join(" ");
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("nme: is no term; the terms are") && shown.ends_with("in quotes (Esc leaves)"), "{shown}");
}

#[test]
fn a_long_problem_is_read_in_full_where_the_row_is_too_short() {
    let mut state = busy();
    let long = format!("the recording stopped: {} and start again", "many words ".repeat(20));
    state.observe(Observation::Problem { connection: None, at_us: 0, text: long.clone() });
    state.act(Action::Enter);
    let shown = screen(&mut state, 80, 24).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&long.split_whitespace().collect::<Vec<_>>().join(" ")), "{shown}");
}

#[test]
fn a_help_that_goes_on_says_so() {
    let mut state = busy();
    state.act(Action::Help);
    let rows = screen(&mut state, 80, 24);
    assert!(rows.iter().any(|row| row.starts_with("more: Down, PageDown")), "{rows:#?}");
    state.act(Action::Last);
    let rows = screen(&mut state, 80, 24).join("\n");
    assert!(!rows.contains("more: Down") && rows.contains("by the specification"), "{rows}");
}

#[test]
fn every_page_fits_every_size_without_controls() {
    for open in [None, Some(Action::Enter), Some(Action::Help), Some(Action::Filter), Some(Action::Connections)] {
        for columns in [1, 2, 7, 40, 59, 60, 80, 100, 250] {
            for rows in [1, 2, 3, 5, 11, 12, 24] {
                let mut state = busy();
                // The raw bytes, behind which three observations stand.
                for _ in 0..3 {
                    state.act(Action::Up);
                }
                open.clone().into_iter().for_each(|action| state.act(action));
                state.act(Action::Down);
                for row in screen(&mut state, columns, rows) {
                    assert!(!row.contains(char::is_control), "{columns} x {rows}: {row:?}");
                }
            }
        }
    }
}

#[test]
fn fields_stand_beside_their_bytes() {
    let mut generator = Generator::new(5);
    let mut state = State::new(Clock::system());
    state.observe(generator.sent("hello"));
    state.act(Action::Enter);
    let rows = screen(&mut state, 80, 24);
    let row =
        |part: &str| rows.iter().find(|row| row.contains(part)).unwrap_or_else(|| panic!("no {part} in {rows:#?}"));
    assert!(!rows.iter().any(|row| row.starts_with("more: ")), "{rows:#?}");
    let short = screen(&mut state, 80, 12);
    assert!(short.iter().any(|row| row.starts_with("more: Down, PageDown")), "{short:#?}");
    assert!(row("length: 55").starts_with("a 0000  35 35 20"), "{rows:#?}");
    let text = row("text: hello");
    assert!(text.starts_with('d') && text.contains("2c 22 74 65 78 74"), "{text}");
}
