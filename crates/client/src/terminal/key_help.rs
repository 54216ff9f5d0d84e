//! The keys as `/help keys` shows them.

/// Keys and what they do, the ones needed first.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "sends the line; three times on an empty line leaves"),
    ("Alt-Enter, Ctrl-J", "starts a new line in the message"),
    ("Tab, Shift-Tab", "completes a name, a room or a command; again: the next, the one before"),
    ("Up, Down", "walk through the lines you sent"),
    ("Ctrl-R", "searches in them; again: an older one; Enter takes it into the line, Escape does not"),
    ("Escape, Ctrl-G", "ends a search, a completion or a question"),
    ("Alt-1 to Alt-9", "go to that room"),
    ("Alt-Left, Alt-Right", "go to the room before, the room after; so do Alt-Up, Alt-Down"),
    ("Ctrl-Left, Ctrl-Right", "move by words; so do Alt-B, Alt-F"),
    ("Home, End", "go to the start, the end of the line; with Ctrl: of the message"),
    ("Ctrl-W, Alt-Backspace, Alt-D", "cut a word"),
    ("Ctrl-U, Ctrl-K", "cut to the start, the end of the line"),
    ("Ctrl-Y, Alt-Y", "put back what was cut; what was cut before that"),
    ("Ctrl-_, Alt-/", "undo, redo"),
    ("Alt-E, Ctrl-X Ctrl-E", "opens $EDITOR with the line"),
    ("Ctrl-L", "clears the screen"),
    ("Ctrl-Z", "stops the program, and the line if you host it; fg goes on"),
    ("Ctrl-C", "empties the line; twice on an empty line leaves"),
    ("Ctrl-D", "leaves, on an empty line"),
];

/// A line for each.
pub(crate) fn lines() -> Vec<String> {
    KEYS.iter().map(|(keys, what)| format!("{keys}: {what}")).collect()
}
