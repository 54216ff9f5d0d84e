//! Texts about sealed messages: what was noticed stands before the text, in brackets.

use glassline_keyring::KnownMember;
use glassline_secure::Identity;
use glassline_secure::seal::{Kind, Opened, Order, View};
use glassline_wire::link::IdentityKey;

/// Mark of a readable message in a sealed room.
pub(super) const NOT_SEALED: &str = "[not sealed: everybody on the way may have read or made this] ";

/// Returns the text of an opened message, behind notes on what was noticed about it.
pub(super) fn with_notes(opened: &Opened, from: &str) -> String {
    let Opened { content, facts } = opened;
    let mut notes = Vec::new();
    if content.name != from {
        notes.push(format!("signed by {}", content.name));
    }
    match facts.order {
        Order::InOrder | Order::CannotTell => {}
        Order::Missing(1) => notes.push("1 message of theirs before it is missing".to_owned()),
        Order::Missing(count) => notes.push(format!("{count} messages of theirs before it are missing")),
        Order::Repeated => notes.push("repeated: you have had this before".to_owned()),
        Order::Older => notes.push("delayed: it is older than one you have had".to_owned()),
    }
    if facts.view == View::Differs {
        notes.push("its sender has seen other messages than you: the server shows members different things".to_owned());
    }
    if !facts.is_current_epoch {
        notes.push("sealed under a key that was replaced".to_owned());
    }
    match content.kind {
        Kind::Text | Kind::Action => {}
        Kind::Edit { .. } => notes.push("a correction of an earlier message".to_owned()),
        Kind::Deletion { .. } => notes.push("asks to delete an earlier message".to_owned()),
    }
    if notes.is_empty() { content.text.clone() } else { format!("[{}] {}", notes.join("] ["), content.text) }
}

/// Explains why a message of a known name under another key is not shown.
pub(super) fn changed_key(known: &KnownMember, key: &IdentityKey) -> String {
    let new = Identity::fingerprint_of(key).map_or_else(|| "no key".to_owned(), |key| key.to_string());
    format!(
        "it is signed as {} by another key than the one known since {}. Known: {}. This one: {new}. It may be an \
         impostor; ask {} over another way, and let them compare `glassline keys show`. `glassline keys trust` \
         accepts the new key. Until then nothing is sent to this room",
        known.name, known.since, known.key, known.name
    )
}

/// Explains why messages under another key of the same number are not read, and the way out.
pub(super) fn fork(room: &str) -> String {
    format!(
        "two keys of {room} were begun at the same time, and this is under the other one, so neither side reads the \
         other. Agree who gives way: one side only enters /unseal twice, then /seal with the other side's passphrase, \
         which joins the other's key"
    )
}
