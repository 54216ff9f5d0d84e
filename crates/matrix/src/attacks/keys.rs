//! Attacks with keys that were stolen.

use glassline_tap::Direction;
use glassline_wire::layer::LayerStack;
use serde_json::Value;

use super::passive::{self, Recorded};
use super::peer;
use crate::bytes::find;
use crate::chat::{End, Passed};
use crate::lab::{ALICE, Lab, MALLORY};
use crate::outcome::{Defect, Outcome};
use crate::scheme::ServerKeys;
use crate::seal::{Body, Posted, Voice};
use crate::secret::Secret;

/// Plaintext that an end computes from the recorded bytes of its peer.
fn computed(stack: LayerStack, pieces: &[Passed], direction: Direction) -> Vec<u8> {
    let mut end = End::server(stack);
    for piece in pieces.iter().filter(|piece| piece.direction == direction) {
        end.receive(&piece.bytes);
        let _ = end.take_output();
    }
    end.received().to_vec()
}

/// Places of a piece at which a random number that was sent in the clear may stand.
const CLEAR_PLACES: usize = 48;

/// Candidates for the random numbers of the session: fresh ones, and everything that was sent in the
/// clear when it began.
fn candidates(lab: &mut Lab<'_>, pieces: &[Passed], sender: Direction) -> Vec<Secret> {
    let mut candidates = vec![lab.random().secret()];
    if let Some(first) = pieces.iter().find(|piece| piece.direction == sender) {
        let windows = first.bytes.windows(size_of::<Secret>()).take(CLEAR_PLACES);
        candidates.extend(windows.filter_map(|window| Secret::try_from(window).ok()));
    }
    candidates
}

/// Runs the scheme's own code with the stolen keys over a recording, in the place of each end.
fn read_with_keys(lab: &mut Lab<'_>, recorded: &Recorded) -> Option<&'static str> {
    let (link, pieces) = (lab.scheme().link(), &recorded.pieces);
    let (server, client, memory) = (lab.server_keys(), lab.alice_keys(), lab.verified());
    // The passphrase of a seal is a long-term key, too.
    let mut thief = lab.voice(MALLORY);
    let mut is_read = |plaintext: &[u8]| {
        let is_plain = |secret: &String| find(plaintext, secret.as_bytes()).is_some();
        recorded.secrets.iter().any(is_plain)
            || recorded.secrets.iter().any(|secret| opens(&mut *thief, plaintext, secret))
    };
    for random in candidates(lab, pieces, Direction::ToClient) {
        if is_read(&computed(link.server(&server, random), pieces, Direction::ToServer)) {
            return Some("the server's code gives the text, with its stolen keys");
        }
    }
    for random in candidates(lab, pieces, Direction::ToServer) {
        if is_read(&computed(link.client(&client, &memory, random), pieces, Direction::ToClient)) {
            return Some("the client's code gives the text, with its stolen keys");
        }
    }
    recorded.read()
}

/// Opens the sealed requests in a stream of plaintext, and returns whether one of them has the text.
fn opens(thief: &mut dyn Voice, plaintext: &[u8], text: &str) -> bool {
    let mut stream = End::server(LayerStack::default());
    stream.receive(plaintext);
    let requests = std::iter::from_fn(|| stream.next_frame());
    let sealed = requests.filter_map(|request| posted_of(&request));
    sealed.into_iter().any(|posted| thief.receive(&posted).shown() == Some(text))
}

/// Reads a request as the server would post it.
fn posted_of(request: &Value) -> Option<Posted> {
    let text_of = |field: &str| request[field].as_str().map(str::to_owned);
    let body = Body { text: text_of("text")?, sealed: Some(text_of("sealed")?) };
    Some(Posted { number: 1, room: text_of("room")?, id: text_of("id")?, from: ALICE.to_owned(), body })
}

fn judged(lab: &mut Lab<'_>, way: Option<&str>) -> Outcome {
    if let Some(way) = way {
        lab.note(format!("a text is read: {way}"));
        return Outcome::Succeeds;
    }
    lab.note("no text is read from the recording with the long-term keys of both sides");
    Outcome::Stopped
}

pub(crate) fn past(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let recorded = passive::record(lab, &chat)?;
    lab.note("after the session all long-term keys of both sides are stolen");
    let way = read_with_keys(lab, &recorded);
    Ok(judged(lab, way))
}

pub(crate) fn future_passive(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    lab.note("all long-term keys of both sides are stolen; a later session is recorded");
    let recorded = passive::record(lab, &chat)?;
    let way = read_with_keys(lab, &recorded);
    Ok(judged(lab, way))
}

pub(crate) fn future_active(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    let (keys, memory) = (lab.server_keys(), lab.verified());
    lab.note("the server's long-term keys are stolen; alice is connected to the thief");
    let posed = peer::pose(lab, &keys, &memory, None);
    Ok(peer::judge(lab, &posed))
}

pub(crate) fn compromise_impersonation(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    let alice = lab.alice_keys();
    let memory = lab.verified();
    lab.note("alice's own long-term keys are stolen; she is connected to the thief, who poses as the server");
    let mut outcome = Outcome::Stopped;
    for own in [lab.random().secret(), alice.own, alice.shared] {
        let posed = peer::pose(lab, &ServerKeys { own, shared: alice.shared }, &memory, None);
        outcome = peer::judge(lab, &posed);
        if outcome == Outcome::Succeeds {
            break;
        }
    }
    Ok(outcome)
}
