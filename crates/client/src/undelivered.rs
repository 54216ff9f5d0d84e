//! Undelivered lines of the input: counted for the last notice and the exit
//! code.

use glassline_session::Ending;
use glassline_wire::event::ErrorCode;

use crate::line_input::LineInput;

#[derive(Debug, Default)]
pub(crate) struct Undelivered {
    rejected: usize,
    too_late: usize,
    unacknowledged: usize,
    /// Refused because it is unknown whether it was stored.
    doubtful: usize,
}

impl Undelivered {
    /// A line was refused here, and the user was shown the reason.
    pub(crate) fn rejected(&mut self) {
        self.rejected += 1;
    }

    /// A line was refused by the server, and the user was shown the reason.
    pub(crate) fn rejected_as(&mut self, code: ErrorCode) {
        if code == ErrorCode::TooLate {
            self.doubtful += 1;
        } else {
            self.rejected();
        }
    }

    /// A line came after the user had asked to leave.
    pub(crate) fn came_too_late(&mut self) {
        self.too_late += 1;
    }

    /// So many messages are without an answer now that the session is over.
    pub(crate) fn stay_unacknowledged(&mut self, messages: usize) {
        self.unacknowledged = messages;
    }

    /// Returns the end of a session, as seen by the author of its input. `reasons` says where the
    /// refusals are shown.
    pub(crate) fn ending(&self, ending: Ending, line_input: &LineInput, reasons: &str) -> Ending {
        let unsent = self.too_late + line_input.unused();
        let lost = format!("{} not sent", of_the_input(unsent, if line_input.may_go_on() { " or more" } else { "" }));
        match ending {
            Ending::Left => {
                let mut parts = Vec::new();
                if self.rejected > 0 {
                    parts.push(format!("{} not delivered, {reasons}", of_the_input(self.rejected, "")));
                }
                let unacknowledged = self.unacknowledged + self.doubtful;
                if unacknowledged > 0 {
                    let messages = of_the_input(unacknowledged, "");
                    parts.push(format!("{messages} not acknowledged and may not have arrived"));
                }
                if unsent > 0 {
                    parts.push(format!("{lost}; send what is missing again"));
                }
                if parts.is_empty() { Ending::Left } else { Ending::InputOutput(parts.join("; ")) }
            }
            Ending::InputOutput(text) if unsent > 0 => Ending::InputOutput(format!("{text} ({lost})")),
            Ending::Rejected(text) if unsent > 0 => Ending::Rejected(format!("{text} ({lost})")),
            Ending::ServerWentAway(text) if unsent > 0 => Ending::ServerWentAway(format!("{text} ({lost})")),
            Ending::LinkRefused(text) if unsent > 0 => Ending::LinkRefused(format!("{text} ({lost})")),
            // If nothing could be sent at all, the count adds nothing.
            Ending::CannotConnect(_)
            | Ending::InputOutput(_)
            | Ending::Rejected(_)
            | Ending::LinkRefused(_)
            | Ending::ServerWentAway(_) => ending,
        }
    }
}

fn of_the_input(count: usize, or_more: &str) -> String {
    let were = if count == 1 && or_more.is_empty() { "line of the input was" } else { "lines of the input were" };
    format!("{count}{or_more} {were}")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::line_splitter::InputLine;

    #[test]
    fn the_last_line_reports_unsent_input_and_nothing_without_loss() {
        let (inbox, _arrivals) = sync_channel(4);
        let mut line_input = LineInput::start(Cursor::new(""), 9, inbox).expect("a thread");
        line_input.end();
        let mut count = Undelivered::default();
        let went_away = || Ending::ServerWentAway("gone; try again later".into());
        for ending in [Ending::Left, went_away()] {
            assert_eq!(count.ending(ending.clone(), &line_input, "see above"), ending);
        }
        line_input.add(vec![InputLine::Text("a".into()), InputLine::Text(" ".into()), InputLine::NotUtf8]);
        let parts = |ending: Ending| ending.text().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let ending = count.ending(went_away(), &line_input, "see above");
        assert_eq!(ending.exit_code(), 5);
        assert_eq!(parts(ending), "gone; try again later (2 lines of the input were not sent)");
        count.rejected();
        let ending = count.ending(Ending::Left, &line_input, "see above");
        assert_eq!(ending.exit_code(), 1);
        let expected = "1 line of the input was not delivered, see above; 2 lines of the input were not sent; send what is missing again";
        assert_eq!(parts(ending), expected);
        let mut count = Undelivered::default();
        count.stay_unacknowledged(2);
        count.rejected_as(ErrorCode::TooLate);
        let ending = count.ending(Ending::Left, &line_input, "see above");
        assert!(parts(ending).starts_with("3 lines of the input were not acknowledged"));
    }
}
