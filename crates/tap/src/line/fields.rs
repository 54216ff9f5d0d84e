//! Fields of a frame: changed, and the frame encoded again with its new length.

use glassline_wire::frame::{parse_header, put_frame};
use glassline_wire::limits::HEADER_BYTES;
use serde_json::{Map, Value};

use super::unit::Form;
use crate::rules::Edit;
use crate::tls_record::{self, RECORD_HEADER_BYTES};

/// Cause for which nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EditError {
    /// The frame has none of these fields, or not these words in them.
    Absent,
    /// Its bytes have no fields that can be read.
    Unreadable,
}

/// Returns the frame with these changes; those whose field it does not have are left out.
pub(super) fn edited(bytes: &[u8], form: Form, edits: &[Edit]) -> Result<Vec<u8>, EditError> {
    match form {
        Form::Event => {
            let (payload, _) = split_frame(bytes).ok_or(EditError::Unreadable)?;
            let mut object: Map<String, Value> = serde_json::from_slice(payload).map_err(|_| EditError::Unreadable)?;
            let changes = edits.iter().filter(|edit| change_event(&mut object, edit)).count();
            if changes == 0 { Err(EditError::Absent) } else { Ok(event(&object)) }
        }
        Form::Name | Form::Text | Form::Pair => edited_texts(bytes, form, edits),
        Form::Payload | Form::Record | Form::Bytes => Err(EditError::Unreadable),
    }
}

/// The frame of a request or an event.
pub(super) fn event(object: &Map<String, Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_frame(&mut bytes, Value::Object(object.clone()).to_string().as_bytes());
    bytes
}

/// The frames of these payloads.
pub(super) fn frames(payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for payload in payloads {
        put_frame(&mut bytes, payload);
    }
    bytes
}

/// Returns where the payload begins: that of the text in a pair. Bytes without a header are a
/// payload as a whole.
pub(super) fn payload_offset(bytes: &[u8], form: Form) -> usize {
    match (form, split_frame(bytes)) {
        (Form::Record, _) => tls_record::record(bytes).map_or(0, |_| RECORD_HEADER_BYTES),
        (Form::Bytes, _) | (_, None) => 0,
        (Form::Pair, Some((name, rest))) if rest.len() >= HEADER_BYTES => 2 * HEADER_BYTES + name.len(),
        (_, Some(_)) => HEADER_BYTES,
    }
}

/// Splits bytes into the payload of the first frame, and what follows it.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    rest.split_at_checked(usize::try_from(parse_header(*header).ok()?).ok()?)
}

fn edited_texts(bytes: &[u8], form: Form, edits: &[Edit]) -> Result<Vec<u8>, EditError> {
    let mut rest = bytes;
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let (payload, after) = split_frame(rest).ok_or(EditError::Unreadable)?;
        texts.push(std::str::from_utf8(payload).map_err(|_| EditError::Unreadable)?.to_owned());
        rest = after;
    }
    let fields: &[&str] = match form {
        Form::Name => &["name"],
        Form::Pair => &["name", "text"],
        _ => &["text"],
    };
    if texts.len() != fields.len() {
        return Err(EditError::Unreadable);
    }
    let mut changes = 0;
    for edit in edits {
        let wanted = if edit.field() == "from" { "name" } else { edit.field() };
        if let Some(at) = fields.iter().position(|field| *field == wanted)
            && let Some(text) = changed_text(&texts[at], edit)
        {
            texts[at] = text;
            changes += 1;
        }
    }
    let payloads: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    if changes == 0 { Err(EditError::Absent) } else { Ok(frames(&payloads)) }
}

fn changed_text(text: &str, edit: &Edit) -> Option<String> {
    match edit {
        Edit::Set { value: Value::String(value), .. } => Some(value.clone()),
        Edit::Set { value, .. } => Some(value.to_string()),
        Edit::Replace { old, new, .. } => {
            (!old.is_empty() && text.contains(old.as_str())).then(|| text.replace(old.as_str(), new))
        }
        Edit::Add { .. } => None,
    }
}

/// Changes one field; returns false if it is not there.
fn change_event(object: &mut Map<String, Value>, edit: &Edit) -> bool {
    let field = match edit.field() {
        "name" if !object.contains_key("name") && object.contains_key("from") => "from",
        field => field,
    };
    match edit {
        Edit::Add { value, .. } => {
            object.insert(field.to_owned(), value.clone());
            true
        }
        Edit::Set { value, .. } => object.get_mut(field).map(|there| *there = value.clone()).is_some(),
        Edit::Replace { .. } => {
            let text = object.get(field).and_then(Value::as_str).and_then(|text| changed_text(text, edit));
            text.and_then(|text| object.get_mut(field).map(|there| *there = Value::String(text))).is_some()
        }
    }
}
