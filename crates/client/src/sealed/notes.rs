//! Texts about sealed messages: what was noticed stands before the text, in brackets.

use std::time::Instant;

use glassline_keyring::{ChangedMember, KnownMember};
use glassline_secure::Identity;
use glassline_secure::seal::{EpochRecord, KeyId, Kind, Opened, Order, Passphrase, View};
use glassline_wire::link::IdentityKey;

use super::candidates::{Candidate, Standing};
use super::room::Room;
use crate::format::safe::name;

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

/// Explains why a message of a known name under another key is not shown: with all facts at first,
/// and in one line once that key was refused.
pub(super) fn changed_key(changed: &ChangedMember, key: &IdentityKey) -> String {
    let ChangedMember { known: KnownMember { address, name, key: known, since, .. }, is_new } = changed;
    let Some(new) = Identity::fingerprint_of(key) else {
        return format!("it is signed as {name} by no key; {name} or the server is at fault");
    };
    let member = member_option(name);
    let stopped = "Until then nothing is sent to this room";
    if !is_new {
        return format!(
            "it is signed as {name} by another key than the known one, as before; `glassline keys trust {member} \
             {address} {}` accepts it. {stopped}",
            new.words()
        );
    }
    format!(
        "it is signed as {name} by another key than the one known since {}. Known: {known}. This one: {new}. It may be \
         an impostor; ask {name} over another way, and let them compare `glassline keys show`. `glassline keys trust \
         {member} {address} {}` accepts the new key. {stopped}",
        since.in_words(),
        new.hex()
    )
}

/// Explains why messages under another key of the same number are not read, and the way out.
pub(super) fn fork(room: &str) -> String {
    format!(
        "this is under another key of {room} with the same number as yours. If a member began it at the same time, \
         neither side reads the other; agree who gives way: one side only enters /unseal twice, then /seal with the \
         other side's passphrase, which joins the other's key. If no member did, it is made up; do nothing"
    )
}

/// Explains that the user's passphrase opens none of the keys that were tried; `current` is the one
/// that is used all the same.
pub(super) fn rejected(room: &str, newest: &Candidate, current: Option<KeyId>) -> String {
    let (key, epoch) = (newest.record.key_id(), newest.record.number());
    let signer = signer(newest.standing);
    match current {
        Some(current) => format!(
            "{room} may have a newer key than yours: your passphrase gives another key than {key} (epoch {epoch}), whose \
             record {signer}. You go on under {current}. If a member has begun it, ask for its passphrase and enter that \
             with /seal; your passphrase, entered again with /seal, begins a new key"
        ),
        None => format!(
            "this passphrase gives another key than {key} (epoch {epoch}) of {room}, whose record {signer}. Ask a member \
             for the passphrase of epoch {epoch}; if there is no such key, /history and then /seal try those of older \
             messages. To begin a new key with your passphrase instead, enter it again with /seal"
        ),
    }
}

fn signer(standing: Standing) -> &'static str {
    match standing {
        Standing::SignerUnknown => "is signed by a key that is not known here, so anybody may have made it up",
        Standing::SignerKnown => "is signed by a member whose key is known here",
        Standing::Accepted => "was accepted here before",
    }
}

/// Explains why a message whose key is not here is not shown, and what opens it.
pub(super) fn without_key(record: &EpochRecord, room: &Room) -> String {
    let (key, epoch) = (record.key_id(), record.number());
    match room.candidate(record) {
        None if room.is_replaced(record) => format!(
            "it is under key {key} (epoch {epoch}), which a newer one has replaced, and which is not here; ask a member \
             who has it"
        ),
        Some((candidate, _)) if candidate.is_rejected => format!(
            "your passphrase gives another key than {key} (epoch {epoch}), whose record {}; if a member has begun it, \
             enter its passphrase with /seal",
            signer(candidate.standing)
        ),
        Some((_, Some(due_at))) => format!(
            "key {key} (epoch {epoch}) is tried in {} s at the earliest, since each try takes much memory and anybody can \
             make such a message; /seal with its passphrase tries it at once",
            due_at.saturating_duration_since(Instant::now()).as_secs() + 1
        ),
        _ => format!("key {key} (epoch {epoch}) is not here; enter the room's passphrase with /seal"),
    }
}

/// Warns of a passphrase of a room that a program can guess.
pub(super) fn weak(room: &str) -> String {
    format!(
        "{}: this passphrase is weak: whoever records the messages can guess it with a program. /seal and Enter alone \
         make one of six random words",
        name(room)
    )
}

/// Shows a passphrase that was generated.
pub(super) fn generated(passphrase: &Passphrase) -> String {
    format!(
        "Its passphrase is {}: tell it to the members in another way, such as by voice; it is kept nowhere",
        passphrase.expose()
    )
}

/// Option that names a member, for a shell: a name that others have chosen must not act there.
fn member_option(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c == '_';
    if name.chars().all(is_plain) {
        format!("--member {name}")
    } else {
        format!("--member='{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_keyring::{Keyring, MemberCheck, ServerAddress};
    use glassline_testkit::Folder;

    #[test]
    fn a_changed_key_is_explained_once_and_named_after() {
        let folder = Folder::new();
        let address = ServerAddress::parse("far:1234").expect("an address");
        let members = Keyring::open(folder.join("keys")).known_members(&address);
        let key = |seed| Identity::from_seed(&[seed; 32]);
        members.check("eve", &key(1).public()).expect("kept");
        let explained = || match members.check("eve", &key(2).public()) {
            Ok(MemberCheck::Changed(changed)) => changed_key(&changed, &key(2).public()),
            other => panic!("{other:?}"),
        };
        let (first, later) = (explained(), explained());
        let fingerprint = key(2).fingerprint();
        assert!(
            first.contains(&format!("`glassline keys trust --member eve far:1234 {}`", fingerprint.hex())),
            "{first}"
        );
        assert!(first.contains(&key(1).fingerprint().to_string()) && first.contains(" UTC. Known"), "{first}");
        let command = format!("`glassline keys trust --member eve far:1234 {}`", fingerprint.words());
        assert!(later.contains(&command) && !later.contains(&fingerprint.hex()), "{later}");
    }

    #[test]
    fn a_name_does_not_act_in_a_shell() {
        for (name, option) in [
            ("eve", "--member eve"),
            ("eve b", "--member='eve b'"),
            ("-x", "--member='-x'"),
            ("a';$(b)", r"--member='a'\'';$(b)'"),
        ] {
            assert_eq!(member_option(name), option);
        }
    }
}
