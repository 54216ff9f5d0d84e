//! Terms that no identifier may bear any more: metaphors that standard terms of the field replaced.

use std::collections::HashMap;

/// Replaced terms, each with the term to use. Only terms that mean nothing else in this workspace.
const REPLACED: &str = "\
    Owed ReplaySegment, forgive cancel_replay, Outlet SendQueue, let_go release, Whom Target, Restraint \
    Sanction, Happening AuditEvent, Expelled Disconnect, obey execute, Obeyed CommandOutcome, Rehearsal \
    TestSession, FarEnd Pipe, take_news take_readiness, whereabouts whois or current_room, least_hopeful \
    eviction_victim, Handover ExternalEditor, handover external_editor, Beside StatusContext, Diary \
    Oracle, diary oracle, Student TutorialSession, strike inject_fault, unrest fault_phase, Crew \
    Clients, crew clients, Tutor TutorialClient, tutor tutorial_client, Draws Rng, voices load, telling \
    format, Told StyledLine, absence idle, ringing bell, tend maintain, Chore Task, Renewal \
    IndexRebuild, renewal rebuild, beginnings prefix_terms, LeftOut DamagedRows, at_desk with_context, \
    GoesOn Step::Continue, Desk SessionContext, Clerk SimJournal, clerk journal, House TestServer";

/// Returns every replaced term that is an identifier of a Rust source, with its line and the term
/// to use.
pub(crate) fn replaced_terms(source: &str) -> Vec<(usize, &str, &'static str)> {
    let pairs: HashMap<&str, &str> = REPLACED.split(", ").filter_map(|pair| pair.split_once(' ')).collect();
    identifiers(source).into_iter().filter_map(|(line, name)| Some((line, name, *pairs.get(name)?))).collect()
}

/// Returns the identifiers and keywords of a source with their lines: neither those in comments nor
/// those in strings and characters.
fn identifiers(source: &str) -> Vec<(usize, &str)> {
    let (mut rest, mut line, mut found) = (source, 1, Vec::new());
    while let Some(first) = rest.chars().next() {
        let is_name = first.is_alphabetic() || first == '_';
        let length = if let Some(length) = literal_bytes(rest) {
            length
        } else if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment_bytes(rest)
        } else if is_name || first.is_numeric() {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if is_name && token.chars().all(|c| c.is_alphanumeric() || c == '_') {
            found.push((line, token));
        }
        line += token.matches('\n').count();
        rest = after;
    }
    found
}

/// Returns the length of the string or character that `source` starts with, prefix included.
fn literal_bytes(source: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        source
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(['"', '\'']) || (prefix.ends_with('r') && is_raw(rest)))
    })?;
    let body = &source[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let text = body.get(hashes + 1..)?;
        return Some(prefix.len() + hashes + 1 + text.find(&end).map_or(text.len(), |at| at + end.len()));
    }
    let quote = body.chars().next()?;
    if quote == '\'' && !is_character(body) {
        // A lifetime: its quote alone.
        return prefix.is_empty().then_some(1);
    }
    let mut is_escaped = false;
    let end = body.char_indices().skip(1).find(|(_, c)| {
        let ends = !is_escaped && *c == quote;
        is_escaped = !is_escaped && *c == '\\';
        ends
    });
    Some(prefix.len() + end.map_or(body.len(), |(at, c)| at + c.len_utf8()))
}

/// Returns whether a raw string's hashes and quote follow, and not a raw identifier.
fn is_raw(rest: &str) -> bool {
    rest.trim_start_matches('#').starts_with('"')
}

/// Returns whether a quote starts a character, and not a lifetime.
fn is_character(body: &str) -> bool {
    let mut chars = body.chars().skip(1);
    let first = chars.next();
    first == Some('\\') || chars.next() == Some('\'')
}

/// Returns the length of a block comment, nested ones included.
fn block_comment_bytes(source: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(found) = source[at..].find(['*', '/']) {
        at += found;
        let pair = source.get(at..at + 2).unwrap_or_default();
        match pair {
            "/*" => depth += 1,
            "*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_term_is_found_with_its_line() {
        let source = "use crate::x;\n\n/// A type.\nstruct Outlet<'a> {\n    whereabouts: &'a str,\n}\nfn obey(c: char) { c == '\\''; obey('\"') }\n";
        let found: Vec<_> = replaced_terms(source).into_iter().map(|(line, name, _)| (line, name)).collect();
        assert_eq!(found, [(4, "Outlet"), (5, "whereabouts"), (7, "obey"), (7, "obey")]);
    }

    #[test]
    fn comments_strings_and_longer_names_are_no_terms() {
        for source in [
            "// obey\n//! Outlet\n/* obey /* Outlet */ obey */",
            "let a = \"obey \\\" obey\";",
            "let a = r#\"obey \" Outlet\"#; let b = b\"obey\"; let c = br##\"obey\"# obey\"##; let d = c\"obey\";",
            "let obeyed = Outlets::obey_all(1_obey);",
            "let quote = '\"'; let text = \" obey \"; let escaped = '\\u{22}'; let byte = b'\"'; // obey",
        ] {
            assert_eq!(replaced_terms(source), [], "{source}");
        }
    }

    #[test]
    fn lines_are_counted_through_literals_and_comments() {
        let source = "let a = \"\n\n\";\n/*\n*/ fn obey() {}\nlet b: &'static str = r\"\n\"; obey()";
        let lines: Vec<_> = replaced_terms(source).into_iter().map(|(line, ..)| line).collect();
        assert_eq!(lines, [5, 7]);
    }
}
