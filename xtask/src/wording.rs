//! Form of comments, names and documents, as CONTRIBUTING asks for it; pure functions over
//! text, and the run over every file.

use std::fs;
use std::path::PathBuf;

use crate::command::{self, Outcome};
use crate::glossary;

/// Words with which no doc comment starts: one starts with a noun or a verb.
const QUESTION_WORDS: [&str; 7] = ["What", "Who", "Whom", "Whose", "Whether", "How", "Where"];

const TEST_NAME_CHARS_MAX: usize = 60;

const MARKDOWN_COLUMNS_MAX: usize = 100;

/// Document whose paths must exist.
const MAP: &str = "ARCHITECTURE.md";

/// Line, counted from 1, and description of a fault.
type Fault = (usize, String);

/// Checks every file.
///
/// # Errors
/// Every fault, by file and line; or a file cannot be read.
pub(crate) fn check() -> Outcome {
    let mut faults = Vec::new();
    for (extension, faults_of) in
        [("rs", in_rust as fn(&str) -> Vec<Fault>), ("js", question_openings), ("md", in_markdown)]
    {
        for file in sources(extension)? {
            let text = fs::read_to_string(command::root().join(&file))
                .map_err(|error| format!("{}: {error}", file.display()))?;
            faults.extend(
                faults_of(&text).into_iter().map(|(line, fault)| format!("{}:{line}: {fault}", file.display())),
            );
        }
    }
    let map = fs::read_to_string(command::root().join(MAP)).map_err(|error| format!("{MAP}: {error}"))?;
    let missing = missing_paths(&map, |path| command::root().join(path).exists());
    faults.extend(missing.into_iter().map(|(line, fault)| format!("{MAP}:{line}: {fault}")));
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Returns a fault for each path in a code span that names no file.
fn missing_paths(markdown: &str, exists: impl Fn(&str) -> bool) -> Vec<Fault> {
    let is_path =
        |span: &&str| span.contains('/') && !span.contains(|c: char| c.is_whitespace() || "<>{}*~$".contains(c));
    let spans = |line| str::split(line, '`').skip(1).step_by(2).filter(is_path);
    let lines = (1..).zip(markdown.lines());
    lines
        .flat_map(|(number, line)| spans(line).map(move |span| (number, span)))
        .filter(|(_, span)| !exists(span))
        .map(|(number, span)| (number, format!("there is no file `{span}`")))
        .collect()
}

/// Returns the project's files with an extension, as paths from the root, in order. Hidden folders
/// and those of build results are left out.
pub(crate) fn sources(extension: &str) -> Result<Vec<PathBuf>, String> {
    let root = command::root();
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let is_left_out =
                path.file_name().is_none_or(|name| name == "target" || name.as_encoded_bytes()[0] == b'.');
            if path.is_dir() && !path.is_symlink() && !is_left_out {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path.strip_prefix(&root).unwrap_or(&path).to_path_buf());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Returns a fault for each doc comment of a source that starts with a question word.
fn question_openings(source: &str) -> Vec<Fault> {
    let question = |(line, opening): (usize, &str)| {
        let word = opening.split(|c: char| !c.is_alphanumeric()).next()?;
        QUESTION_WORDS
            .contains(&word)
            .then(|| (line, format!("a doc comment starts with `{word}`; start it with a noun or a verb")))
    };
    doc_openings(source).filter_map(question).collect()
}

/// Returns the faults of a Rust source.
fn in_rust(source: &str) -> Vec<Fault> {
    let names = test_names(source).filter_map(|(line, name)| {
        let chars = name.chars().count();
        (chars > TEST_NAME_CHARS_MAX).then(|| {
            (
                line,
                format!("a test name has {chars} characters; at most {TEST_NAME_CHARS_MAX}, the motive in a comment"),
            )
        })
    });
    let terms = glossary::replaced_terms(source)
        .into_iter()
        .map(|(line, term, new)| (line, format!("`{term}` is a replaced term; use `{new}`")));
    question_openings(source).into_iter().chain(names).chain(terms).collect()
}

/// Returns the name of each function with the attribute `#[test]`, those of `proptest!` included,
/// with its line.
fn test_names(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_test = false;
    source.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim_start();
        is_test |= line.starts_with("#[test]");
        let (before, after) = line.split_once("fn ")?;
        if !is_test || before.contains("//") {
            return None;
        }
        is_test = false;
        Some((index + 1, after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?))
    })
}

/// Returns the lines of a Markdown text that are too wide and could be wrapped: not those of tables
/// and code blocks, and none that a link or a URL fills.
fn in_markdown(text: &str) -> Vec<Fault> {
    let mut fence = None;
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let content = line.trim_start();
        if let Some(marker) = ["```", "~~~"].into_iter().find(|marker| content.starts_with(marker)) {
            match fence {
                None => fence = Some(marker),
                Some(open) if open == marker => fence = None,
                Some(_) => {}
            }
            continue;
        }
        let columns = line.chars().count();
        if columns > MARKDOWN_COLUMNS_MAX && fence.is_none() && !content.starts_with('|') && !is_filled_by_link(line) {
            faults.push((index + 1, format!("the line has {columns} columns; wrap it at {MARKDOWN_COLUMNS_MAX}")));
        }
    }
    faults
}

/// Returns whether a link or a URL, which cannot be wrapped, is more than half of a line.
fn is_filled_by_link(line: &str) -> bool {
    let longest = line.split_whitespace().filter(|word| word.contains("://") || word.contains("]("));
    longest.map(|word| word.chars().count()).max().is_some_and(|chars| chars * 2 > line.chars().count())
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
    fn a_path_that_names_no_file_is_found() {
        let exists = |path: &str| path == "src/main.rs";
        assert_eq!(lines(&missing_paths("`src/main.rs`, `/help`\n`src/gone.rs` and `a/ b`\n", exists)), [1, 2]);
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
    fn doc_comments_of_javascript_are_checked() {
        let source = "/** Page in use. */\nexport class Page {\n  /** What it is. @type {any} */\n  a;\n}\n";
        assert_eq!(lines(&question_openings(source)), [3]);
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
    fn a_test_name_may_have_sixty_characters() {
        let source = |name: &str| format!("#[test]\n#[ignore]\nfn {name}() {{}}\n");
        assert_eq!(in_rust(&source(&"x".repeat(60))), []);
        assert_eq!(lines(&in_rust(&source(&"x".repeat(61)))), [3]);
        let long = "x".repeat(61);
        let property = format!("proptest! {{\n    #[test]\n    fn {long}(\n        a in 0..1,\n    ) {{}}\n}}\n");
        assert_eq!(lines(&in_rust(&property)), [3]);
        assert_eq!(in_rust(&format!("#[test]\n// fn {long}\nfn short() {{}}\nfn {long}() {{}}\n")), []);
    }

    #[test]
    fn a_wide_line_of_a_paragraph_or_an_item_is_found() {
        let wide = "word ".repeat(21);
        let text = format!("{wide}\n\n- {wide}\n> {wide}\n{}\n", "é".repeat(100));
        assert_eq!(lines(&in_markdown(&text)), [1, 3, 4]);
    }

    #[test]
    fn tables_code_and_links_may_be_wide() {
        let wide = "word ".repeat(21);
        let link = format!("https://example.org/{}", "x".repeat(90));
        let text = format!("| {wide} |\n```sh\n{wide}\n~~~\n{wide}\n```\nsee {link}\n- a [page]({link})\n");
        assert!(in_markdown(&text).is_empty());
        assert_eq!(lines(&in_markdown(&format!("```\n```\n{wide}\n"))), [3], "the block has ended");
    }

    #[test]
    fn a_doc_comment_after_another_kind_is_one_of_its_own() {
        assert_eq!(lines(&in_rust("//! A module.\n/// What.\nfn a() {}\n/// How.\n")), [2, 4]);
    }
}
