//! Fields of a frame: changed, and the frame encoded again with its new length.

use glassline_wire::frame::{frame, parse_header, put_frame};
use glassline_wire::limits::HEADER_BYTES;
use glassline_wire::visible;
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

/// Fields of a frame that are listed, and bytes of the name of each.
const FIELDS_LISTED_MAX: usize = 12;
const FIELD_BYTES_SHOWN: usize = 40;
/// Bytes of a value that an effect quotes.
const QUOTED_BYTES_MAX: usize = 500;

/// A frame with other fields.
pub(super) struct Edited {
    pub(super) bytes: Vec<u8>,
    /// Changes that were made, each as `text "noon" > "midnight"`.
    pub(super) changes: Vec<String>,
}

/// Returns the frame with these changes; those whose field it does not have are left out.
pub(super) fn edited(bytes: &[u8], form: Form, edits: &[Edit]) -> Result<Edited, EditError> {
    match form {
        Form::Event => {
            let (payload, _) = split_frame(bytes).ok_or(EditError::Unreadable)?;
            let mut object: Map<String, Value> = serde_json::from_slice(payload).map_err(|_| EditError::Unreadable)?;
            let changes: Vec<String> = edits.iter().filter_map(|edit| change_event(&mut object, edit)).collect();
            if changes.is_empty() { Err(EditError::Absent) } else { Ok(Edited { bytes: event(&object), changes }) }
        }
        Form::Name | Form::Text | Form::Pair => edited_texts(bytes, form, edits),
        Form::Payload | Form::Record | Form::Bytes => Err(EditError::Unreadable),
    }
}

/// Returns which field or which words these changes do not find in a frame.
pub(super) fn absent_field(bytes: &[u8], form: Form, edits: &[Edit]) -> String {
    let object: Option<Map<String, Value>> =
        split_frame(bytes).and_then(|(payload, _)| serde_json::from_slice(payload).ok());
    let fields: Vec<&str> = match (form, &object) {
        (Form::Event, Some(object)) => object.keys().map(String::as_str).collect(),
        (Form::Name, _) => vec!["name"],
        (Form::Pair, _) => vec!["name", "text"],
        _ => vec!["text"],
    };
    let is_there =
        |edit: &&Edit| fields.contains(&edit.field()) || (edit.field() == "name" && fields.contains(&"from"));
    match edits.iter().find(|edit| !is_there(edit)) {
        Some(edit) => {
            let listed: Vec<String> = fields.iter().take(FIELDS_LISTED_MAX).map(|field| named(field)).collect();
            format!("a frame that it matches has no field {}; it has {}", named(edit.field()), listed.join(", "))
        }
        None => format!(
            "the {} of a frame that it matches does not have the words to be replaced; upper and lower case differ",
            edits.first().map(|edit| named(edit.field())).unwrap_or_default()
        ),
    }
}

/// Returns a field's name as it may be shown, cut off at a bound: a peer may have written it.
fn named(field: &str) -> String {
    visible::one_line(&field[..field.floor_char_boundary(FIELD_BYTES_SHOWN)]).into_owned()
}

/// The frame of a request or an event.
pub(super) fn event(object: &Map<String, Value>) -> Vec<u8> {
    frame(Value::Object(object.clone()).to_string().as_bytes())
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

fn edited_texts(bytes: &[u8], form: Form, edits: &[Edit]) -> Result<Edited, EditError> {
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
    let mut changes = Vec::new();
    for edit in edits {
        let wanted = if edit.field() == "from" { "name" } else { edit.field() };
        if let Some(at) = fields.iter().position(|field| *field == wanted)
            && let Some(text) = changed_text(&texts[at], edit)
        {
            changes.push(format!("{wanted} {} > {}", quoted(&texts[at]), quoted(&text)));
            texts[at] = text;
        }
    }
    let payloads: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    if changes.is_empty() { Err(EditError::Absent) } else { Ok(Edited { bytes: frames(&payloads), changes }) }
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

/// Changes one field, and returns the change; `None` if the field is not there.
fn change_event(object: &mut Map<String, Value>, edit: &Edit) -> Option<String> {
    let field = match edit.field() {
        "name" if !object.contains_key("name") && object.contains_key("from") => "from",
        field => field,
    };
    let old = object.get(field);
    let new = match edit {
        Edit::Add { value, .. } => value.clone(),
        Edit::Set { value, .. } => old.map(|_| value.clone())?,
        Edit::Replace { .. } => Value::String(changed_text(old?.as_str()?, edit)?),
    };
    let change = match old {
        Some(old) => format!("{field} {} > {}", shown(old), shown(&new)),
        None => format!("{field} {} added", shown(&new)),
    };
    object.insert(field.to_owned(), new);
    Some(change)
}

/// Returns the payload of a single frame in quotes, if it is text.
pub(super) fn quoted_payload(bytes: &[u8]) -> Option<String> {
    let (payload, _) = split_frame(bytes).filter(|(_, rest)| rest.is_empty())?;
    std::str::from_utf8(payload).ok().map(quoted)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => {
            let json = other.to_string();
            visible::one_line(&json[..json.floor_char_boundary(QUOTED_BYTES_MAX)]).into_owned()
        }
    }
}

/// Returns the beginning of a text in quotes, with escapes for what cannot be seen.
fn quoted(text: &str) -> String {
    let end = text.floor_char_boundary(QUOTED_BYTES_MAX);
    let goes_on = if end < text.len() { "…" } else { "" };
    format!("{:?}{goes_on}", &text[..end])
}
