//! The table as one page without scripts and without other files. `maud` escapes every text.

use maud::{Markup, html};

use super::{Cell, Table};
use crate::outcome::Outcome;

const TITLE: &str = "Attacks and schemes";
const STYLE: &str = include_str!("page.css");

pub(super) fn page(table: &Table) -> String {
    let content = html! {
        h1 { (TITLE) }
        p { "Each cell ran the attack beside honest messages of the same session. Open one for its transcript." }
        div.scrolls tabindex="0" role="region" aria-label="Table" { (grid(table)) }
        @for cell in table.cells() { (details(cell)) }
    };
    glassline_tap::page(TITLE, STYLE, &content)
}

fn grid(table: &Table) -> Markup {
    let schemes = table.schemes();
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "attack" }
                    @for scheme in &schemes { th scope="col" { (scheme) } }
                }
            }
            tbody {
                @for attack in table.attacks() {
                    tr {
                        th scope="row" { (attack.title()) br; small { (attack.source().name()) } }
                        @for scheme in &schemes {
                            @if let Some(cell) = table.cell(attack.id(), scheme) {
                                td.(class(cell)) { a href={ "#" (anchor(cell)) } { (cell.word()) } }
                            } @else { td {} }
                        }
                    }
                }
            }
        }
    }
}

fn details(cell: &Cell) -> Markup {
    html! {
        section id=(anchor(cell)) {
            h2 { (cell.attack().title()) " on " (cell.scheme()) ": " (cell.word()) }
            @match cell.result() {
                Ok(outcome) => { @if let Some(detail) = outcome.detail() { p { (detail) } } }
                Err(defect) => { p { (defect) } }
            }
            p { "Aim: " (cell.attack().aim()) ". Run it again with the same arguments and " code { (cell.replay()) } "." }
            ol { @for line in cell.transcript().lines() { li { bdi { (line) } } } }
            @if cell.transcript().omitted() > 0 { p { (cell.transcript().omitted()) " more lines are not kept." } }
        }
    }
}

fn class(cell: &Cell) -> &'static str {
    match cell.result() {
        Ok(Outcome::Stopped) => "stopped",
        Ok(Outcome::Detected) => "detected",
        Ok(Outcome::Succeeds) => "succeeds",
        Ok(Outcome::DoesNotApply(_) | Outcome::Measured(_)) => "other",
        Err(_) => "defect",
    }
}

fn anchor(cell: &Cell) -> String {
    let scheme: String = cell.scheme().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{}--{scheme}", cell.attack().id())
}
