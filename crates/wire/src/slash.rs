//! Lines that begin with a slash, also where something hides it: a character that draws nothing, or
//! a look-alike.
//!
//! A line such as `/msg bob secret` is meant as a command. A byte order mark in front of it must
//! not make it a message to everybody.

use alloc::string::String;

use unicode_width::UnicodeWidthChar;

/// Characters of a name that are read: more than any command has.
const NAME_CHARS_MAX: usize = 64;
/// Signs that look like a slash and begin no ordinary text.
const LOOK_ALIKE_SIGNS: &str =
    "\u{ff0f}\u{2044}\u{2215}\u{29f8}\u{2571}\u{27cb}\u{2041}\u{1735}\u{29f6}\u{1f67c}\u{2afd}\u{2e4a}\u{2cc6}";
/// Letters that look like one, which do begin ordinary text.
const LOOK_ALIKE_LETTERS: &str = "\u{30ce}\u{31d3}\u{4e3f}\u{2f03}\u{3033}\u{1d23a}\u{ff89}";

/// A line that begins with a slash or with something that passes for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlashLine<'a> {
    line: &'a str,
    /// Byte offset of the slash.
    at: usize,
    slash: char,
}

/// The reason why a line that looks like a command does not begin with its slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenSlash {
    /// White space before the slash.
    Space,
    /// An invisible character before the slash, or within the command's name.
    Unseen(char),
    /// The slash is another character that looks like it.
    LookAlike(char),
}

/// Returns whether a character is a slash or a sign that looks like one.
fn is_slash_sign(c: char) -> bool {
    c == '/' || LOOK_ALIKE_SIGNS.contains(c)
}

impl<'a> SlashLine<'a> {
    /// Reads a line; `None` if its first visible character is no slash, or if two slashes say that
    /// it is text. The sequences of cursor keys, which a line typed at a bare socket may begin
    /// with, are as good as unseen.
    pub fn of(line: &'a str) -> Option<Self> {
        let shown = without_unseen(line);
        let (at, slash) = (line.len() - shown.len(), shown.chars().next()?);
        let passes = is_slash_sign(slash) || LOOK_ALIKE_LETTERS.contains(slash);
        let is_text = line[at + slash.len_utf8()..].starts_with('/');
        (passes && !is_text).then_some(Self { line, at, slash })
    }

    /// The line after its slash.
    pub fn behind(&self) -> &'a str {
        &self.line[self.at + self.slash.len_utf8()..]
    }

    /// The command's name as it is meant: without what draws nothing, in lower case, full-width
    /// letters as ASCII.
    pub fn name(&self) -> String {
        let behind = self.behind();
        // `/ x` is text to everybody who knows commands; after another sign the word may be apart.
        let named = if self.has_plain_slash() { behind } else { behind.trim_start() };
        let meant = named.chars().take_while(|c| !c.is_whitespace()).filter(|&c| !is_unseen(c)).take(NAME_CHARS_MAX);
        meant.map(narrow).flat_map(char::to_lowercase).collect()
    }

    /// Returns whether the slash is one, and no look-alike.
    pub fn has_plain_slash(&self) -> bool {
        self.slash == '/'
    }

    /// The reason why the line is not a command; `None` if it is.
    pub fn hidden_slash(&self) -> Option<HiddenSlash> {
        let before = &self.line[..self.at];
        let name = self.behind().split(char::is_whitespace).next().unwrap_or_default();
        if let Some(unseen) = before.chars().find(|c| !c.is_whitespace()) {
            return Some(HiddenSlash::Unseen(unseen));
        }
        if !self.has_plain_slash() {
            return Some(HiddenSlash::LookAlike(self.slash));
        }
        if let Some(unseen) = name.chars().find(|&c| is_unseen(c)) {
            return Some(HiddenSlash::Unseen(unseen));
        }
        (!before.is_empty()).then_some(HiddenSlash::Space)
    }

    /// The hidden of a line that is meant as a command, where `is_known` tells the names of
    /// commands. A line without one, and text that only begins like a command (an indented path, a
    /// Japanese word), have none.
    pub fn hidden_command(&self, is_known: impl Fn(&str) -> bool) -> Option<HiddenSlash> {
        let hidden = self.hidden_slash()?;
        let name = self.name();
        let is_meant = match hidden {
            // Nobody types these on purpose, and a wrong name after a slash is not published
            // either.
            HiddenSlash::Unseen(_) => true,
            HiddenSlash::Space => is_known(&name),
            HiddenSlash::LookAlike(slash) => {
                let is_apart = self.behind().starts_with(char::is_whitespace);
                let begins_word = !is_apart && name.starts_with(|c: char| c.is_ascii_alphabetic());
                begins_word && LOOK_ALIKE_SIGNS.contains(slash) || is_known(&name)
            }
        };
        is_meant.then_some(hidden)
    }
}

/// The line without what draws nothing at its beginning: white space, unseen characters, and what
/// cursor keys send.
fn without_unseen(line: &str) -> &str {
    let mut shown = line;
    while let Some(first) = shown.chars().next() {
        let key = shown.strip_prefix("\u{1b}[").or(shown.strip_prefix("\u{1b}O")).or(shown.strip_prefix('\u{9b}'));
        let behind_key = key.and_then(|key| {
            let end = key.trim_start_matches(|c| matches!(c, '0'..='9' | ';'));
            end.strip_prefix(|c: char| c.is_ascii_alphabetic() || c == '~')
        });
        shown = match behind_key {
            Some(behind) => behind,
            None if first.is_whitespace() || is_unseen(first) => &shown[first.len_utf8()..],
            None => break,
        };
    }
    shown
}

/// The ASCII character of a full-width form.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Returns whether a character draws nothing by itself: controls, format characters, marks without
/// a base, fillers and blanks.
pub fn is_unseen(c: char) -> bool {
    let is_filler = matches!(
        c,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{2800}' | '\u{2d7f}' | '\u{3164}' | '\u{ffa0}' | '\u{fff9}'
            ..='\u{fffd}' | '\u{1107f}' | '\u{13441}' | '\u{13442}' | '\u{16fe4}' | '\u{1d159}'
    );
    is_filler || (!c.is_whitespace() && c.width().unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn meant(line: &str) -> Option<HiddenSlash> {
        SlashLine::of(line)?.hidden_command(|name| matches!(name, "msg" | "me" | "op"))
    }

    #[test]
    fn an_unseen_character_hides_no_command() {
        for c in [
            '\u{feff}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{200e}',
            '\u{200f}',
            '\u{ad}',
            '\u{fe0f}',
            '\u{fe00}',
            '\u{34f}',
            '\u{61c}',
            '\u{180e}',
            '\u{180b}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{2061}',
            '\u{2064}',
            '\u{206a}',
            '\u{2800}',
            '\u{2d7f}',
            '\u{3164}',
            '\u{ffa0}',
            '\u{fffc}',
            '\u{1107f}',
            '\u{13441}',
            '\u{13442}',
            '\u{16fe4}',
            '\u{1d159}',
            '\u{fff9}',
            '\u{e0001}',
            '\u{e0020}',
            '\u{e0100}',
            '\u{1d173}',
            '\u{1bca0}',
            '\u{301}',
            '\u{20dd}',
            '\u{64b}',
            '\0',
            '\u{7}',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{fffd}',
        ] {
            for line in
                [format!("{c}/msg bob x"), format!("{c} /mgs bob"), format!(" {c}{c}／msg"), format!("/{c}msg b")]
            {
                let is_found = matches!(meant(&line), Some(HiddenSlash::Unseen(_)));
                // U+0085 is white space as well.
                let is_space =
                    c.is_whitespace() && (meant(&line).is_some() || !line.contains("msg") || line.starts_with('/'));
                assert!(is_found || is_space, "{line:?}: {:?}", meant(&line));
            }
        }
    }

    #[test]
    fn a_cursor_key_hides_no_command() {
        for key in ["\u{1b}[A", "\u{1b}OB", "\u{1b}[1;5D", "\u{9b}A", "\u{1b}[3~", "\u{1b}[A\u{1b}[B "] {
            assert!(matches!(meant(&format!("{key}/msg bob x")), Some(HiddenSlash::Unseen(_))), "{key:?}");
            assert_eq!(meant(&format!("{key}hi /msg")), None, "{key:?}");
        }
        for line in ["\u{1b}", "\u{1b}[", "\u{1b}[1;", "\u{1b}[é/msg", "\u{9b}"] {
            assert_eq!(meant(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_space_or_a_look_alike_hides_a_command_that_there_is() {
        for space in [
            ' ', '\t', '\n', '\r', '\u{b}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{202f}', '\u{205f}', '\u{3000}',
            '\u{2028}',
        ] {
            assert_eq!(meant(&format!("{space}/MSG bob x")), Some(HiddenSlash::Space), "{space:?}");
            assert_eq!(meant(&format!("{space}/tmp is full")), None, "{space:?}");
        }
        for sign in LOOK_ALIKE_SIGNS.chars() {
            for line in [
                format!("{sign}msg bob x"),
                format!("{sign}mgs bob x"),
                format!("{sign} op x"),
                format!(" {sign}ｍｓｇ b"),
            ] {
                assert_eq!(meant(&line), Some(HiddenSlash::LookAlike(sign)), "{line}");
            }
        }
        for letter in LOOK_ALIKE_LETTERS.chars() {
            assert_eq!(meant(&format!("{letter}op secret")), Some(HiddenSlash::LookAlike(letter)));
        }
    }

    #[test]
    fn ordinary_text_is_no_command() {
        for line in [
            "",
            " ",
            "hi",
            "hi /msg",
            "//msg x",
            "\u{feff}//msg",
            "\u{feff}hi",
            "❤\u{fe0f}/msg",
            "❤\u{fe0f} hi",
            "👩\u{200d}👧 /me",
            "\u{200f}مرحبا /msg",
            "\u{200f}\u{202b}שלום",
            "ノート",
            "ノ",
            "丿msgs",
            "／(^o^)＼",
            "⁄ 5",
            " / is the root",
            " /etc/passwd",
            "ｍｓｇ",
            "1/2",
            "½",
            "\\msg",
            "\u{301}a",
            "a\u{301}/msg",
            "e\u{301}",
        ] {
            assert_eq!(meant(line), None, "{line:?}");
        }
        assert_eq!(meant("/msg bob x"), None, "as it should be");
        assert!(SlashLine::of("/msg bob x").is_some_and(|line| line.name() == "msg" && line.behind() == "msg bob x"));
    }
}
