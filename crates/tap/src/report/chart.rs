//! The timeline of a report as SVG: when each person talks.

#![expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "places in a picture")]

use std::collections::{BTreeMap, BTreeSet};

use glassline_wire::visible;
use maud::{Markup, html};

use super::knowledge::{Knowledge, Mark};
use super::rows::duration;
use crate::frame::Direction;

/// Rows of the timeline, and nodes of the graph; more would not be readable.
pub(super) const ROWS_MAX: usize = 60;
/// Width of the timeline's names, its plot, and the height of a row, in pixels.
const NAMES_WIDTH: f64 = 160.0;
const PLOT_WIDTH: f64 = 800.0;
const ROW_HEIGHT: f64 = 26.0;
/// Characters of a name in a picture.
const LABEL_CHARS_MAX: usize = 20;

pub(super) fn label(name: &str) -> String {
    let name = visible::one_line(name);
    match name.char_indices().nth(LABEL_CHARS_MAX) {
        None => name.into_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// Rows of the timeline: people by name with all their connections, then connections without one.
struct Rows {
    labels: Vec<String>,
    by_connection: BTreeMap<u64, usize>,
    left_out: usize,
}

impl Rows {
    fn of(knowledge: &Knowledge) -> Self {
        let mut people: BTreeMap<(bool, String), Vec<u64>> = BTreeMap::new();
        for (number, facts) in &knowledge.connections {
            let person = match &facts.name {
                Some(name) => (false, name.clone()),
                None => (true, format!("connection {number}")),
            };
            people.entry(person).or_default().push(*number);
        }
        let left_out = people.len().saturating_sub(ROWS_MAX);
        let mut rows = Self { labels: Vec::new(), by_connection: BTreeMap::new(), left_out };
        for ((_, name), connections) in people.into_iter().take(ROWS_MAX) {
            rows.by_connection.extend(connections.into_iter().map(|number| (number, rows.labels.len())));
            rows.labels.push(label(&name));
        }
        rows
    }
}

/// People as rows, frames as marks: above the row's line to the server, below it to the client.
pub(super) fn timeline(knowledge: &Knowledge) -> Markup {
    let Some((first_us, last_us)) = knowledge.span_us() else { return html! {} };
    let span_us = (last_us - first_us).max(1) as f64;
    let rows = Rows::of(knowledge);
    let height = ROW_HEIGHT * (rows.labels.len() as f64 + 1.0);
    let y = |row: usize| ROW_HEIGHT * (row as f64 + 0.5);
    let x = |at_us: u64| NAMES_WIDTH + PLOT_WIDTH * at_us.saturating_sub(first_us) as f64 / span_us;
    html! {
        figure {
            figcaption { "Times of the frames, over " (duration(first_us, last_us)) }
            p { "Above the line to the server, below it to the client." }
            svg.timeline viewBox={ "0 0 " (NAMES_WIDTH + PLOT_WIDTH + 10.0) " " (height) } role="img" width="100%"
                aria-label="Timeline: people as rows, frames as marks" {
                @for (row, name) in rows.labels.iter().enumerate() {
                    text x="0" y=(y(row) + 4.0) { (name) }
                    line.axis x1=(NAMES_WIDTH) x2=(NAMES_WIDTH + PLOT_WIDTH) y1=(y(row)) y2=(y(row)) {}
                }
                @for mark in distinct(knowledge.marks.kept(), span_us) {
                    @if let Some(row) = rows.by_connection.get(&mark.connection) {
                        (mark_at(mark, x(mark.at_us), y(*row)))
                    }
                }
                text x=(NAMES_WIDTH) y=(height - 8.0) { "0 s" }
                text x=(NAMES_WIDTH + PLOT_WIDTH) y=(height - 8.0) text-anchor="end" { (duration(first_us, last_us)) }
            }
            @if knowledge.marks.every() > 1 { p { "One of " (knowledge.marks.every()) " frames has a mark." } }
            @if knowledge.frames_left_out > 0 {
                p { (knowledge.frames_left_out) " frames belong to connections beyond the limit, which are not drawn." }
            }
            @if rows.left_out > 0 { p { (rows.left_out) " more rows are not drawn." } }
        }
    }
}

/// One mark for each place in the picture: marks that would cover each other are drawn once.
fn distinct(marks: &[Mark], span_us: f64) -> Vec<&Mark> {
    let mut taken = BTreeSet::new();
    let first_us = marks.iter().map(|mark| mark.at_us).min().unwrap_or_default();
    let column = |mark: &Mark| (2.0 * PLOT_WIDTH * (mark.at_us - first_us) as f64 / span_us) as u64;
    marks.iter().filter(|mark| taken.insert((mark.connection, mark.direction, column(mark)))).collect()
}

fn mark_at(mark: &Mark, x: f64, y: f64) -> Markup {
    let (class, top, where_to) = match mark.direction {
        Direction::ToServer => ("up", y - 9.0, "to the server"),
        Direction::ToClient => ("down", y + 2.0, "to the client"),
    };
    html! {
        rect class=(class) x=(format!("{:.1}", x - 1.0)) y=(top) width="2" height="7" {
            title { (mark.evidence) ": " (mark.bytes) " bytes " (where_to) }
        }
    }
}

/// A number of pixels as it is written.
pub(super) fn px(value: f64) -> String {
    format!("{value:.1}")
}
