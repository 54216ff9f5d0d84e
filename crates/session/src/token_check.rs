//! Check of texts for others: no text of a request may hold an operator token (O1).

use glassline_wire::commands::OP;
use glassline_wire::operator_token::is_in;
use glassline_wire::request::Ask;

use crate::command::CommandError;

/// Refuses a request that would publish an operator token, right or wrong. Errors:
/// [`CommandError::Token`].
pub(crate) fn check_request(ask: &Ask) -> Result<(), CommandError> {
    match ask {
        Ask::Send(send) => check(&send.text),
        Ask::Direct(direct) => check(&direct.text),
        Ask::Rename(rename) => check(&rename.name),
        Ask::Away(away) => check(away.text.as_deref().unwrap_or_default()),
        Ask::Join(room) => check(&room.room),
        Ask::Operate(operate) => check_line(&operate.line),
        // Only the server reads these.
        Ask::Hello(_)
        | Ask::Leave(_)
        | Ask::Members(_)
        | Ask::History(_)
        | Ask::Search(_)
        | Ask::Whois(_)
        | Ask::Rooms {}
        | Ask::Ping {}
        | Ask::Pong {}
        | Ask::Bye {} => Ok(()),
    }
}

/// Refuses a command that does so; `op`, with a slash or without, is there to show a token to the
/// server. Errors: [`CommandError::Token`].
pub(crate) fn check_line(line: &str) -> Result<(), CommandError> {
    let name = line.trim_start().trim_start_matches('/').split(char::is_whitespace).next();
    if name == Some(OP) { Ok(()) } else { check(line) }
}

fn check(text: &str) -> Result<(), CommandError> {
    if is_in(text) { Err(CommandError::Token) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use glassline_wire::request::Request;
    use serde_json::json;

    const TOKEN: &str = "glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8";

    fn request(request: &serde_json::Value) -> Ask {
        Request::from_json(request.to_string().as_bytes()).expect("a request").content
    }

    #[test]
    fn no_request_discloses_a_token() {
        let id = "00000000000000000000000000000001";
        for text in [TOKEN.to_owned(), format!("it is {}", TOKEN.to_uppercase()), TOKEN.replace('4', "5")] {
            for ask in [
                json!({"type": "send", "room": "lobby", "text": text, "id": id}),
                json!({"type": "direct", "to": "bob", "text": text, "id": id}),
                json!({"type": "rename", "name": text}),
                json!({"type": "away", "text": text}),
                json!({"type": "join", "room": text}),
                json!({"type": "operate", "line": format!("motd {text}")}),
                json!({"type": "operate", "line": format!("kick bob {text}")}),
            ] {
                assert_eq!(check_request(&request(&ask)), Err(CommandError::Token), "{ask}");
            }
        }
        for ask in [
            json!({"type": "operate", "line": format!("op {TOKEN}")}),
            json!({"type": "send", "room": "lobby", "text": "glop_", "id": id}),
            json!({"type": "away"}),
            json!({"type": "ping"}),
        ] {
            assert_eq!(check_request(&request(&ask)), Ok(()), "{ask}");
        }
        for line in [format!("/me {TOKEN}"), format!("/msg bob {TOKEN}"), format!("/opp {TOKEN}")] {
            assert_eq!(check_line(&line), Err(CommandError::Token), "{line}");
        }
        assert_eq!(check_line(&format!("/op {TOKEN}")), Ok(()));
    }
}
