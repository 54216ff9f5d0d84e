//! The page's files, which are part of the program.

use std::sync::LazyLock;

use sha1_smol::Sha1;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// Row of [`CONTENTS`] for a file of the folder `web`.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        ($name, $content_type, include_str!(concat!("../../web/", $name)))
    };
}

/// A file of the page.
#[derive(Debug)]
pub(super) struct File {
    name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content: Vec<u8>,
    /// Changes with the content (RFC 9110, 8.8.3).
    pub(super) etag: String,
    /// Value of `Link`, empty but for the page: its modules. A browser that learned of them from the
    /// imports of one another would ask for them in five rounds (RFC 8288).
    pub(super) links: String,
}

/// Names, types and contents; the first is the page itself.
const CONTENTS: &[(&str, &str, &str)] = &[
    file!("index.html", HTML),
    file!("actions.js", SCRIPT),
    file!("colours.js", SCRIPT),
    file!("commands.js", SCRIPT),
    file!("completion.js", SCRIPT),
    file!("composer.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("format.js", SCRIPT),
    file!("frames.js", SCRIPT),
    file!("icon.svg", IMAGE),
    file!("links.js", SCRIPT),
    file!("log.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("message.js", SCRIPT),
    file!("notify.js", SCRIPT),
    file!("outbox.js", SCRIPT),
    file!("page.js", SCRIPT),
    file!("ranges.js", SCRIPT),
    file!("render.js", SCRIPT),
    file!("requests.js", SCRIPT),
    file!("results.js", SCRIPT),
    file!("room.js", SCRIPT),
    file!("rows.js", SCRIPT),
    file!("session.js", SCRIPT),
    file!("state.js", SCRIPT),
    file!("storage.js", SCRIPT),
    file!("style.css", STYLE),
];

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let file = |&(name, content_type, text): &(&'static str, &'static str, &'static str)| {
        let content = without_spaces(without_comments(text), content_type).into_bytes();
        let etag = format!("\"{}\"", Sha1::from(&content).digest());
        let links = if content_type == HTML { links_to_modules() } else { String::new() };
        File { name, content_type, content, etag, links }
    };
    CONTENTS.iter().map(file).collect()
});

fn links_to_modules() -> String {
    let modules = CONTENTS.iter().filter(|&&(_, content_type, _)| content_type == SCRIPT);
    let links: Vec<String> = modules.map(|(name, ..)| format!("</{name}>; rel=modulepreload")).collect();
    links.join(", ")
}

/// Returns a text without indentation, empty lines, and comments that begin a line: they are for
/// readers of the source, and browsers load a quarter less without them.
fn without_comments(text: &str) -> String {
    let mut is_in_comment = false;
    let is_kept = |line: &&str| {
        is_in_comment |= line.starts_with("/*");
        let is_kept = !is_in_comment && !line.is_empty() && !line.starts_with("//");
        is_in_comment &= !line.ends_with("*/");
        is_kept
    };
    text.lines().map(str::trim).filter(is_kept).flat_map(|line| [line, "\n"]).collect()
}

/// Returns a text without the spaces that only readers need: around the punctuation of a style sheet,
/// and around those operators of a script that no text in it contains.
fn without_spaces(text: String, content_type: &str) -> String {
    let replaced: &[(&str, &str)] = match content_type {
        STYLE => &[
            (" {", "{"),
            ("{ ", "{"),
            (" }", "}"),
            ("; ", ";"),
            (": ", ":"),
            (", ", ","),
            ("{\n", "{"),
            ("}\n", "}"),
            (";\n", ";"),
        ],
        SCRIPT => &[
            (" => ", "=>"),
            (" === ", "==="),
            (" !== ", "!=="),
            (" && ", "&&"),
            (" || ", "||"),
            (" ?? ", "??"),
            (" + ", "+"),
            (" += ", "+="),
            (" >= ", ">="),
            (" <= ", "<="),
            (" = ", "="),
            (" ? ", "?"),
            (" : ", ":"),
            (" {\n", "{"),
            ("{\n", "{"),
        ],
        _ => &[],
    };
    replaced.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

/// Returns the file at a path.
pub(super) fn at(path: &str) -> Option<&'static File> {
    let name = path.strip_prefix('/')?;
    if name.is_empty() { FILES.first() } else { FILES.iter().find(|file| file.name == name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that a page may have, so that a classroom on one access point has it at once.
    const BYTES_MAX: usize = 100 * 1024;

    /// Files that a text refers to: values of `src` and `href`, and module names that are imported.
    fn references(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (before, quote) in
            [("src=\"", '"'), ("href=\"", '"'), ("from \"", '"'), ("from '", '\''), ("import \"", '"')]
        {
            for (at, _) in text.match_indices(before) {
                let value = text[at + before.len()..].split(quote).next().unwrap_or_default();
                found.push(value.trim_start_matches("./").trim_start_matches('/').to_string());
            }
        }
        let is_file = |name: &String| !name.is_empty() && !name.contains(':') && !name.starts_with('#');
        found.into_iter().filter(is_file).collect()
    }

    #[test]
    fn every_file_that_is_referred_to_is_embedded() {
        for file in FILES.iter() {
            let Ok(text) = std::str::from_utf8(&file.content) else { continue };
            for name in references(text) {
                assert!(FILES.iter().any(|other| other.name == name), "{} refers to {name:?}", file.name);
            }
        }
    }

    #[test]
    fn every_file_in_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        let mut embedded: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        embedded.sort_unstable();
        assert_eq!(names, embedded, "the table in web/files.rs has one row for each file");
    }

    #[test]
    fn the_page_links_to_every_module_and_to_nothing_else() {
        let page = at("/").expect("the page");
        let mut linked: Vec<&str> = page.links.split(", ").collect();
        for file in FILES.iter().filter(|file| file.content_type == SCRIPT) {
            let link = format!("</{}>; rel=modulepreload", file.name);
            let place = linked.iter().position(|&one| one == link);
            linked.remove(place.unwrap_or_else(|| panic!("{link} in {:?}", page.links)));
        }
        assert!(linked.is_empty(), "{linked:?}");
        assert_eq!(at("/main.js").map(|file| file.links.as_str()), Some(""));
    }

    #[test]
    fn comments_and_indentation_stay_in_the_source() {
        let text = "/** A\n * b */\nconst a = 'https://b'; // c\n\n  // d\n\tf(/\\/*/); /* g */\n/* h */\n";
        assert_eq!(without_comments(text), "const a = 'https://b'; // c\nf(/\\/*/); /* g */\n");
    }

    #[test]
    fn spaces_for_readers_stay_in_the_source() {
        let style = "@media (min-width: 1px) { .a :is(p, q) { --b: c(d, e - f); content: \"g \" } }\n";
        let expected = "@media (min-width:1px){.a :is(p,q){--b:c(d,e - f);content:\"g \"}}";
        assert_eq!(without_spaces(style.to_string(), STYLE), expected);
        let script = "const f = (a) => {\nreturn a && a !== 'b; c, d' ? a : /e: f/;\n};\n";
        let expected = "const f=(a)=>{return a&&a!=='b; c, d'?a:/e: f/;\n};\n";
        assert_eq!(without_spaces(script.to_string(), SCRIPT), expected);
        assert_eq!(without_spaces("<p>a; b, c</p>".to_string(), HTML), "<p>a; b, c</p>");
    }

    #[test]
    fn the_page_is_small() {
        let bytes: usize = FILES.iter().map(|file| file.content.len()).sum();
        assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    }

    #[test]
    fn a_path_finds_its_file_only() {
        assert_eq!(at("/").map(|file| file.name), Some("index.html"));
        assert_eq!(at("/index.html").map(|file| file.name), Some("index.html"));
        for path in ["", "index.html", "//index.html", "/../index.html", "/INDEX.HTML", "/index.html/", "/%2e"] {
            assert!(at(path).is_none(), "{path}");
        }
    }
}
