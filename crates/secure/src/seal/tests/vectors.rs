//! The golden vectors in `spec/vectors/sealed.json`; their README describes the format.

use serde_json::{Value, json};

use super::super::Seal;
use super::*;
use glassline_wire::hex::encode as hex;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/sealed.json");

/// Name of the variant, as in the clauses.
fn cause(error: &OpenError) -> String {
    let shown = format!("{error:?}");
    let name = shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let words = name.char_indices().map(|(at, c)| {
        if at > 0 && c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_lowercase().to_string() }
    });
    words.collect()
}

fn epoch(passphrase: &str, (record, key): &(EpochRecord, EpochKey)) -> Value {
    let mut value = key.exposed();
    value["passphrase"] = passphrase.into();
    value["room"] = record.room().into();
    value["epoch"] = record.number().into();
    value["record"] = hex(record.as_bytes()).into();
    value["hash"] = hex(&record.hash()).into();
    value["signer"] = hex(&record.signer()).into();
    value
}

fn message(field: &str, seq: u64, room: &mut SealedRoom) -> Value {
    let envelope = Envelope::from_field(field).unwrap();
    let opened = deliver(room, &envelope, seq).unwrap();
    let content = opened.content;
    let (kind, target, revision) = match content.kind {
        Kind::Text => ("text", None, 0),
        Kind::Action => ("action", None, 0),
        Kind::Edit { target, revision } => ("edit", Some(target), revision),
        Kind::Deletion { target, revision } => ("deletion", Some(target), revision),
    };
    json!({
        "id": envelope.message().to_string(), "seq": seq, "sealed": field, "hash": hex(&envelope.hash()),
        "sender": hex(&content.sender), "name": content.name, "kind": kind, "text": content.text,
        "target": target.map(|target| target.to_string()), "revision": revision, "counter": envelope.counter(),
        "last_seen": envelope.last_seen().seq,
    })
}

/// Messages that a receiver in both epochs of "den" refuses.
fn refused(good: &str) -> Vec<Value> {
    use base64ct::{Base64Unpadded, Encoding};
    let honest = Base64Unpadded::decode_vec(good).unwrap();
    let envelope = Envelope::from_field(good).unwrap();
    let associated = envelope.split().0;
    let changed = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        Base64Unpadded::encode_string(&bytes)
    };
    let mut random = replayable("refused");
    let mut seal = |epoch, id| {
        let mut room = room_of(&[epoch]);
        room.run_for_tests([7; 16]);
        room.seal(&alice(), MessageId(id), "alice", Kind::Text, "hi", &mut random).unwrap()
    };
    let elsewhere = seal(&EPOCHS.elsewhere, 1);
    let other_id = seal(&EPOCHS.first, 2);
    let mut plaintext = super::super::Content::sign("alice", Kind::Text, "hi", &bob(), associated).unwrap();
    plaintext[..32].copy_from_slice(&alice().public());
    let in_her_name = EPOCHS.first.1.clone().seal(associated, &plaintext, &mut random).unwrap();
    let fields = [
        ("version 2", changed(0)),
        ("salt changed", changed(25)),
        ("last byte changed", changed(honest.len() - 1)),
        ("cut", Base64Unpadded::encode_string(&honest[..honest.len() - 1])),
        ("header only", Base64Unpadded::encode_string(associated)),
        ("padding", format!("{good}=")),
        ("another room", elsewhere),
        ("another id", other_id),
        ("another member's signature", Base64Unpadded::encode_string(&[associated, &in_her_name].concat())),
    ];
    let mut receiver = room_of(&[&EPOCHS.first, &EPOCHS.second]);
    let refuse = |(what, field): (&str, String)| {
        let placed = Placed::Page { id: Some(MessageId(1)) };
        let error = Envelope::from_field(&field).and_then(|envelope| receiver.open(&envelope, placed)).unwrap_err();
        json!({"what": what, "id": MessageId(1).to_string(), "sealed": field, "cause": cause(&error)})
    };
    fields.into_iter().map(refuse).collect()
}

fn vectors() -> Value {
    let mut random = replayable("messages");
    let mut senders = room_of(&[&EPOCHS.first]);
    senders.run_for_tests([5; 16]);
    let mut receiver = den();
    let mut messages = Vec::new();
    let target = MessageId(1);
    let kinds = [Kind::Text, Kind::Action, Kind::Edit { target, revision: 1 }, Kind::Deletion { target, revision: 2 }];
    for (seq, (kind, text)) in (1..).zip(kinds.into_iter().zip(["hello", "waves", "h\u{e4}llo", ""])) {
        let id = MessageId(u128::from(seq));
        let field = senders.seal(&alice(), id, "alice", kind, text, &mut random).unwrap();
        messages.push(message(&field, seq, &mut receiver));
        deliver(&mut senders, &Envelope::from_field(&field).unwrap(), seq).unwrap();
    }
    let mut senders = room_of(&[&EPOCHS.first, &EPOCHS.second]);
    senders.run_for_tests([6; 16]);
    let field = senders.seal(&bob(), MessageId(5), "bob", Kind::Text, "new key", &mut random).unwrap();
    receiver.accept(&EPOCHS.second.0, EPOCHS.second.1.clone()).unwrap();
    messages.push(message(&field, 5, &mut receiver));
    let good = messages[0]["sealed"].as_str().unwrap().to_owned();
    let phrase = passphrase().expose().to_owned();
    json!({
        "clauses": "S",
        "epochs": [
            epoch(&phrase, &EPOCHS.first), epoch(&phrase, &EPOCHS.second), epoch(&phrase, &EPOCHS.elsewhere),
        ],
        "messages": messages,
        "refused": refused(&good),
    })
}

/// After a change of the format: `GLASSLINE_UPDATE=1 cargo test -p glassline-secure vectors`.
#[test]
fn sealed_messages_are_those_of_the_vectors() {
    let made = vectors();
    if std::env::var_os("GLASSLINE_UPDATE").is_some() {
        std::fs::write(FILE, format!("{made:#}\n")).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    assert_eq!(made, kept);
}
