//! The graph of who talks to whom, as SVG: people and rooms on a circle, an arrow for each pair.

#![expect(clippy::cast_precision_loss, reason = "places in a picture")]

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;

use maud::{Markup, html};

use super::chart::{ROWS_MAX, label, px};
use super::knowledge::Knowledge;
use super::rows::counted;
use super::utterances::Audience;

/// Room for names beside the circle, and above and below it, in pixels.
const NAMES_WIDTH: f64 = 180.0;
const NAMES_HEIGHT: f64 = 40.0;
/// Radius of the circle with few nodes, and with as many as are drawn.
const RADIUS_MIN: f64 = 110.0;
const RADIUS_MAX: f64 = 230.0;
/// Radius of a node, and the distance of its name.
const NODE_RADIUS: f64 = 7.0;
const NAME_DISTANCE: f64 = 14.0;
/// Part of its length by which an arrow is bent, so that there and back are two.
const BEND: f64 = 0.12;
/// Length and half the width of an arrow's head.
const HEAD: (f64, f64) = (11.0, 5.0);
/// Arrows that have their counts beside them; more would cover each other.
const COUNTS_MAX: usize = 100;

/// A place in the picture.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl Point {
    /// The place at this distance towards another one.
    fn towards(self, other: Self, distance: f64) -> Self {
        let length = (other.x - self.x).hypot(other.y - self.y).max(1.0);
        let part = distance / length;
        Self { x: self.x + part * (other.x - self.x), y: self.y + part * (other.y - self.y) }
    }
}

/// A person or a room on the circle.
#[derive(Debug, Clone, Copy)]
struct Node {
    at: Point,
    /// Direction from the middle, of length 1.
    outwards: Point,
}

/// Returns the nodes on a circle whose size grows with their number, and the middle.
fn circle<'names>(names: &BTreeSet<&'names String>) -> (BTreeMap<&'names String, Node>, Point) {
    let drawn = names.len().min(ROWS_MAX);
    let radius = RADIUS_MIN + (RADIUS_MAX - RADIUS_MIN) * drawn as f64 / ROWS_MAX as f64;
    let middle = Point { x: radius + NAMES_WIDTH, y: radius + NAMES_HEIGHT };
    let node = |index: usize| {
        let angle = TAU * index as f64 / drawn as f64;
        let outwards = Point { x: angle.cos(), y: angle.sin() };
        Node { at: Point { x: middle.x + radius * outwards.x, y: middle.y + radius * outwards.y }, outwards }
    };
    (names.iter().take(drawn).enumerate().map(|(index, name)| (*name, node(index))).collect(), middle)
}

/// Graph of who talks to whom: arrows as thick as messages are many.
pub(super) fn contacts(knowledge: &Knowledge) -> Markup {
    let mut edges: BTreeMap<(String, String), u64> = BTreeMap::new();
    for said in knowledge.utterances.all() {
        let to = match &said.audience {
            Audience::Room(room) => format!("room {room}"),
            Audience::Person(person) => person.clone(),
            Audience::Server => "the server".into(),
            Audience::Unnamed => "the room it is in".into(),
        };
        *edges.entry((said.speaker.clone(), to)).or_default() += 1;
    }
    if edges.is_empty() {
        return html! {};
    }
    let names: BTreeSet<&String> = edges.keys().flat_map(|(from, to)| [from, to]).collect();
    let (nodes, middle) = circle(&names);
    let has_counts = edges.len() <= COUNTS_MAX;
    html! {
        figure {
            figcaption { "Who talks to whom, and how many messages" }
            svg.contacts viewBox={ "0 0 " (px(2.0 * middle.x)) " " (px(2.0 * middle.y)) } role="img" width=(px(2.0 * middle.x))
                aria-label="Graph: people and rooms, arrows as thick as messages are many" {
                @for ((from, to), count) in &edges {
                    @if let (Some(a), Some(b)) = (nodes.get(from), nodes.get(to)) {
                        g {
                            title { (label(from)) " to " (label(to)) ": " (counted(*count, "message")) }
                            (arrow(*a, *b, *count, has_counts))
                        }
                    }
                }
                @for (name, node) in &nodes { (named(name, *node)) }
            }
            @if names.len() > nodes.len() { p { (names.len() - nodes.len()) " more people and rooms are not drawn." } }
        }
    }
}

/// An arrow, bent to its left; from a node to itself a small circle.
fn arrow(from: Node, to: Node, count: u64, has_count: bool) -> Markup {
    let thickness = format!("{:.1}", 1.0 + (count as f64).log2());
    let (a, b) = (from.at, to.at);
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    if dx.hypot(dy) < 1.0 {
        let inwards = Point { x: a.x - 16.0 * from.outwards.x, y: a.y - 16.0 * from.outwards.y };
        return html! {
            circle.edge cx=(px(inwards.x)) cy=(px(inwards.y)) r="16" stroke-width=(thickness) {}
            @if has_count { (number(Point { x: inwards.x, y: inwards.y + 4.0 }, count)) }
        };
    }
    let bend = Point { x: f64::midpoint(a.x, b.x) + BEND * dy, y: f64::midpoint(a.y, b.y) - BEND * dx };
    let (start, tip) = (a.towards(bend, NODE_RADIUS), b.towards(bend, NODE_RADIUS + 1.0));
    let base = tip.towards(bend, HEAD.0);
    let across = Point { x: (tip.y - base.y) / HEAD.0 * HEAD.1, y: (base.x - tip.x) / HEAD.0 * HEAD.1 };
    let corners = [
        tip,
        Point { x: base.x + across.x, y: base.y + across.y },
        Point { x: base.x - across.x, y: base.y - across.y },
    ];
    let corners: Vec<String> = corners.iter().map(|corner| format!("{},{}", px(corner.x), px(corner.y))).collect();
    // The middle of the curve.
    let halfway = |a: f64, bend: f64, b: f64| 0.25 * a + 0.5 * bend + 0.25 * b;
    let middle = Point { x: halfway(start.x, bend.x, base.x), y: halfway(start.y, bend.y, base.y) + 4.0 };
    let path =
        [start.x, start.y, bend.x, bend.y, base.x, base.y].map(px).chunks(2).map(|at| at.join(" ")).collect::<Vec<_>>();
    html! {
        path.edge d={ "M" (path[0]) " Q" (path[1]) " " (path[2]) } stroke-width=(thickness) {}
        polygon.head points=(corners.join(" ")) {}
        @if has_count { (number(middle, count)) }
    }
}

fn number(at: Point, count: u64) -> Markup {
    html! { text.count x=(px(at.x)) y=(px(at.y)) text-anchor="middle" { (count) } }
}

/// A node, with its name outside the circle, where no arrow runs.
fn named(name: &str, node: Node) -> Markup {
    let Node { at, outwards } = node;
    let anchor = match outwards.x {
        0.3.. => "start",
        ..-0.3 => "end",
        _ => "middle",
    };
    let (x, y) = (at.x + NAME_DISTANCE * outwards.x, at.y + (NAME_DISTANCE + 3.0) * outwards.y + 4.0);
    html! {
        circle.node cx=(px(at.x)) cy=(px(at.y)) r=(NODE_RADIUS) {}
        text x=(px(x)) y=(px(y)) text-anchor=(anchor) { (label(name)) }
    }
}
