//! The envelope around a request and around the events that answer it: the `ref` that connects them (E5).

use alloc::{borrow::Cow, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::frame::frame;

/// A request with its `ref`, or an event with the `ref` of the request it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<T> {
    /// The request or the event.
    pub content: T,
    /// The `ref`, if there is one.
    pub reference: Option<String>,
}

impl<T> Envelope<T> {
    /// Puts this `ref` around a content.
    pub fn new(content: T, reference: Option<String>) -> Self {
        Self { content, reference }
    }
}

impl<T> From<T> for Envelope<T> {
    fn from(content: T) -> Self {
        Self::new(content, None)
    }
}

impl<T: Serialize> Envelope<T> {
    /// The content, which serializes to an object that is not empty, with the `ref` as its last
    /// field; without a header.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing strings, numbers and lists of them to memory has no way to fail.
        let mut json = serde_json::to_vec(&self.content).unwrap_or_default();
        if let Some(reference) = &self.reference
            && json.pop() == Some(b'}')
        {
            json.extend_from_slice(b",\"ref\":");
            json.extend(serde_json::to_vec(reference).unwrap_or_default());
            json.push(b'}');
        }
        json
    }

    /// The same as a frame (E1).
    pub fn to_frame(&self) -> Vec<u8> {
        frame(&self.to_json())
    }
}

impl Envelope<Event> {
    /// Reads an event and its `ref` from a frame's payload; unknown fields are ignored.
    ///
    /// # Errors
    /// The payload is no event of this schema; the error's text gives the position.
    pub fn from_json(payload: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Header<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
            #[serde(rename = "ref", default)]
            reference: Option<String>,
        }
        let Header { kind, reference } = serde_json::from_slice(payload)?;
        let content = match &*kind {
            // Most events are messages. Read directly they take less time than through the enum.
            "message" => Event::Message(serde_json::from_slice(payload)?),
            _ => Event::from_json(payload)?,
        };
        Ok(Self { content, reference })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Notice;

    #[test]
    fn the_ref_is_the_last_field_and_is_read_back() {
        for (event, reference, json) in [
            (Event::Pong {}, None, r#"{"type":"pong"}"#),
            (Event::Pong {}, Some("1\"\n"), r#"{"type":"pong","ref":"1\"\n"}"#),
            (
                Event::Notice(Notice { text: "\"ref\"}".into() }),
                Some("r"),
                r#"{"type":"notice","text":"\"ref\"}","ref":"r"}"#,
            ),
        ] {
            let envelope = Envelope::new(event, reference.map(Into::into));
            assert_eq!(String::from_utf8(envelope.to_json()).as_deref(), Ok(json));
            assert_eq!(Envelope::<Event>::from_json(json.as_bytes()).expect("reads"), envelope);
        }
        let escaped = Envelope::<Event>::from_json(br#"{"type":"pong","r\u0065f":"1"}"#).expect("reads");
        assert_eq!(escaped.reference.as_deref(), Some("1"));
        assert!(Envelope::<Event>::from_json(br#"{"type":"pong","ref":5}"#).is_err());
    }
}
