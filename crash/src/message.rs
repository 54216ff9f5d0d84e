//! A message from the wire or an export: read strictly, without the server's code.

use serde_json::Value;

use crate::fault::Fault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) room: String,
    /// Its number there, from 1.
    pub(crate) seq: u64,
    /// When, as the 17 digits of its RFC 3339 form in milliseconds.
    pub(crate) at: u64,
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) action: bool,
    /// Its sender's id; none from the tutorial dialect.
    pub(crate) id: Option<String>,
    /// `ref` of the request that it answers.
    pub(crate) reference: Option<String>,
}

impl Message {
    /// Reads one that was sent to `by`.
    pub(crate) fn read(by: &str, value: &Value) -> Result<Self, Fault> {
        let malformed =
            |field: &str| Fault::malformed(by, format!("a message whose `{field}` is missing or wrong: {value}"));
        let text_of = |field: &str| value[field].as_str().map(str::to_owned);
        let optional = |field: &str| match &value[field] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(malformed(field)),
        };
        Ok(Self {
            room: text_of("room").ok_or_else(|| malformed("room"))?,
            seq: value["seq"].as_u64().filter(|&seq| seq > 0).ok_or_else(|| malformed("seq"))?,
            at: value["at"].as_str().and_then(digits_of).ok_or_else(|| malformed("at"))?,
            from: text_of("from").ok_or_else(|| malformed("from"))?,
            text: text_of("text").ok_or_else(|| malformed("text"))?,
            action: match &value["action"] {
                Value::Null => false,
                Value::Bool(action) => *action,
                _ => return Err(malformed("action")),
            },
            id: optional("id")?,
            reference: optional("ref")?,
        })
    }
}

/// The digits of `2026-01-02T03:04:05.678Z` in their order; none for any other form.
fn digits_of(at: &str) -> Option<u64> {
    const FORM: &str = "0000-00-00T00:00:00.000Z";
    let fits = at.len() == FORM.len()
        && at
            .bytes()
            .zip(FORM.bytes())
            .all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
    let digits = at.bytes().filter(u8::is_ascii_digit).fold(0, |sum, byte| 10 * sum + u64::from(byte - b'0'));
    fits.then_some(digits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_the_protocol_shows() {
        let value = json!({"type": "message", "room": "den", "seq": 7, "at": "2026-01-02T03:04:05.678Z", "from": "bob",
            "text": "waves", "action": true, "id": "050e8400e29b41d4a716446655440000", "ref": "2"});
        let message = Message::read("alice", &value).unwrap();
        assert_eq!((message.seq, message.at, message.action), (7, 20_260_102_030_405_678, true));
        assert_eq!(
            (message.id.as_deref(), message.reference.as_deref()),
            (Some("050e8400e29b41d4a716446655440000"), Some("2"))
        );
    }

    #[test]
    fn refuses_what_is_missing_or_wrong() {
        let whole = json!({"room": "den", "seq": 7, "at": "2026-01-02T03:04:05.678Z", "from": "bob", "text": "x"});
        assert!(Message::read("alice", &whole).is_ok());
        for (field, bad) in [
            ("seq", json!(0)),
            ("seq", Value::Null),
            ("at", json!("2026-01-02T03:04:05Z")),
            ("at", json!("2026-01-02 03:04:05.678Z")),
            ("from", Value::Null),
            ("text", json!(1)),
            ("action", json!("yes")),
            ("id", json!(5)),
        ] {
            let mut value = whole.clone();
            value[field] = bad;
            let error = Message::read("alice", &value).unwrap_err().to_string();
            assert!(error.contains(&format!("`{field}`")), "{error}");
        }
    }
}
