//! Form of comments, as CONTRIBUTING asks for it; pure functions over text, and the run over every
//! tracked file.

use std::fs;

use crate::command::{self, Outcome, program};

/// Words with which no doc comment starts: one starts with a noun or a verb.
const QUESTION_WORDS: [&str; 7] = ["What", "Who", "Whom", "Whose", "Whether", "How", "Where"];

/// Line, counted from 1, and description of a fault.
type Fault = (usize, String);

/// Checks every tracked file.
///
/// # Errors
/// Every fault, by file and line; or git is not there.
pub(crate) fn check() -> Outcome {
    let mut faults = Vec::new();
    for file in tracked("*.rs")? {
        let text = fs::read_to_string(command::root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        faults.extend(in_rust(&text).into_iter().map(|(line, fault)| format!("{file}:{line}: {fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Returns the tracked files that match a pattern, as paths from the root; those deleted in the
/// working tree are left out.
fn tracked(pattern: &str) -> Result<Vec<String>, String> {
    let listed = program("git", &["ls-files", pattern]).output().map_err(|error| format!("cannot run git: {error}"))?;
    if !listed.status.success() {
        return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr).trim()));
    }
    let names = String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    Ok(names.into_iter().filter(|name| command::root().join(name).exists()).collect())
}

/// Returns the faults of a Rust source.
fn in_rust(source: &str) -> Vec<Fault> {
    doc_openings(source)
        .filter_map(|(line, opening)| {
            let word = opening.split(|c: char| !c.is_alphanumeric()).next()?;
            QUESTION_WORDS
                .contains(&word)
                .then(|| (line, format!("a doc comment starts with `{word}`; start it with a noun or a verb")))
        })
        .collect()
}

/// Returns the first line of each doc comment, with its number.
fn doc_openings(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut before = None;
    let mut in_block = false;
    source.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim_start();
        // The block's text starts in the line of its marker or in the first one with text.
        if in_block {
            let text = line.trim_start_matches('*').trim_start();
            in_block = text.is_empty();
            return (!text.is_empty()).then_some((index + 1, text));
        }
        let marker = ["///", "//!", "/**", "/*!"].into_iter().find(|marker| line.starts_with(marker));
        let is_first = marker != before;
        before = marker.filter(|marker| marker.starts_with("//"));
        let marker = marker.filter(|_| is_first)?;
        let text = &line[marker.len()..];
        // Four slashes, or `/***`, are no doc comment.
        if text.starts_with(['/', '*']) {
            return None;
        }
        in_block = marker.starts_with("/*") && text.trim().is_empty();
        (!text.trim().is_empty()).then_some((index + 1, text.trim_start()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(faults: &[Fault]) -> Vec<usize> {
        faults.iter().map(|(line, _)| *line).collect()
    }

    #[test]
    fn a_doc_comment_that_starts_with_a_question_word_is_found() {
        for word in QUESTION_WORDS {
            let source =
                format!("//! {word} it is.\n\n    /// {word}.\n    fn a() {{}}\n/** {word} */\n/**\n * {word}\n */\n");
            assert_eq!(lines(&in_rust(&source)), [1, 3, 5, 7], "{source}");
        }
    }

    #[test]
    fn only_the_first_word_of_a_doc_comment_counts() {
        let sources = [
            "/// Returns a name.\n/// What else there is.\nfn a() {}",
            "/// However it is.\n/// Whatever.",
            "/// Whereabouts of a member.",
            "// What a comment may start with.\n//// How",
            "/// what",
            "let url = \"a\"; // Where",
        ];
        for source in sources {
            assert_eq!(in_rust(source), [], "{source}");
        }
    }

    #[test]
    fn a_doc_comment_after_another_kind_is_one_of_its_own() {
        assert_eq!(lines(&in_rust("//! A module.\n/// What.\nfn a() {}\n/// How.\n")), [2, 4]);
    }
}
