//! The list of observations.

use glassline_tap::{Direction, Observation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::palette::Palette;
use super::state::State;
use crate::tap::columns::Columns;

/// Columns of the marker before a row.
const MARKER_COLUMNS: usize = 2;

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
    let heading = format!("  {}", heading.line(width.saturating_sub(MARKER_COLUMNS)));
    buffer.set_stringn(area.x, area.y, heading, width, palette.heading());
    let window = state.cursor.window(&state.entries, usize::from(area.height - 1));
    let selected = state.cursor.place(&state.entries);
    for (y, place) in (area.y + 1..area.bottom()).zip(window) {
        let Some(observation) = state.entries.number(place).and_then(|number| state.entries.get(number)) else {
            continue;
        };
        let marker = if place == selected { "> " } else { "  " };
        let line = format!("{marker}{}", state.clock.columns(observation).line(width.saturating_sub(MARKER_COLUMNS)));
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
        Observation::Applied(applied) if !applied.has_effect => palette.problem(),
        Observation::Opened { .. }
        | Observation::Intercepted { .. }
        | Observation::Asked(_)
        | Observation::Applied(_)
        | Observation::Ended { .. }
        | Observation::Closed { .. } => palette.note(),
    }
}
