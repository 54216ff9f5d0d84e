//! Screens of the view, drawn into memory.

use glassline_tap::{Applied, Direction, Observation};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tap::columns::Clock;
use crate::tap::generator::Generator;
use crate::tap::view::keys::Action;

fn title() -> Title {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    Title { listens: address(1235), to: address(1234), settings: "recording lesson.pcapng".into() }
}

/// Returns the rows of a screen.
fn screen(state: &mut State, columns: u16, rows: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("memory");
    terminal.draw(|screen| draw(state, &title(), Palette::from_environment(), 0, screen)).expect("memory");
    let cells = terminal.backend().buffer().content();
    cells.chunks(columns.into()).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
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
        Applied { seed: 7, rule, connection: 1, direction: Direction::ToServer, frame: 3, offset: 0, at_us: 0, effect };
    state.observe(Observation::Applied(applied));
    state.observe(Observation::Omitted { observations: 12_345, frames: 12_000 });
    state.observe(Observation::Problem { connection: None, at_us: 0, text: "the disk is full\u{1b}[2J".into() });
    state
}

#[test]
fn what_the_user_must_know_is_on_the_screen() {
    let shown = screen(&mut busy(), 140, 30).join("\n");
    for part in ["SAMPLED: 12345 reports not shown", "1 applied", "! the disk is full", "recording lesson.pcapng"] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let narrow = screen(&mut busy(), 40, 30).join("\n");
    assert!(narrow.contains("SAMPLED: 12345") && narrow.contains("! the disk is full"), "{narrow}");
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
    assert!(row("length: 55").starts_with("a 0000  35 35 20"), "{rows:#?}");
    let text = row("text: hello");
    assert!(text.starts_with('d') && text.contains("2c 22 74 65 78 74"), "{text}");
}
