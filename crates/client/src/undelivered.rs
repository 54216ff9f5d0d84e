//! Lines of the input that came to nothing: counted, so that the last word and the exit code can say so.

use crate::ending::Ending;
use crate::lines_in::LinesIn;

/// The count.
#[derive(Debug, Default)]
pub(crate) struct Undelivered {
    refused: usize,
    too_late: usize,
}

impl Undelivered {
    /// A line was refused, here or by the server, and the user has been told why.
    pub(crate) fn refused(&mut self) {
        self.refused += 1;
    }

    /// A line came after the user had asked to leave.
    pub(crate) fn came_too_late(&mut self) {
        self.too_late += 1;
    }

    /// How a session has ended, seen by whoever wrote its input. `reasons` says where the refusals are told.
    pub(crate) fn ending(&self, ending: Ending, lines_in: &LinesIn, reasons: &str) -> Ending {
        let unsent = self.too_late + lines_in.unused();
        let lost = match unsent {
            _ if lines_in.may_go_on() => format!("{unsent} or more lines of the input were not sent"),
            1 => "1 line of the input was not sent".to_owned(),
            _ => format!("{unsent} lines of the input were not sent"),
        };
        match ending {
            Ending::Left if unsent == 0 && self.refused == 0 => Ending::Left,
            Ending::Left if self.refused == 0 => {
                Ending::InputOutput(format!("{lost}, for the goodbye came before; send it again"))
            }
            Ending::Left => {
                let lost = if unsent == 0 { String::new() } else { format!("; {lost}") };
                let refused = self.refused;
                let were = if refused == 1 { "line of the input was" } else { "lines of the input were" };
                Ending::InputOutput(format!("{refused} {were} not delivered; {reasons}{lost}"))
            }
            Ending::InputOutput(text) if unsent > 0 => Ending::InputOutput(format!("{text} ({lost})")),
            Ending::Refused(text) if unsent > 0 => Ending::Refused(format!("{text} ({lost})")),
            Ending::ServerWentAway(text) if unsent > 0 => Ending::ServerWentAway(format!("{text} ({lost})")),
            // Nothing was sent at all, which goes without saying.
            Ending::CannotConnect(_) | Ending::InputOutput(_) | Ending::Refused(_) | Ending::ServerWentAway(_) => {
                ending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::lines::Line;

    #[test]
    fn the_last_word_says_what_was_not_sent_and_an_end_without_loss_is_left_alone() {
        let (inbox, _arrivals) = sync_channel(4);
        let mut lines_in = LinesIn::start(Cursor::new(""), 9, inbox).expect("a thread");
        lines_in.end();
        let mut count = Undelivered::default();
        let went_away = || Ending::ServerWentAway("gone; try again later".into());
        for ending in [Ending::Left, went_away()] {
            assert_eq!(count.ending(ending.clone(), &lines_in, "see above"), ending);
        }
        lines_in.add(vec![Line::Text("a".into()), Line::Text(" ".into()), Line::NotUtf8]);
        let told = |ending: Ending| ending.text().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let ending = count.ending(went_away(), &lines_in, "see above");
        assert_eq!(ending.exit_code(), 5);
        assert_eq!(told(ending), "gone; try again later (2 lines of the input were not sent)");
        count.refused();
        let ending = count.ending(Ending::Left, &lines_in, "see above");
        assert_eq!(ending.exit_code(), 1);
        assert_eq!(
            told(ending),
            "1 line of the input was not delivered; see above; 2 lines of the input were not sent"
        );
    }
}
