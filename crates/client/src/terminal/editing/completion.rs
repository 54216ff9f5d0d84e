//! Completion of the word before the cursor, one candidate after the other.

use glassline_wire::commands::{ArgumentKind, SlashCommand, client_names};

/// Candidates that a hint lists; it shows the number of others.
const HINT_CANDIDATES_MAX: usize = 8;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// Speakers, the latest first.
    pub(crate) names: &'a [String],
    pub(crate) rooms: &'a [String],
}

/// Candidates for one word, and which of them is shown. It ends with any key that does not ask for
/// another one.
#[derive(Debug)]
pub(crate) struct Completion {
    text: String,
    cursor: usize,
    word_start: usize,
    candidates: Vec<Candidate>,
    shown: Option<usize>,
}

/// Replacement of the word, and its separator from the next one.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    word: String,
    end: &'static str,
}

impl Completion {
    /// Starts a completion of the word before the cursor; `None` if nothing completes it.
    pub(crate) fn start(text: &str, cursor: usize, sources: Sources<'_>) -> Option<Self> {
        let before = &text[..cursor];
        let word_start = before.rfind(char::is_whitespace).map_or(0, |at| at + first_len(&before[at..]));
        let candidates = candidates(&before[..word_start], &before[word_start..], sources);
        let text = text.to_owned();
        (!candidates.is_empty()).then_some(Self { text, cursor, word_start, candidates, shown: None })
    }

    /// The text and the cursor in it with the next candidate.
    pub(crate) fn forward(&mut self) -> (String, usize) {
        self.show(self.shown.map_or(0, |shown| shown + 1))
    }

    pub(crate) fn back(&mut self) -> (String, usize) {
        self.show(self.shown.unwrap_or(0) + self.candidates.len() - 1)
    }

    pub(crate) fn original(&self) -> (&str, usize) {
        (&self.text, self.cursor)
    }

    /// The candidates, the shown one in brackets, for the status line; `None` if there is but one.
    pub(crate) fn hint(&self) -> Option<String> {
        if self.candidates.len() < 2 {
            return None;
        }
        // A page of them, so that the shown one is among them.
        let first = self.shown.unwrap_or(0) / HINT_CANDIDATES_MAX * HINT_CANDIDATES_MAX;
        let pane = self.candidates.iter().enumerate().skip(first).take(HINT_CANDIDATES_MAX);
        let mut words: Vec<String> = pane
            .map(|(at, Candidate { word, .. })| if self.shown == Some(at) { format!("[{word}]") } else { word.clone() })
            .collect();
        let more = self.candidates.len().saturating_sub(first + HINT_CANDIDATES_MAX);
        if more > 0 {
            words.push(format!("and {more} more"));
        }
        Some(words.join(" "))
    }

    fn show(&mut self, at: usize) -> (String, usize) {
        let at = at % self.candidates.len();
        self.shown = Some(at);
        let Candidate { word, end } = &self.candidates[at];
        let after = &self.text[self.cursor..];
        // A space that is there already need not be put there.
        let end = if after.starts_with(char::is_whitespace) { end.trim_end() } else { end };
        let before = format!("{}{word}{end}", &self.text[..self.word_start]);
        (format!("{before}{after}"), before.len())
    }
}

fn candidates(before: &str, word: &str, sources: Sources<'_>) -> Vec<Candidate> {
    match before.strip_prefix('/').filter(|command| !command.starts_with('/')) {
        Some(command) => of_arguments(command, word, sources),
        None if before.is_empty() && word.starts_with('/') => of_commands(word),
        // A Tab in an empty line or after a space may not request completion.
        None if word.is_empty() => Vec::new(),
        None => of_names(word, sources, if before.is_empty() { ": " } else { " " }),
    }
}

fn of_commands(word: &str) -> Vec<Candidate> {
    let mut names: Vec<&str> = client_names().collect();
    // Aliases follow the names.
    names.sort_by_key(|name| (SlashCommand::of_client(name).is_some_and(|command| command.name != *name), *name));
    let end =
        |name| SlashCommand::of_client(name).map_or("", |command| if command.arguments.is_empty() { "" } else { " " });
    matching(&word[1..], names.into_iter().map(|name| (format!("/{name}"), name, end(name))))
}

/// `command` is the line up to the word, without its slash.
fn of_arguments(command: &str, word: &str, sources: Sources<'_>) -> Vec<Candidate> {
    let mut words = command.split_whitespace();
    let Some(command) = words.next().and_then(SlashCommand::of_client) else { return Vec::new() };
    let at = words.count();
    // What follows the last argument belongs to it, if it is text.
    let text = command.arguments.last().filter(|&&last| last == ArgumentKind::Text);
    let Some(argument) = command.arguments.get(at).or(text) else { return Vec::new() };
    let end = if at + 1 < command.arguments.len() { " " } else { "" };
    let plain = |words: &[&'static str]| matching(word, words.iter().map(|&word| (word.to_owned(), word, end)));
    match argument {
        ArgumentKind::Name => of_names(word, sources, end),
        ArgumentKind::Text if word.is_empty() => Vec::new(),
        ArgumentKind::Text => of_names(word, sources, " "),
        ArgumentKind::Room => {
            let rooms = sources.rooms.iter().filter(|room| is_typeable(room));
            matching(word, rooms.map(|room| (room.clone(), room.as_str(), end)))
        }
        ArgumentKind::Command => {
            let mut names: Vec<&str> = client_names().chain(["all", "keys", "operators"]).collect();
            names.sort_unstable();
            plain(&names)
        }
        ArgumentKind::Choice(choices) => plain(choices),
    }
}

/// Names, also after a bracket, a quote or a comma, and after an `@`; the text before them
/// stays.
fn of_names(word: &str, sources: Sources<'_>, end: &'static str) -> Vec<Candidate> {
    let whole = of_bare_names(word, sources, end);
    let opened = word.rfind(opens).map_or(0, |at| at + first_len(&word[at..]));
    if !whole.is_empty() || opened == 0 || opened == word.len() {
        return whole;
    }
    let end = if end.is_empty() { "" } else { " " };
    let mut names = of_bare_names(&word[opened..], sources, end);
    for name in &mut names {
        name.word.insert_str(0, &word[..opened]);
    }
    names
}

/// Returns true for characters that may directly precede a name.
fn opens(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '<' | '"' | '\'' | ',' | ';' | ':' | '/' | '+' | '&' | '=' | '*' | '~' | '`' | '|')
        || matches!(c, '“' | '„' | '”' | '‘' | '‚' | '’' | '«' | '»' | '‹' | '›' | '¿' | '¡' | '…' | '–' | '—')
        || matches!(c, '（' | '「' | '『' | '【' | '《' | '、' | '，' | '：' | '；' | '。')
}

fn of_bare_names(word: &str, sources: Sources<'_>, end: &'static str) -> Vec<Candidate> {
    let names = sources.names.iter().filter(|name| is_typeable(name));
    match word.strip_prefix('@') {
        Some(prefix) => {
            let end = if end.is_empty() { "" } else { " " };
            matching(prefix, names.map(|name| (format!("@{name}"), name.as_str(), end)))
        }
        None => matching(word, names.map(|name| (name.clone(), name.as_str(), end))),
    }
}

/// Returns whether keys could have typed a peer's name; no other is put into the line.
fn is_typeable(name: &str) -> bool {
    !name.chars().any(char::is_control)
}

/// Of words, what they are matched by and their ends, those that begin with the prefix, whatever
/// the case; what is the same comes first.
fn matching<'a>(prefix: &str, words: impl Iterator<Item = (String, &'a str, &'static str)>) -> Vec<Candidate> {
    let lower = prefix.to_lowercase();
    let mut matching: Vec<(&str, Candidate)> = words
        .filter(|(_, matched, _)| matched.to_lowercase().starts_with(&lower))
        .map(|(word, matched, end)| (matched, Candidate { word, end }))
        .collect();
    // A stable sort, so the rest keeps its order.
    matching.sort_by_key(|(matched, _)| (*matched != prefix, matched.to_lowercase() != lower));
    matching.into_iter().map(|(_, candidate)| candidate).collect()
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the effect of so many Tabs on a text, with a bar for the cursor.
    fn tabs(input: &str, count: usize) -> String {
        let Some(mut completion) = start(input) else { return "nothing".to_owned() };
        let (text, cursor) = (0..count).map(|_| completion.forward()).last().expect("a Tab");
        format!("{}|{}", &text[..cursor], &text[cursor..])
    }

    fn start(input: &str) -> Option<Completion> {
        let names = ["bob", "Bertha", "漢字", "alice", "b\u{7}d"].map(str::to_owned);
        let rooms = ["lobby", "Loft", "den"].map(str::to_owned);
        let (before, after) = input.split_once('|').expect("a bar for the cursor");
        let sources = Sources { names: &names, rooms: &rooms };
        Completion::start(&format!("{before}{after}"), before.len(), sources)
    }

    #[test]
    fn a_name_is_addressed_at_the_start_and_named_elsewhere() {
        assert_eq!(tabs("b|", 1), "bob: |");
        assert_eq!(tabs("b|", 2), "Bertha: |");
        assert_eq!(tabs("b|", 3), "bob: |");
        assert_eq!(tabs("hi B|", 1), "hi bob |");
        assert_eq!(tabs("hi\nal|", 1), "hi\nalice |");
        assert_eq!(tabs("漢|", 1), "漢字: |");
        assert_eq!(tabs("漢\u{3000}漢|", 1), "漢\u{3000}漢字 |");
        assert_eq!(tabs("@be|", 1), "@Bertha |");
        assert_eq!(tabs("hi @b|", 2), "hi @Bertha |");
        assert_eq!(tabs("//b|", 1), "nothing");
    }

    #[test]
    fn a_name_is_completed_behind_a_bracket_a_quote_or_a_comma() {
        for (typed, completed) in [
            ("(al|", "(alice |"),
            ("ask (al|)", "ask (alice |)"),
            ("\"al|", "\"alice |"),
            ("bob,al|", "bob,alice |"),
            ("hi (@be|", "hi (@Bertha |"),
            ("„al|", "„alice |"),
            ("（漢|", "（漢字 |"),
            ("/me hugs (al|", "/me hugs (alice |"),
            ("bob/al|", "bob/alice |"),
        ] {
            assert_eq!(tabs(typed, 1), completed, "{typed}");
        }
        assert_eq!(tabs("(|", 1), "nothing");
    }

    #[test]
    fn an_exact_match_comes_before_who_spoke_last() {
        let names = ["annabel", "Anna", "anna"].map(str::to_owned);
        let sources = Sources { names: &names, rooms: &[] };
        let first = |text: &str| Completion::start(text, text.len(), sources).expect("names").forward().0;
        assert_eq!((first("anna").as_str(), first("Anna").as_str()), ("anna: ", "Anna: "));
        assert_eq!((first("ANNA").as_str(), first("ann").as_str()), ("Anna: ", "annabel: "));
        assert_eq!(first("(anna"), "(anna ");
    }

    #[test]
    fn what_follows_the_cursor_stays() {
        assert_eq!(tabs("hi al| and bob", 1), "hi alice| and bob");
        assert_eq!(tabs("al| there", 1), "alice:| there");
        assert_eq!(tabs("hi al|漢", 1), "hi alice |漢");
    }

    #[test]
    fn nothing_is_completed_without_a_word_or_a_match() {
        for input in ["|", "hi |", "|bob", "zzz|", "/zzz|", "/quit |", "/dance b|", "/join den |", "/me |"] {
            assert_eq!(tabs(input, 1), "nothing", "{input}");
        }
    }

    #[test]
    fn commands_and_their_arguments() {
        for (input, expected) in [
            ("/na|", "/names |"),
            ("/WHOI|", "/whois |"),
            ("/qu|", "/quit|"),
            ("/bye|", "/bye|"),
            ("/msg b|", "/msg bob |"),
            ("/msg |", "/msg bob |"),
            ("/msg bob ask al|", "/msg bob ask alice |"),
            ("/whois ber|", "/whois Bertha|"),
            ("/me hugs @bo|", "/me hugs @bob |"),
            ("/join lo|", "/join lobby|"),
            ("/who d|", "/who den|"),
            ("/timestamps o|", "/timestamps on|"),
            ("/bell m|", "/bell mentions|"),
            ("/help ke|", "/help keys|"),
            ("/help who|", "/help who|"),
        ] {
            assert_eq!(tabs(input, 1), expected, "{input}");
        }
        assert_eq!(tabs("/who|", 2), "/whois |");
    }

    #[test]
    fn back_goes_the_other_way_round_and_the_original_is_kept() {
        let mut completion = start("b|").expect("names");
        assert_eq!(completion.back().0, "Bertha: ");
        assert_eq!(completion.back().0, "bob: ");
        assert_eq!(completion.original(), ("b", 1));
    }

    #[test]
    fn the_hint_lists_a_bounded_number_of_candidates() {
        let mut completion = start("b|").expect("names");
        completion.forward();
        assert_eq!(completion.hint().as_deref(), Some("[bob] Bertha"));
        assert_eq!(start("al|").expect("a name").hint(), None);
        let names: Vec<String> = (10..40).map(|number| format!("n{number}")).collect();
        let mut completion = Completion::start("n", 1, Sources { names: &names, rooms: &[] }).expect("names");
        assert_eq!(completion.hint().as_deref(), Some("n10 n11 n12 n13 n14 n15 n16 n17 and 22 more"));
        for _ in 0..9 {
            completion.forward();
        }
        assert!(completion.hint().expect("many").starts_with("[n18] n19"), "{:?}", completion.hint());
    }

    proptest! {
        #[test]
        fn any_text_and_cursor_can_be_completed(before in "[/@ab 漢\u{301}\u{3000}\n]{0,8}", after in "[a 漢]{0,3}") {
            if let Some(mut completion) = start(&format!("{before}|{after}")) {
                for _ in 0..3 {
                    let (text, cursor) = completion.forward();
                    prop_assert!(text.is_char_boundary(cursor) && text.ends_with(&after));
                }
            }
        }
    }
}
