//! The keys that leave, three empty Enters or Ctrl-C twice, and Ctrl-Z that stops: how far the user has come with them.

/// The original's way out.
const EMPTY_ENTERS_TO_LEAVE: u8 = 3;

/// Effect of a key that may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Leave now.
    Leave,
    /// Not yet; this says what is still to be done.
    NotYet(&'static str),
}

/// Progress towards an exit; any other key sets it back.
#[derive(Debug, Default)]
pub(super) struct ExitKeys {
    empty_enters: u8,
    asked: bool,
    told_of_others: bool,
}

impl ExitKeys {
    /// Enter in an empty line.
    pub(super) fn enter(&mut self) -> Exit {
        self.asked = false;
        self.empty_enters = self.empty_enters.saturating_add(1);
        match EMPTY_ENTERS_TO_LEAVE.saturating_sub(self.empty_enters) {
            0 => Exit::Leave,
            1 => Exit::NotYet("Enter once more to leave"),
            _ => Exit::NotYet("Enter twice more to leave"),
        }
    }

    /// Ctrl-C in an empty line.
    pub(super) fn interrupt(&mut self) -> Exit {
        self.empty_enters = 0;
        if std::mem::replace(&mut self.asked, true) { Exit::Leave } else { Exit::NotYet("Ctrl-C again leaves") }
    }

    /// Ctrl-D in an empty line, by whoever hosts so many others: returns true if they are to be
    /// told of first.
    pub(super) fn tell_of_others(&mut self, others: usize) -> bool {
        *self = Self { told_of_others: self.told_of_others, ..Self::default() };
        others > 0 && !std::mem::replace(&mut self.told_of_others, true)
    }

    /// Any other key.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Warning for a host who leaves while others are there: the chat ends for all of them.
///
/// `again` is what leaves then.
pub(crate) fn closes_for(others: usize, again: &str) -> String {
    let who = if others == 1 { "one other is".to_owned() } else { format!("{others} others are") };
    format!("{who} here, and leaving closes the line for all; {again} leaves")
}

/// Target of Ctrl-Z.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Stop {
    /// This user's program.
    #[default]
    OneProgram,
    /// The line of others too, as it is this process's; so it is said first.
    Everybody,
    /// It was said with the last key.
    Told,
}

impl Stop {
    /// Returns the warning to show before anything is stopped; none if it stops now.
    pub(super) fn press(&mut self) -> Option<&'static str> {
        match self {
            Self::OneProgram => None,
            Self::Everybody => {
                *self = Self::Told;
                Some("this stops the line for everybody; Ctrl-Z again stops")
            }
            Self::Told => {
                *self = Self::Everybody;
                None
            }
        }
    }

    /// Any other key.
    pub(super) fn forget(&mut self) {
        if *self == Self::Told {
            *self = Self::Everybody;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_in_a_row_leave_and_nothing_less() {
        let mut exit_keys = ExitKeys::default();
        assert_ne!(exit_keys.enter(), Exit::Leave);
        assert_ne!(exit_keys.enter(), Exit::Leave);
        exit_keys.forget();
        assert_ne!(exit_keys.enter(), Exit::Leave);
        assert_ne!(exit_keys.interrupt(), Exit::Leave);
        assert_ne!(exit_keys.enter(), Exit::Leave);
        assert_ne!(exit_keys.interrupt(), Exit::Leave, "an Enter between two Ctrl-C sets them back");
        assert_eq!(exit_keys.interrupt(), Exit::Leave);
    }
}
