//! The whole screen: title, connections, observations or what is open, held frames, problems, and
//! the line of the keys.

use std::net::SocketAddr;

use glassline_tap::wrapped;
use ratatui::Frame as Screen;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::holds::GiveUpTime;
use super::palette::Palette;
use super::state::{HOLDS_ALL, Mode, Purpose, State};
use super::{detail_pane, frames_pane, help, holds, note_pane, page};
use crate::tap::columns::{cut, safe};
use crate::tap::running::NoServer;

/// Rows from which connections are shown.
const ROWS_FOR_CONNECTIONS: u16 = 12;
/// Connections that are shown, unless the user wants more.
const CONNECTIONS_SHOWN: u16 = 3;
/// Rows of a problem; its row in the list opens to all of it.
const PROBLEM_ROWS_MAX: usize = 4;
const HINTS: &str = "? help  Enter open  f filter  / search  Space pause  h hold  q quit";

/// Parts of the title that no observation changes.
#[derive(Debug)]
pub(crate) struct Title {
    /// Address of the tap.
    pub(crate) listens: SocketAddr,
    /// Address of the server.
    pub(crate) to: SocketAddr,
    /// Number of rules, in words.
    pub(crate) rules: Option<String>,
    /// Recording, in words.
    pub(crate) recording: Option<String>,
    /// Secure links end at the tap.
    pub(crate) is_intercepting: bool,
    /// Seed of the rules.
    pub(crate) seed: Option<u64>,
    /// False if nothing listened on the server's address when the tap started.
    pub(crate) has_server: bool,
}

/// Draws everything.
pub(super) fn draw(state: &mut State, title: &Title, palette: Palette, now_us: u64, screen: &mut Screen<'_>) {
    let area = screen.area();
    let mut rest = Rows { area };
    let buffer = screen.buffer_mut();
    title_row(state, title, palette, now_us, rest.first(1), buffer);
    let bottom = rest.last(1);
    wrong_line_rows(state, palette, &mut rest, buffer);
    problem_rows(state, palette, area.height, &mut rest, buffer);
    held_rows(state, palette, now_us, &mut rest, buffer);
    connection_rows(state, palette, area.height, &mut rest, buffer);
    let clock = state.clock.clone();
    match &mut state.mode {
        Mode::Detail { frame, fields, scroll } => {
            *scroll = detail_pane::draw((frame, fields), *scroll, (&clock, palette), rest.area, buffer);
        }
        Mode::Note { columns, scroll } => {
            let rows = note_pane::rows(columns, rest.area.width.into());
            *scroll = page::draw(&rows, *scroll, palette, rest.area, buffer);
        }
        Mode::Help { scroll } => {
            *scroll = page::draw(&help::rows(rest.area.width.into()), *scroll, palette, rest.area, buffer);
        }
        Mode::List | Mode::Typing { .. } if state.entries.len() == 0 => empty(state, title, rest.area, buffer),
        Mode::List | Mode::Typing { .. } => frames_pane::draw(state, palette, rest.area, buffer),
    }
    if let Some(cursor) = bottom_row(state, palette, bottom, buffer) {
        screen.set_cursor_position(cursor);
    }
}

/// The rows that are still free.
struct Rows {
    area: Rect,
}

impl Rows {
    fn first(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.area.height);
        let taken = Rect { height: rows, ..self.area };
        self.area.y += rows;
        self.area.height -= rows;
        taken
    }

    fn last(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.area.height);
        self.area.height -= rows;
        Rect { y: self.area.bottom(), height: rows, ..self.area }
    }
}

/// Puts a text into a row of its own.
fn put(buffer: &mut Buffer, row: Rect, text: &str, style: Style) {
    if row.height > 0 {
        buffer.set_stringn(row.x, row.y, cut(text, row.width.into()), row.width.into(), style);
    }
}

fn title_row(state: &mut State, title: &Title, palette: Palette, now_us: u64, row: Rect, buffer: &mut Buffer) {
    let mut states = Vec::new();
    if let Some(passed) = state.paused() {
        states.push(format!("PAUSED, {passed} passed"));
    }
    if state.omitted() > 0 {
        states.push(format!("SAMPLED: {} observations not shown", state.omitted()));
    }
    if let Some(held) = state.holds.filter_line() {
        states.push(format!("HOLDING {}", safe(held)));
    }
    if !state.filter_line().is_empty() {
        states.push(format!("filter {}", safe(state.filter_line())));
    }
    if title.is_intercepting {
        states.push("INTERCEPTING".into());
    }
    states.push(format!("{}/s", state.rate.per_second(now_us)));
    let applied = (state.applied() > 0).then(|| format!("{} applied", state.applied()));
    let rules: Vec<String> = [title.rules.clone(), applied].into_iter().flatten().collect();
    // Each part has its place. Where not all of them fit, those that the user knows go first, and of
    // the recording it stays to be seen that there is one.
    let spaced = |text: &str| if text.is_empty() { String::new() } else { format!("{text}  ") };
    let mut parts = [
        "glassline tap ".to_owned(),
        spaced(&format!("{} > {}", title.listens, title.to)),
        spaced(&states.join("  ")),
        spaced(&rules.join(", ")),
        spaced(title.recording.as_deref().unwrap_or_default()),
        title.seed.map(|seed| format!("seed {seed}")).unwrap_or_default(),
    ];
    let recording = if title.recording.is_some() { "recording" } else { "" };
    for (part, shorter) in [(5, ""), (0, ""), (4, recording), (1, ""), (3, ""), (4, "")] {
        if parts.concat().trim_end().width() <= row.width.into() {
            break;
        }
        shorter.clone_into(&mut parts[part]);
    }
    put(buffer, row, parts.concat().trim_end(), palette.heading());
}

fn connection_rows(state: &State, palette: Palette, height: u16, rest: &mut Rows, buffer: &mut Buffer) {
    if height < ROWS_FOR_CONNECTIONS
        || matches!(state.mode, Mode::Detail { .. } | Mode::Note { .. } | Mode::Help { .. })
    {
        return;
    }
    let rows = if state.shows_more_connections() { height / 2 } else { CONNECTIONS_SHOWN };
    let shown = state.connections.newest(rows.into());
    if shown.is_empty() {
        return;
    }
    put(buffer, rest.first(1), &format!("connections: {} open", state.connections.open_count()), palette.heading());
    for (number, connection) in shown {
        let style = if connection.is_open() { Style::new() } else { Style::new().add_modifier(Modifier::DIM) };
        put(buffer, rest.first(1), &format!("  {}", connection.line(number, &state.clock)), style);
    }
}

fn held_rows(state: &State, palette: Palette, now_us: u64, rest: &mut Rows, buffer: &mut Buffer) {
    let Some(ask) = state.holds.first() else { return };
    let style = palette.note().add_modifier(Modifier::REVERSED);
    let times = rest.last(1);
    let keys = rest.last(1);
    let row = rest.last(1);
    let frame = &ask.frame;
    let seconds_until = |at_us: u64| at_us.saturating_sub(now_us).div_ceil(1_000_000);
    let opened_us = state.connections.opened_us(frame.connection).unwrap_or(frame.at_us);
    let heard_us = state.connections.heard_before(frame).unwrap_or(frame.at_us);
    let give_up = match holds::gives_up(frame, opened_us, heard_us) {
        GiveUpTime::At(side, at_us) if at_us > now_us => format!("the {side} gives up in {} s", seconds_until(at_us)),
        GiveUpTime::At(side, _) => format!("the {side} may have given up"),
        GiveUpTime::Never => "neither side gives up".into(),
        GiveUpTime::Unknown => "unknown when a side gives up".into(),
    };
    let others = match state.holds.len() {
        1 => String::new(),
        2 => ", 1 more waits".into(),
        count => format!(", {} more wait", count - 1),
    };
    let speaker = safe(ask.meaning.speaker.as_deref().unwrap_or("-"));
    let text = safe(holds::text(ask).or_else(|| holds::payload(ask)).unwrap_or("bytes that are no text"));
    put(buffer, row, &format!("HELD {} {speaker}: {text}", frame.id()), style);
    let hints = match state.mode {
        Mode::Typing { purpose: Purpose::Text(_) | Purpose::Payload(_), .. } => {
            "Enter forwards it as typed  Esc leaves it held"
        }
        // Its keys are letters now.
        Mode::Typing { .. } => "Enter or Esc ends the line below, then e, E, p and d decide",
        _ => "e text  E payload  p pass  d drop",
    };
    put(buffer, keys, hints, style);
    let left = seconds_until(ask.deadline_us);
    put(buffer, times, &format!("{left} s left, {give_up}{others}"), style);
}

/// Says what the tap is and how to send something through it.
fn empty(state: &State, title: &Title, area: Rect, buffer: &mut Buffer) {
    let has_filter = !state.entries.filter().is_empty();
    // On the machine itself a join without a link is in plaintext, of which nothing is intercepted.
    let link = if title.is_intercepting { " --link tls" } else { "" };
    let join = format!("Join through the tap:  glassline join {}{link}", title.listens);
    let mut lines = if has_filter {
        vec!["Nothing that is kept matches the filter.".to_owned(), "Esc removes it.".into()]
    } else {
        vec![
            "Waiting for a connection.".into(),
            join,
            "The tap shows and can change what passes on a line.".into(),
            "Use it on your own systems only.".into(),
        ]
    };
    if !has_filter && !title.has_server {
        lines.push(String::new());
        lines.extend(wrapped(&format!("! {}", NoServer(title.to)), area.width.into()));
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        put(buffer, Rect { y, height: 1, ..area }, &line, Style::new());
    }
}

/// Shows the last problem, with its advice where there is room.
fn problem_rows(state: &State, palette: Palette, height: u16, rest: &mut Rows, buffer: &mut Buffer) {
    let Some(problem) = state.last_problem() else { return };
    let most = match height {
        0..=4 => return,
        5..ROWS_FOR_CONNECTIONS => 1,
        ROWS_FOR_CONNECTIONS.. => PROBLEM_ROWS_MAX,
    };
    let width = usize::from(rest.area.width);
    let mut rows = wrapped(&format!("! {} (Esc removes this)", safe(problem)), width);
    if rows.len() > most {
        let rest = rows.split_off(most - 1).join(" ");
        rows.push(cut(&rest, width));
    }
    for row in rows.iter().rev() {
        put(buffer, rest.last(1), row, palette.problem());
    }
}

/// Says in full what is wrong with the line that is typed.
fn wrong_line_rows(state: &State, palette: Palette, rest: &mut Rows, buffer: &mut Buffer) {
    let (Mode::Typing { .. }, Some(wrong)) = (&state.mode, state.message()) else { return };
    let rows = wrapped(&safe(&format!("{wrong} (Esc leaves)")), rest.area.width.into());
    for row in rows.iter().rev() {
        put(buffer, rest.last(1), row, palette.problem());
    }
}

/// Draws the line that is typed, the answer to the last key, or the keys. Returns where the cursor
/// is to stand, if somewhere.
fn bottom_row(state: &State, palette: Palette, row: Rect, buffer: &mut Buffer) -> Option<Position> {
    let Mode::Typing { purpose, line } = &state.mode else {
        match state.message() {
            Some(message) => put(buffer, row, &safe(message), palette.note()),
            None => put(buffer, row, HINTS, palette.heading()),
        }
        return None;
    };
    if row.height == 0 {
        return None;
    }
    let prompt = match purpose {
        Purpose::Filter => "filter: ".to_owned(),
        Purpose::Search => "search: ".into(),
        Purpose::Jump => "jump to: ".into(),
        Purpose::Hold => format!("hold frames that match ({HOLDS_ALL}: every one): "),
        Purpose::Text(_) => "text: ".into(),
        Purpose::Payload(_) => "payload: ".into(),
    };
    let width = usize::from(row.width);
    let prompt = cut(&prompt, width / 2);
    let (before, behind) = line.shown();
    // The end of a long line, so that the cursor is on the screen.
    let room = width.saturating_sub(prompt.width() + 1);
    let before = end_of(&before, room);
    buffer.set_stringn(row.x, row.y, format!("{prompt}{before}{behind}"), width, palette.note());
    let column = (prompt.width() + before.width()).min(width.saturating_sub(1));
    Some(Position { x: row.x + column as u16, y: row.y })
}

/// Returns as much of the end of a text as fits.
fn end_of(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let fits = text.char_indices().rev().take_while(|(_, character)| {
        used += character.width().unwrap_or(0);
        used <= columns
    });
    &text[fits.last().map_or(text.len(), |(at, _)| at)..]
}

#[cfg(test)]
mod tests;
