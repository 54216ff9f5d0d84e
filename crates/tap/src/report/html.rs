//! The report as one HTML page without scripts and without other files. `maud` escapes every text.

use maud::{Markup, html};

use super::knowledge::Knowledge;
use super::rows::{Finding, Row};
use super::{chart, graph};
use glassline_wire::visible;

/// Findings of one row on the page; the text report has all of them.
const FINDINGS_MAX: usize = 1_000;
/// Bytes of a finding's words on the page, for the same reason: a browser has to draw them.
const WORDS_BYTES_MAX: usize = 4 * 1024;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(title: &str, rows: &[Row], knowledge: &Knowledge) -> String {
    let title = visible::one_line(title);
    let content = html! {
        h1 { "What an observer of " bdi { (title) } " knows" }
        @if let Some(loss) = &knowledge.loss { p { strong { "Incomplete: " (visible::one_line(loss)) } } }
        (summary(rows))
        (chart::timeline(knowledge))
        (graph::contacts(knowledge))
        @for row in rows { (section(row)) }
    };
    crate::page(&format!("What an observer of {title} knows"), STYLE, &content)
}

fn summary(rows: &[Row]) -> Markup {
    html! {
        table {
            caption { "Summary" }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" { a href={ "#" (anchor(row)) } { (row.id.title()) } }
                        td { (row.summary) }
                    }
                }
            }
        }
    }
}

fn section(row: &Row) -> Markup {
    html! {
        section id=(anchor(row)) {
            h2 { (row.id.title()) }
            p { (row.summary) }
            @if !row.findings.is_empty() {
                div.scrolls tabindex="0" role="region" aria-label=(row.id.title()) {
                    table {
                        thead { tr { th scope="col" { "Finding" } th scope="col" { "Evidence" } } }
                        tbody { @for finding in row.findings.iter().take(FINDINGS_MAX) { (line(finding)) } }
                    }
                }
            }
            @if row.findings.len() > FINDINGS_MAX {
                p { (row.findings.len() - FINDINGS_MAX) " more are in the text report, not on this page." }
            }
        }
    }
}

fn line(finding: &Finding) -> Markup {
    let words = &finding.words[..finding.words.floor_char_boundary(WORDS_BYTES_MAX)];
    html! {
        tr {
            td {
                bdi { (words) }
                @if words.len() < finding.words.len() { "… (the text report has all of it)" }
            }
            td.evidence { (finding.proof) }
        }
    }
}

fn anchor(row: &Row) -> String {
    format!("{:?}", row.id).to_lowercase()
}
