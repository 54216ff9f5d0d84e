//! Check that every message was shown, once and in order: recognized by the number that each text begins
//! with.

const MARK: u8 = b'#';
const DIGITS: usize = 8;
/// More than any run sends; a larger number is not one of ours.
const MESSAGES_MAX: usize = 20_000_000;

/// The start of the text with this number.
pub fn marked(number: usize) -> String {
    format!("{}{number:0DIGITS$}", char::from(MARK))
}

/// Finds the numbers in terminal output, for any cuts between reads.
#[derive(Default)]
pub struct Numbers {
    /// Digits read after a mark.
    digits: Option<usize>,
    value: usize,
}

impl Numbers {
    pub fn take(&mut self, bytes: &[u8], mut found: impl FnMut(usize)) {
        for &byte in bytes {
            match (byte, self.digits) {
                (MARK, _) => (self.digits, self.value) = (Some(0), 0),
                (b'0'..=b'9', Some(digits)) => {
                    self.value = self.value * 10 + usize::from(byte - b'0');
                    self.digits = Some(digits + 1).filter(|&digits| digits < DIGITS);
                    if self.digits.is_none() {
                        found(self.value);
                    }
                }
                _ => self.digits = None,
            }
        }
    }
}

/// State of the messages 0, 1, 2 and so on.
#[derive(Default)]
pub struct Tally {
    seen: Vec<bool>,
    /// Different ones.
    pub shown: usize,
    pub doubled: usize,
    /// Came after one with a higher number.
    pub late: usize,
    /// No message has such a number.
    pub unknown: usize,
}

impl Tally {
    pub fn take(&mut self, number: usize) {
        if number >= MESSAGES_MAX {
            self.unknown += 1;
            return;
        }
        let is_late = number < self.seen.len();
        if !is_late {
            self.seen.resize(number + 1, false);
        }
        if std::mem::replace(&mut self.seen[number], true) {
            self.doubled += 1;
        } else {
            self.shown += 1;
            self.late += usize::from(is_late);
        }
    }

    /// In words, what is wrong if these were sent; `None` if each was shown once and in order.
    pub fn fault(&self, sent: usize) -> Option<String> {
        let unknown = self.unknown + self.seen.iter().skip(sent).filter(|seen| **seen).count();
        let lost = sent - self.seen.iter().take(sent).filter(|seen| **seen).count();
        let faults = [(lost, "lost"), (self.doubled, "doubled"), (self.late, "out of order"), (unknown, "never sent")];
        let words: Vec<String> =
            faults.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        (!words.is_empty()).then(|| format!("of {sent} messages: {}", words.join(", ")))
    }
}

/// Faults, as text, of a screen after a run: the last messages must be on it without a gap.
pub fn screen_fault(rows: impl IntoIterator<Item = impl AsRef<str>>, sent: usize) -> Option<String> {
    let mut shown = Vec::new();
    for row in rows {
        Numbers::default().take(row.as_ref().as_bytes(), |number| shown.push(number));
    }
    let is_whole = shown.last().map(|last| last + 1) == Some(sent) && shown.is_sorted_by(|a, b| a + 1 == *b);
    (!is_whole && sent > 0).then(|| format!("of {sent} messages the screen shows last: {shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(numbers: &[usize]) -> Tally {
        let mut tally = Tally::default();
        numbers.iter().for_each(|&number| tally.take(number));
        tally
    }

    #[test]
    fn numbers_are_found_with_every_cut() {
        let stream = format!("\x1b[2m12:34 \x1b[0mm0 > {} one #5 two\r\n#123 {}#x{}", marked(0), marked(12), marked(7));
        for piece in 1..=stream.len() {
            let (mut numbers, mut found) = (Numbers::default(), Vec::new());
            stream.as_bytes().chunks(piece).for_each(|bytes| numbers.take(bytes, |number| found.push(number)));
            assert_eq!(found, [0, 12, 7], "pieces of {piece} bytes");
        }
    }

    #[test]
    fn each_once_and_in_order_is_no_fault() {
        assert_eq!(tally(&[0, 1, 2, 3]).fault(4), None);
        assert_eq!(tally(&[]).fault(0), None);
    }

    #[test]
    fn every_fault_is_found_and_named() {
        assert_eq!(tally(&[0, 1, 3]).fault(4).unwrap(), "of 4 messages: 1 lost");
        assert_eq!(tally(&[0, 1]).fault(4).unwrap(), "of 4 messages: 2 lost", "the last ones too");
        assert_eq!(tally(&[0, 1, 1, 2, 0]).fault(3).unwrap(), "of 3 messages: 2 doubled");
        assert_eq!(tally(&[0, 2, 1, 3]).fault(4).unwrap(), "of 4 messages: 1 out of order");
        assert_eq!(tally(&[0, 1, 9]).fault(2).unwrap(), "of 2 messages: 1 never sent");
        assert_eq!(tally(&[0, MESSAGES_MAX]).fault(1).unwrap(), "of 1 messages: 1 never sent");
        assert_eq!(tally(&[0, 3, 2, 2]).fault(5).unwrap(), "of 5 messages: 2 lost, 1 doubled, 1 out of order");
    }

    #[test]
    fn a_screen_ends_with_the_last_messages() {
        let fault =
            |numbers: &[usize]| screen_fault(numbers.iter().map(|&number| format!("m0 > {}", marked(number))), 9);
        assert_eq!(fault(&[6, 7, 8]), None);
        assert!(fault(&[5, 7, 8]).is_some() && fault(&[6, 7]).is_some() && fault(&[]).is_some());
        assert!(fault(&[7, 8, 8]).is_some() && fault(&[8, 7]).is_some());
        assert_eq!(screen_fault([""], 0), None);
    }
}
