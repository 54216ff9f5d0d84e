//! Attacks that pose as one of the two ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use glassline_tap::Direction;
use glassline_wire::frame::frame;
use glassline_wire::opening::EVENT_OPENING;
use serde_json::json;

use crate::bytes::find;
use crate::chat::{Conversation, Member, Server};
use crate::lab::{ALICE, BOB, Lab, MALLORY};
use crate::outcome::{Defect, Outcome};
use crate::scheme::{Memory, ServerKeys};
use crate::seal::Received;

/// Result of an attempt to pose as the server.
pub(super) struct Posed {
    /// The attacker has read this text of Alice, or Alice has heard the attacker's.
    pub(super) is_believed: bool,
    /// Alice's token, if she has sent it.
    pub(super) token: Option<String>,
    pub(super) complaint: Option<String>,
}

/// Has Alice connect to an attacker with these server keys.
pub(super) fn pose(lab: &mut Lab<'_>, keys: &ServerKeys, memory: &Arc<Memory>, token: Option<String>) -> Posed {
    // The attacker runs a server of its own, with a member who says what the attacker wants.
    let chat = Rc::new(RefCell::new(Server::new(lab.random().clone())));
    let puppet = lab.voice_with(BOB, "no passphrase that anybody uses");
    chat.borrow_mut().add_listener(BOB, puppet);
    let (client, server) = (lab.client_layers(memory), lab.server_layers_with(keys));
    let alice = Member { token: token.clone(), ..lab.alice() };
    let mut conversation = Conversation::new(client, server, alice, chat);
    conversation.pump();
    let text = lab.random().word();
    conversation.member_says(&text);
    conversation.pump();
    let false_text = lab.random().word();
    conversation.listener_says(BOB, &false_text);
    conversation.pump();
    let read = conversation.server.received();
    let is_received = conversation.received().iter().any(|received| received.text() == Some(&false_text));
    let token = token.filter(|token| find(read, token.as_bytes()).is_some());
    Posed {
        is_believed: find(read, text.as_bytes()).is_some() || is_received,
        token,
        complaint: conversation
            .client
            .error()
            .map(str::to_owned)
            .or_else(|| conversation.received().iter().find_map(Received::warning).map(str::to_owned)),
    }
}

/// Judges an attempt, of which the client has been told or not.
pub(super) fn judge(lab: &mut Lab<'_>, posed: &Posed) -> Outcome {
    if posed.is_believed {
        lab.note("alice's text is read, or she hears a text of the attacker");
        return Outcome::Succeeds;
    }
    if let Some(complaint) = &posed.complaint {
        lab.note(format!("alice is told: {complaint}"));
        return Outcome::Detected;
    }
    lab.note("neither is a text of alice read, nor does she hear one");
    Outcome::Stopped
}

pub(crate) fn impersonate_server(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    let (keys, memory) = (lab.strangers_server_keys(), lab.verified());
    lab.note("alice, who has compared the server's key, is connected to somebody without it");
    let posed = pose(lab, &keys, &memory, None);
    lab.session(&chat)?;
    Ok(judge(lab, &posed))
}

pub(crate) fn first_use(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    // That a first contact without attacker works is part of the cell.
    let memory = Memory::first_contact();
    let (client, server, alice) = (lab.client_layers(&memory), lab.server_layers(), lab.alice());
    let mut honest = Conversation::new(client, server, alice, Rc::clone(&chat));
    honest.pump();
    if !honest.is_established() {
        let cause = honest.error().unwrap_or_default();
        lab.note(format!("without the server's key there is no connection at all: {cause}"));
        return Ok(Outcome::Stopped);
    }
    lab.exchange(&mut honest, &chat)?;
    honest.close();
    let memory = Memory::first_contact();
    let keys = lab.strangers_server_keys();
    lab.note("alice, who has never been there, is connected to somebody else");
    let posed = pose(lab, &keys, &memory, None);
    let outcome = judge(lab, &posed);
    if outcome == Outcome::Succeeds {
        let (client, server, alice) = (lab.client_layers(&memory), lab.server_layers(), lab.alice());
        let mut later = Conversation::new(client, server, alice, chat);
        later.pump();
        let reported = later.client.error().unwrap_or("nothing").to_owned();
        lab.note(format!("when she reaches the true server later, she is told: {reported}"));
    }
    Ok(outcome)
}

pub(crate) fn impersonate_member(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut alice = lab.session(&chat)?;
    let Some(token) = alice.token().map(str::to_owned) else {
        return Err(Defect("alice has no token".to_owned()));
    };
    // The attacker has recorded her session, and poses as the server when she reconnects.
    let recording: Vec<u8> = alice.recording().iter().flat_map(|piece| piece.bytes.clone()).collect();
    let seen = find(&recording, token.as_bytes()).map(|_| token.clone());
    let (outsider, memory) = (lab.strangers_server_keys(), lab.verified());
    let reported = pose(lab, &outsider, &memory, Some(token)).token;
    let stolen = seen.or(reported);
    lab.note(format!("the attacker {} alice's token", if stolen.is_some() { "has" } else { "does not have" }));
    let keys = lab.strangers_member_keys();
    let random = lab.random().secret();
    let (client, server) = (lab.scheme().link().client(&keys, &memory, random), lab.server_layers());
    let voice = lab.voice_with(MALLORY, "no passphrase that anybody uses");
    let posing = Member { name: ALICE.to_owned(), token: stolen, voice };
    let mut attacker = Conversation::new(client, server, posing, Rc::clone(&chat));
    attacker.pump();
    let is_reached = attacker.logged_in() == Some(ALICE);
    let complaint = attacker.error();
    lab.note(format!("the server lets the attacker in under her name: {is_reached} ({complaint:?})"));
    // She goes on in any case: her connection is another one.
    lab.exchange(&mut alice, &chat)?;
    Ok(if is_reached { Outcome::Succeeds } else { Outcome::Stopped })
}

pub(crate) fn downgrade(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut honest = lab.session(&chat)?;
    honest.close();
    let first = honest.recording().first().map(|piece| piece.bytes.clone()).unwrap_or_default();
    if first.starts_with(EVENT_OPENING) {
        return Ok(Outcome::DoesNotApply("there is nothing below plain text".to_owned()));
    }
    let welcome = json!({"type": "welcome", "name": ALICE, "token": "x", "server": "plain/1"}).to_string();
    let notice = json!({"type": "bye", "text": "this server has no encryption"}).to_string();
    let answers = [frame(welcome.as_bytes()), frame(notice.as_bytes()), EVENT_OPENING.to_vec(), first, Vec::new()];
    let mut complaint = None;
    for answer in answers {
        let mut conversation = lab.connect(&chat);
        conversation.act();
        let mut sent = conversation.take(Direction::ToServer);
        conversation.put(Direction::ToClient, &answer);
        if answer.is_empty() {
            conversation.client.end_of_input();
        }
        let text = lab.random().word();
        conversation.member_says(&text);
        for _ in 0..3 {
            conversation.act();
            sent.extend(conversation.take(Direction::ToServer));
        }
        if find(&sent, EVENT_OPENING).is_some() || find(&sent, text.as_bytes()).is_some() {
            lab.note("after an answer without protection the client speaks plain text");
            return Ok(Outcome::Succeeds);
        }
        complaint = complaint.or_else(|| conversation.client.error().map(str::to_owned));
    }
    lab.session(&chat)?;
    lab.note(format!("answers without protection: no plain text is sent; the client is told {complaint:?}"));
    Ok(if complaint.is_some() { Outcome::Detected } else { Outcome::Stopped })
}
