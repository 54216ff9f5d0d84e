//! The list of observations.

use glassline_tap::{Direction, Observation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::palette::Palette;
use super::state::State;
use crate::tap::columns::{Columns, cut};

/// Columns from which all of an observation is shown, with milliseconds and room.
const WIDE: usize = 100;
/// Columns from which all of it is shown in narrow columns.
const USUAL: usize = 78;
/// Columns from which the time is shown.
const MEDIUM: usize = 50;

/// Draws the heading and as many observations as there is room for.
pub(super) fn draw(state: &mut State, palette: Palette, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let width = usize::from(area.width);
    let heading = Columns {
        time: "time".into(),
        id: "frame".into(),
        dialect: "dialect",
        length: "bytes".into(),
        speaker: "speaker".into(),
        room: "room".into(),
        text: "text".into(),
    };
    let heading = format!("  {}", row(&heading, width.saturating_sub(2), true));
    buffer.set_stringn(area.x, area.y, heading, width, palette.heading());
    let window = state.cursor.window(&state.entries, usize::from(area.height - 1));
    let selected = state.cursor.place(&state.entries);
    for (y, place) in (area.y + 1..area.bottom()).zip(window) {
        let Some(observation) = state.entries.number(place).and_then(|number| state.entries.get(number)) else {
            continue;
        };
        let is_frame = matches!(observation, Observation::Arrived(..));
        let marker = if place == selected { "> " } else { "  " };
        let line = format!("{marker}{}", row(&state.clock.columns(observation), width.saturating_sub(2), is_frame));
        let style = style(observation, palette);
        let style = if place == selected { style.add_modifier(Modifier::REVERSED) } else { style };
        // As wide as the pane, so that the whole row is marked.
        buffer.set_stringn(area.x, y, format!("{line:<width$}"), width, style);
    }
}

fn style(observation: &Observation, palette: Palette) -> Style {
    match observation {
        Observation::Arrived(frame, _) => match frame.direction {
            Direction::ToServer => palette.to_server(),
            Direction::ToClient => palette.to_client(),
        },
        Observation::Problem { .. } | Observation::Omitted { .. } => palette.problem(),
        Observation::Opened { .. }
        | Observation::Intercepted { .. }
        | Observation::Asked(_)
        | Observation::Applied(_)
        | Observation::Ended { .. }
        | Observation::Closed { .. } => palette.note(),
    }
}

/// Returns one row: the columns for which there is room.
fn row(columns: &Columns, width: usize, is_frame: bool) -> String {
    let Columns { id, speaker, text, .. } = columns;
    let time = columns.time.get(..8).unwrap_or(&columns.time);
    if width + 2 >= WIDE {
        return columns.line(width);
    }
    if width + 2 >= USUAL && (is_frame || id == "frame") {
        let Columns { dialect, length, room, .. } = columns;
        let (speaker, room) = (cut(speaker, 8), cut(room, 8));
        return cut(&format!("{time:<8} {id:<6} {dialect:<8} {length:>5} {speaker:<8} {room:<8} {text}"), width);
    }
    let said = if is_frame && !speaker.is_empty() { format!("{speaker}: {text}") } else { text.clone() };
    let line = if width + 2 >= MEDIUM { format!("{time:<8} {id:<7} {said}") } else { format!("{id:<6} {said}") };
    cut(&line, width)
}
