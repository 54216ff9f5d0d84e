//! Confirmation before the user leaves or stops the program: repeated keys, and a warning to a
//! host.

/// Number of Enters that leave, as in the tutorial's client.
const EMPTY_ENTERS_TO_LEAVE: u8 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exit {
    Leave,
    /// Not yet; the text explains how to leave.
    NotYet(String),
}

/// Progress towards an exit; any other key resets it.
#[derive(Debug, Default)]
pub(super) struct ExitConfirmation {
    /// This process is the server too: the chat of others ends with it.
    hosts: bool,
    last: Option<ExitKey>,
    warned_of_end: bool,
    warned_of_quit: bool,
}

/// Key that was pressed last, if it may leave or stop.
#[derive(Debug, PartialEq, Eq)]
enum ExitKey {
    /// Number of times in a row, on an empty line.
    Enter(u8),
    Interrupt,
    /// The host was warned.
    Suspend,
}

impl ExitConfirmation {
    /// Creates a confirmation; `hosts` if this process is the server too.
    pub(super) fn new(hosts: bool) -> Self {
        Self { hosts, ..Self::default() }
    }

    /// Takes Enter in an empty line.
    pub(super) fn enter(&mut self) -> Exit {
        let enters = if let Some(ExitKey::Enter(enters)) = self.last { enters.saturating_add(1) } else { 1 };
        self.last = Some(ExitKey::Enter(enters));
        match EMPTY_ENTERS_TO_LEAVE.saturating_sub(enters) {
            0 => Exit::Leave,
            1 => self.not_yet("Enter once more to leave"),
            _ => self.not_yet("Enter twice more to leave"),
        }
    }

    /// Takes Ctrl-C in an empty line.
    pub(super) fn interrupt(&mut self) -> Exit {
        let before = self.last.replace(ExitKey::Interrupt);
        if before == Some(ExitKey::Interrupt) { Exit::Leave } else { self.not_yet("Ctrl-C again leaves") }
    }

    /// Takes Ctrl-D in an empty line, with so many others in the chat.
    pub(super) fn end_of_input(&mut self, others: usize) -> Exit {
        self.last = None;
        if self.hosts && others > 0 && !std::mem::replace(&mut self.warned_of_end, true) {
            Exit::NotYet(closes_for(others, "Ctrl-D again"))
        } else {
            Exit::Leave
        }
    }

    /// Takes Ctrl-Z. Returns the warning to show before anything is stopped; none if it stops now.
    pub(super) fn suspend(&mut self) -> Option<&'static str> {
        let before = self.last.take();
        self.warned_of_end = false;
        if !self.hosts || before == Some(ExitKey::Suspend) {
            return None;
        }
        self.last = Some(ExitKey::Suspend);
        Some("this stops the line for everybody; Ctrl-Z again stops")
    }

    /// Takes a command, `/quit` or another one. Returns the warning to show before it is carried
    /// out.
    pub(super) fn command(&mut self, is_quit: bool, others: usize) -> Option<String> {
        let warns = is_quit && self.hosts && others > 0 && !self.warned_of_quit;
        self.warned_of_quit = warns;
        warns.then(|| closes_for(others, "/quit again"))
    }

    pub(super) fn reset(&mut self) {
        self.last = None;
        self.warned_of_end = false;
    }

    fn not_yet(&self, hint: &str) -> Exit {
        Exit::NotYet(if self.hosts { format!("{hint}; that closes the line for all") } else { hint.to_owned() })
    }
}

/// Warning for a host who leaves while others are there: the chat ends for all of them.
///
/// `again` is what leaves then.
pub(crate) fn closes_for(others: usize, again: &str) -> String {
    let who = if others == 1 { "one other is".to_owned() } else { format!("{others} others are") };
    format!("{who} here, and leaving closes the line for all; {again} leaves")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_leave_and_nothing_less() {
        let mut exit = ExitConfirmation::default();
        assert_ne!(exit.enter(), Exit::Leave);
        assert_ne!(exit.enter(), Exit::Leave);
        exit.reset();
        assert_ne!(exit.enter(), Exit::Leave);
        assert_ne!(exit.interrupt(), Exit::Leave);
        assert_ne!(exit.enter(), Exit::Leave);
        assert_ne!(exit.interrupt(), Exit::Leave, "an Enter between two Ctrl-C sets them back");
        assert_eq!(exit.interrupt(), Exit::Leave);
    }
}
