//! Lines of an import: bounded, in UTF-8, the first of which names the schema.

use std::io::{BufRead, Read};

use glassline_wire::event::{Event, SCHEMA_VERSION};
use glassline_wire::limits::EVENT_BYTES_MAX;
use serde_json::Value;

use super::errors::TransferError;

/// Mark with which some programs begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// First bytes of other files, and the description of each.
const OTHER_FORMS: [(&[u8], &str); 5] = [
    (b"\xFF\xFE", "is UTF-16; save it as UTF-8, then import again"),
    (b"\xFE\xFF", "is UTF-16; save it as UTF-8, then import again"),
    (b"{\0", "is UTF-16; save it as UTF-8, then import again"),
    (b"\x1F\x8B", "is compressed; decompress it with gunzip, then import again"),
    (b"SQLite format 3\0", "is a history and no export of one; write `glassline history export --history FILE` first"),
];

pub(super) struct LineReader<'l> {
    input: &'l mut dyn BufRead,
    number: u64,
    line: Vec<u8>,
    pub(super) bytes: u64,
}

impl<'l> LineReader<'l> {
    /// Reads the first line, which names the schema.
    pub(super) fn begin(input: &'l mut dyn BufRead) -> Result<Self, TransferError> {
        let mut lines = Self { input, number: 0, line: Vec::new(), bytes: 0 };
        let first = lines.next()?.unwrap_or_default();
        let said: Value = serde_json::from_slice(first).unwrap_or_default();
        if said["type"] == "schema" && said["version"] == SCHEMA_VERSION {
            return Ok(lines);
        }
        let schema = schema_line();
        let schema = String::from_utf8_lossy(&schema);
        let why = match Event::from_json(first) {
            _ if lines.bytes == 0 => ": the input is empty",
            Ok(Event::Message(_) | Event::Act(_)) => "; it is taken for a later line: put that one before it",
            _ => "",
        };
        Err(lines.wrong(format!("does not say {schema}, as that of every export does{why}")))
    }

    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TransferError> {
        self.number += 1;
        self.line.clear();
        let read = Read::take(&mut *self.input, EVENT_BYTES_MAX as u64 + 1).read_until(b'\n', &mut self.line);
        self.bytes += read.map_err(|cause| TransferError::Input { line: self.number, cause })? as u64;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.number == 1 {
            self.check_utf8()?;
        }
        if self.line.len() > EVENT_BYTES_MAX && !self.is_whole() {
            return Err(self.wrong(format!("is longer than {EVENT_BYTES_MAX} bytes")));
        }
        Ok(Some(self.line.trim_ascii()))
    }

    /// Returns whether the line has its end; the last may have none, or be cut off.
    pub(super) fn is_whole(&self) -> bool {
        self.line.last() == Some(&b'\n')
    }

    pub(super) fn wrong(&self, detail: String) -> TransferError {
        TransferError::Line { line: self.number, detail }
    }

    fn check_utf8(&mut self) -> Result<(), TransferError> {
        if self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        let form = OTHER_FORMS.iter().find(|(start, _)| self.line.starts_with(start));
        form.map_or(Ok(()), |(_, detail)| Err(TransferError::Form(detail)))
    }
}

pub(super) fn schema_line() -> Vec<u8> {
    format!(r#"{{"type":"schema","version":{SCHEMA_VERSION}}}"#).into_bytes()
}
