//! Incremental search (Ctrl-R) in the sent lines, from the newest back.
//!
//! In a shell, Enter runs the line that was found. Here it only puts it into the input: a command
//! there can often be undone, a sent message cannot, and the line that was found first is not
//! always the one that was meant.

use crate::terminal::keymap::Action;
use crate::terminal::keymap::Motion;

/// Maximum length of a search text.
const QUERY_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub(crate) struct LineSearch {
    draft: String,
    draft_cursor: usize,
    now: SearchState,
    /// States to which Backspace goes back.
    before: Vec<SearchState>,
}

#[derive(Debug, Clone, Default)]
struct SearchState {
    query: String,
    /// Counted from the newest line, and the line.
    found: Option<(usize, String)>,
    /// Nothing, or nothing older, was found; what was found before is still shown.
    fails: bool,
}

/// Effect of an action on the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchStep {
    /// It continues.
    Continue,
    /// It is over, and [`LineSearch::found`] belongs in the input.
    Take,
    /// The same, and then the action has its usual meaning.
    TakeAndAct,
    /// It is over, and [`LineSearch::draft`] belongs in the input.
    PutBack,
    /// The same, and then the action has its usual meaning.
    PutBackAndAct,
}

impl LineSearch {
    pub(crate) fn start(draft: &str, draft_cursor: usize) -> Self {
        Self { draft: draft.to_owned(), draft_cursor, now: SearchState::default(), before: Vec::new() }
    }

    /// Takes an action; `lines` are those that were sent, the newest first.
    pub(crate) fn act<'a>(&mut self, action: &Action, lines: impl Iterator<Item = &'a str>) -> SearchStep {
        match action {
            Action::Insert(text) if !text.contains('\n') => {
                self.refine(text, lines);
                SearchStep::Continue
            }
            Action::Search => {
                self.go_older(lines);
                SearchStep::Continue
            }
            Action::Remove(Motion::Left) => {
                self.now = self.before.pop().unwrap_or_default();
                SearchStep::Continue
            }
            Action::Resize { .. } | Action::Resume | Action::FocusGained | Action::FocusLost | Action::ClearScreen => {
                SearchStep::Continue
            }
            Action::Cancel | Action::Interrupt => SearchStep::PutBack,
            Action::Enter | Action::Insert(_) => SearchStep::Take,
            // Switching to another room selects nothing.
            Action::GoRoom(_) | Action::GoRoomBefore | Action::GoRoomAfter => SearchStep::PutBackAndAct,
            _ => SearchStep::TakeAndAct,
        }
    }

    /// The line that was found; the draft if none was.
    pub(crate) fn found(&self) -> (&str, usize) {
        self.now.found.as_ref().map_or_else(|| self.draft(), |(_, line)| (line.as_str(), line.len()))
    }

    pub(crate) fn draft(&self) -> (&str, usize) {
        (&self.draft, self.draft_cursor)
    }

    /// Returns the text shown in place of the input.
    pub(crate) fn prompt(&self) -> String {
        let SearchState { query, found, fails } = &self.now;
        let state = match (found, fails) {
            (_, false) => "search",
            (Some(_), true) => "search, nothing older",
            (None, true) => "search, nothing found",
        };
        let line = found.as_ref().map_or("", |(_, line)| line.as_str());
        format!("({state}) {query}: {line}")
    }

    fn refine<'a>(&mut self, text: &str, lines: impl Iterator<Item = &'a str>) {
        if self.now.query.len() + text.len() > QUERY_BYTES_MAX {
            return;
        }
        let query = self.now.query.clone() + text;
        // What is shown may match the longer query too.
        let from = self.now.found.as_ref().map_or(0, |&(at, _)| at);
        self.step(query, from, lines);
    }

    fn go_older<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let from = self.now.found.as_ref().map_or(0, |&(at, _)| at + 1);
        if self.now.fails {
            return;
        }
        self.step(self.now.query.clone(), from, lines);
    }

    fn step<'a>(&mut self, query: String, from: usize, lines: impl Iterator<Item = &'a str>) {
        let shown = self.now.found.as_ref().map(|(_, line)| line.as_str());
        // The same line again would look as if nothing had happened.
        let is_new = |at: usize, line: &str| at == from && query != self.now.query || Some(line) != shown;
        let found = lines
            .enumerate()
            .skip(from)
            .find(|&(at, line)| is_new(at, line) && matches(line, &query))
            .map(|(at, line)| (at, line.to_owned()));
        let fails = found.is_none();
        let state = SearchState { query, found: found.or_else(|| self.now.found.clone()), fails };
        self.before.push(std::mem::replace(&mut self.now, state));
    }
}

/// Ignores case, unless the query has capitals.
fn matches(line: &str, query: &str) -> bool {
    if query.chars().any(char::is_uppercase) { line.contains(query) } else { line.to_lowercase().contains(query) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 5] = ["make tea", "/join Den", "make coffee", "make coffee", "tea is ready"];

    fn act(search: &mut LineSearch, action: &Action) -> SearchStep {
        search.act(action, LINES.into_iter())
    }

    fn searching(keys: &str) -> LineSearch {
        let mut search = LineSearch::start("draft", 2);
        for key in keys.chars() {
            let action = match key {
                '^' => Action::Search,
                '<' => Action::Remove(Motion::Left),
                c => Action::Insert(c.to_string()),
            };
            assert_eq!(act(&mut search, &action), SearchStep::Continue);
        }
        search
    }

    #[test]
    fn letters_narrow_the_search_and_again_goes_further_back() {
        for (keys, prompt) in [
            ("", "(search) : "),
            ("m", "(search) m: make tea"),
            ("make c", "(search) make c: make coffee"),
            ("tea", "(search) tea: make tea"),
            ("tea^", "(search) tea: tea is ready"),
            ("make^", "(search) make: make coffee"),
            ("make^^", "(search, nothing older) make: make coffee"),
            ("make^^^^<", "(search) make: make coffee"),
            ("teax", "(search, nothing older) teax: make tea"),
            ("xyz", "(search, nothing found) xyz: "),
            ("den", "(search) den: /join Den"),
            ("Make", "(search, nothing found) Make: "),
            ("De", "(search) De: /join Den"),
            ("^^", "(search) : /join Den"),
        ] {
            assert_eq!(searching(keys).prompt(), prompt, "{keys}");
        }
    }

    #[test]
    fn backspace_goes_back_the_way_it_came() {
        assert_eq!(searching("tea^<").prompt(), "(search) tea: make tea");
        assert_eq!(searching("make c<<").prompt(), "(search) make: make tea");
        assert_eq!(searching("teax<").prompt(), "(search) tea: make tea");
        assert_eq!(searching("t<<<").prompt(), "(search) : ");
    }

    #[test]
    fn enter_and_motions_take_the_line_and_escape_the_draft() {
        let mut search = searching("tea");
        assert_eq!(act(&mut search, &Action::Enter), SearchStep::Take);
        assert_eq!(act(&mut search, &Action::Go(Motion::Left)), SearchStep::TakeAndAct);
        assert_eq!(act(&mut search, &Action::FocusLost), SearchStep::Continue);
        assert_eq!(search.found(), ("make tea", 8));
        assert_eq!(act(&mut search, &Action::Cancel), SearchStep::PutBack);
        assert_eq!(search.draft(), ("draft", 2));
        assert_eq!(searching("xyz").found(), ("draft", 2));
    }

    #[test]
    fn the_query_is_bounded() {
        let search = searching(&"x".repeat(1_000));
        assert_eq!(search.now.query.len(), QUERY_BYTES_MAX);
        assert!(search.before.len() <= QUERY_BYTES_MAX + LINES.len());
    }
}
