//! Answers of a hook, one JSON object on a line.

use serde_json::{Map, Value};

use crate::frame::{Direction, FrameId};
use crate::line::{Decision, End};
use crate::rules::Edit;
use glassline_wire::hex;

/// A line of a hook.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    connection: u64,
    direction: Direction,
    frame: u64,
    action: Option<Action>,
    /// Bytes in hexadecimal, for `replace`.
    raw: Option<String>,
    /// Fields and their values; it is the action if there is no other.
    set: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Pass,
    Drop,
    Replace,
    Set,
    Finish,
    Reset,
}

/// Reason for which a line is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// The line is not JSON of this form.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Neither an action nor fields to set are given.
    #[error("an answer has \"action\": \"pass\", \"drop\", \"replace\", \"finish\" or \"reset\", or has \"set\"")]
    Undecided,
    /// `replace` comes without its bytes.
    #[error("\"replace\" has the bytes in \"raw\", in hexadecimal")]
    Raw,
    /// Fields are given beside an action that does not set any.
    #[error("\"set\" and \"raw\" belong to actions of their own")]
    Conflict,
}

/// Reads an answer.
pub(crate) fn parse(line: &[u8]) -> Result<(FrameId, Decision), AnswerError> {
    let Answer { connection, direction, frame, action, raw, set } = serde_json::from_slice(line)?;
    let id = FrameId { connection, direction, number: frame };
    let decision = match (action, raw, set) {
        (Some(Action::Pass), None, None) => Decision::Pass,
        (Some(Action::Drop), None, None) => Decision::Drop,
        (Some(Action::Finish), None, None) => Decision::Cut(End::Finished),
        (Some(Action::Reset), None, None) => Decision::Cut(End::Reset),
        (Some(Action::Replace), Some(raw), None) => Decision::Replace(hex::decode(&raw).ok_or(AnswerError::Raw)?),
        (Some(Action::Replace), None, None) => return Err(AnswerError::Raw),
        (Some(Action::Set) | None, None, Some(fields)) => {
            Decision::Edit(fields.into_iter().map(|(field, value)| Edit::Set { field, value }).collect())
        }
        (Some(Action::Set) | None, None, None) => return Err(AnswerError::Undecided),
        (_, Some(_), _) | (_, _, Some(_)) => return Err(AnswerError::Conflict),
    };
    Ok((id, decision))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decision(rest: &str) -> Result<Decision, AnswerError> {
        let line = format!(r#"{{"connection":1,"direction":"to_server","frame":5{rest}}}"#);
        let (id, decision) = parse(line.as_bytes())?;
        assert_eq!(id.to_string(), "1>5");
        Ok(decision)
    }

    #[test]
    fn answers_are_read() {
        let set = Decision::Edit(vec![Edit::Set { field: "text".into(), value: json!("hi") }]);
        for (rest, expected) in [
            (r#","action":"pass""#, Decision::Pass),
            (r#","action":"drop""#, Decision::Drop),
            (r#","action":"reset""#, Decision::Cut(End::Reset)),
            (r#","action":"finish""#, Decision::Cut(End::Finished)),
            (r#","action":"replace","raw":"00fF""#, Decision::Replace(vec![0, 255])),
            (r#","action":"set","set":{"text":"hi"}"#, set.clone()),
            (r#","set":{"text":"hi"}"#, set),
        ] {
            assert_eq!(decision(rest).unwrap(), expected, "{rest}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for rest in [
            "",
            r#","action":"keep""#,
            r#","action":"replace""#,
            r#","action":"replace","raw":"0""#,
            r#","action":"replace","raw":"+1""#,
            r#","action":"pass","raw":"00""#,
            r#","action":"drop","set":{}"#,
            r#","action":"pass","more":1"#,
        ] {
            assert!(decision(rest).is_err(), "{rest}");
        }
        assert!(parse(b"").is_err() && parse(b"[]").is_err() && parse(b"\xff").is_err());
    }
}
