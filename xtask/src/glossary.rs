//! Terms that no identifier may contain: metaphors that standard terms of the field replaced.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};

/// Replaced terms, each with the term to use. Only terms that mean nothing else in this workspace.
const REPLACED: &str = "\
    Owed ReplaySegment, forgive cancel_replay, Outlet SendQueue, let_go release, Whom Target, Restraint \
    Sanction, Happening LogEvent, Expelled Disconnect, obey execute, Obeyed CommandOutcome, Rehearsal \
    TestSession, FarEnd Pipe, take_news take_readiness, whereabouts whois or current_room, least_hopeful \
    eviction_victim, Handover ExternalEditor, handover external_editor, Beside StatusContext, Diary \
    Oracle, diary oracle, Student TutorialSession, strike inject_fault, unrest fault_phase, Crew \
    Clients, crew clients, Tutor TutorialClient, tutor tutorial_client, Draws Rng, voices load, telling \
    format, Told StyledLine, absence idle, ringing bell, tend maintain, Chore Task, Renewal \
    IndexRebuild, renewal rebuild, beginnings prefix_terms, LeftOut DamagedRows, at_desk with_context, \
    GoesOn Step::Continue, Desk SessionContext, Clerk SimJournal, clerk journal, House TestServer, \
    Entrance ConnectInfo, Fate CommitOutcome, UnderWay InFlight, Refusal Rejection, BadRequest Rejection, \
    Declined Rejection, Verdict Step, Parting Draining, nameless unregistered, hope eviction_rank, household \
    subnet, pulse probe, Wish ExitIntent, thrown_out on_kicked, woken ready, has_news has_readiness, lap \
    full_round, seat SimUser, mouth speaker, heard received, hears receives, hear receive, hearing \
    receiving, told reported, say_again resend, tended maintained, stranger unregistered, remember record, \
    speaks uses, fate outcome, verdict decision, verdicts decisions, Nonsense Malformed, last_words \
    stderr_tail";

/// Returns every replaced term that is an identifier of a Rust source, with its line and the term
/// to use.
pub(crate) fn replaced_terms(source: &str) -> Vec<(usize, &'static str, &'static str)> {
    let pairs: HashMap<&str, &str> = REPLACED.split(", ").filter_map(|pair| pair.split_once(' ')).collect();
    let mut names = Vec::new();
    // The compiler complains about a source that cannot be split into tokens.
    put_identifiers(source.parse().unwrap_or_default(), &mut names);
    let replaced = |(line, name): (usize, String)| pairs.get_key_value(&*name).map(|(old, new)| (line, *old, *new));
    names.into_iter().filter_map(replaced).collect()
}

/// Appends the identifiers and keywords of a source with their lines: neither those in comments nor
/// those in strings and characters.
fn put_identifiers(source: TokenStream, names: &mut Vec<(usize, String)>) {
    for token in source {
        match token {
            TokenTree::Group(group) => put_identifiers(group.stream(), names),
            TokenTree::Ident(name) => names.push((name.span().start().line, name.to_string())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
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
