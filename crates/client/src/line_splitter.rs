//! Bytes cut into lines of a bounded length.

/// One line, its end taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputLine {
    Text(String),
    /// Longer than the limit; its bytes are gone.
    TooLong {
        bytes: usize,
    },
    NotUtf8,
}

impl InputLine {
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// Cuts bytes into lines, however they are sliced.
#[derive(Debug)]
pub(crate) struct LineSplitter {
    line: Vec<u8>,
    /// Length of the line so far; past `line_bytes_max` its bytes are no longer kept.
    bytes: usize,
    line_bytes_max: usize,
}

impl LineSplitter {
    pub(crate) fn new(line_bytes_max: usize) -> Self {
        Self { line: Vec::new(), bytes: 0, line_bytes_max }
    }

    pub(crate) fn cut(&mut self, mut input: &[u8]) -> Vec<InputLine> {
        let mut lines = Vec::new();
        while let Some(end) = input.iter().position(|&byte| byte == b'\n') {
            self.keep(&input[..end]);
            lines.push(self.take());
            input = &input[end + 1..];
        }
        self.keep(input);
        lines
    }

    fn keep(&mut self, part: &[u8]) {
        self.bytes = self.bytes.saturating_add(part.len());
        // One byte more than the limit, so that a carriage return at its end does not count.
        if self.bytes <= self.line_bytes_max + 1 {
            self.line.extend_from_slice(part);
        } else {
            self.line = Vec::new();
        }
    }

    fn take(&mut self) -> InputLine {
        let bytes = std::mem::take(&mut self.bytes);
        let mut line = std::mem::take(&mut self.line);
        if bytes > self.line_bytes_max + 1 {
            return InputLine::TooLong { bytes };
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > self.line_bytes_max {
            return InputLine::TooLong { bytes };
        }
        String::from_utf8(line).map_or(InputLine::NotUtf8, InputLine::Text)
    }

    /// The last line, if the input ended without a newline.
    pub(crate) fn rest(&mut self) -> Option<InputLine> {
        (self.bytes > 0).then(|| self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(slices: &[&[u8]]) -> Vec<InputLine> {
        let mut cutter = LineSplitter::new(5);
        let mut lines: Vec<InputLine> = slices.iter().flat_map(|slice| cutter.cut(slice)).collect();
        lines.extend(cutter.rest());
        lines
    }

    #[test]
    fn any_slicing_gives_the_same_lines_and_long_ones_are_reported() {
        let input = b"one\r\n\n12345\r\n123456\n\xff\n1234567890\nlast";
        let expected = vec![
            InputLine::Text("one".into()),
            InputLine::Text(String::new()),
            InputLine::Text("12345".into()),
            InputLine::TooLong { bytes: 6 },
            InputLine::NotUtf8,
            InputLine::TooLong { bytes: 10 },
            InputLine::Text("last".into()),
        ];
        assert_eq!(cut(&[input]), expected);
        for at in 0..input.len() {
            assert_eq!(cut(&[&input[..at], &input[at..]]), expected, "split at {at}");
        }
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(cut(&bytes), expected);
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut cutter = LineSplitter::new(5);
        for _ in 0..1_000 {
            assert!(cutter.cut(&[b'x'; 1_000]).is_empty());
            assert!(cutter.line.capacity() <= 1_024);
        }
        assert_eq!(cutter.cut(b"\n"), [InputLine::TooLong { bytes: 1_000_000 }]);
    }
}
