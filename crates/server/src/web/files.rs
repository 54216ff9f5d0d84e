//! The page's files, which are part of the program.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
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
    /// As it was written, for browsers' developer tools too.
    pub(super) identity: Representation,
    pub(super) gzip: Representation,
    /// Value of `Link`, empty but for the page: its modules. A browser that learned of them from the
    /// imports of one another would ask for them in five rounds (RFC 8288).
    pub(super) links: String,
}

/// Content in one encoding.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) bytes: Cow<'static, [u8]>,
    /// Changes with the bytes (RFC 9110, 8.8.3).
    pub(super) etag: String,
}

impl Representation {
    fn new(bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let bytes = bytes.into();
        let etag = format!("\"{}\"", Sha1::from(&bytes).digest());
        Self { bytes, etag }
    }
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
        let identity = Representation::new(text.as_bytes());
        // Writing to memory does not fail.
        let gzip = Representation::new(compressed(text).unwrap_or_default());
        let links = if content_type == HTML { links_to_modules() } else { String::new() };
        File { name, content_type, identity, gzip, links }
    };
    CONTENTS.iter().map(file).collect()
});

fn compressed(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn links_to_modules() -> String {
    let modules = CONTENTS.iter().filter(|&&(_, content_type, _)| content_type == SCRIPT);
    let links: Vec<String> = modules.map(|(name, ..)| format!("</{name}>; rel=modulepreload")).collect();
    links.join(", ")
}

/// Returns the file at a path.
pub(super) fn at(path: &str) -> Option<&'static File> {
    let name = path.strip_prefix('/')?;
    if name.is_empty() { FILES.first() } else { FILES.iter().find(|file| file.name == name) }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    /// Bytes that a browser may load, so that a classroom on one access point has the page at once.
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
            let Ok(text) = std::str::from_utf8(&file.identity.bytes) else { continue };
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
    fn the_page_is_small_and_as_it_was_written() {
        let bytes: usize = FILES.iter().map(|file| file.gzip.bytes.len()).sum();
        assert!(bytes <= BYTES_MAX, "{bytes} bytes");
        for (file, (name, _, text)) in FILES.iter().zip(CONTENTS) {
            let mut decoded = String::new();
            GzDecoder::new(&*file.gzip.bytes).read_to_string(&mut decoded).expect("gzip");
            assert!(decoded == *text && *file.identity.bytes == *text.as_bytes(), "{name}");
            assert_ne!(file.gzip.etag, file.identity.etag, "{name}");
        }
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
