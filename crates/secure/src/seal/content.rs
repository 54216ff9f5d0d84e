//! Content of a sealed message: the part inside the ciphertext.

use glassline_wire::limits::{NAME_BYTES_MAX, TEXT_BYTES_MAX};
use glassline_wire::link::IdentityKey;
use glassline_wire::message_id::MessageId;
use zeroize::Zeroizing;

use super::encoding::{Reader, Writer};
use super::{OpenError, SealError};
use crate::Identity;

const LABEL: &[u8] = b"glassline/sealed/1/message";
const SIGNATURE_BYTES: usize = 64;

/// Kind of a sealed message. Edits and deletions name the message they are about; a later revision
/// replaces an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that describes an action of its sender (`/me`).
    Action,
    /// A new text for an earlier message.
    Edit {
        /// The message it is about.
        target: MessageId,
        /// From 1.
        revision: u32,
    },
    /// Removal of an earlier message.
    Deletion {
        /// The message it is about.
        target: MessageId,
        /// From 1.
        revision: u32,
    },
}

/// Content of a sealed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Public key of the sender, who has signed all this.
    pub sender: IdentityKey,
    /// Name that the sender has chosen.
    pub name: String,
    /// Kind of message.
    pub kind: Kind,
    /// The text.
    pub text: String,
}

impl Kind {
    fn parts(self) -> (u8, MessageId, u32) {
        match self {
            Self::Text => (1, MessageId(0), 0),
            Self::Action => (2, MessageId(0), 0),
            Self::Edit { target, revision } => (3, target, revision),
            Self::Deletion { target, revision } => (4, target, revision),
        }
    }

    fn from_parts(number: u8, target: MessageId, revision: u32) -> Result<Self, OpenError> {
        match number {
            1 if target.0 == 0 && revision == 0 => Ok(Self::Text),
            2 if target.0 == 0 && revision == 0 => Ok(Self::Action),
            3 if revision > 0 => Ok(Self::Edit { target, revision }),
            4 if revision > 0 => Ok(Self::Deletion { target, revision }),
            _ => Err(OpenError::Malformed("its kind is unknown or does not fit its target")),
        }
    }
}

impl Content {
    /// Encodes the content and signs it together with the associated data.
    pub(super) fn sign(
        name: &str,
        kind: Kind,
        text: &str,
        identity: &Identity,
        associated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        for (length, longest) in [(text.len(), TEXT_BYTES_MAX), (name.len(), NAME_BYTES_MAX)] {
            if length > longest {
                return Err(SealError::TooLong(length, longest));
            }
        }
        let (number, target, revision) = kind.parts();
        let body = Writer::default()
            .fixed(&identity.public())
            .field(name.as_bytes())
            .fixed(&[number])
            .fixed(&target.0.to_be_bytes())
            .fixed(&revision.to_be_bytes())
            .field(text.as_bytes())
            .bytes();
        let body = Zeroizing::new(body);
        let signature = identity.sign(&signed(associated, &body));
        Ok(Zeroizing::new([body.as_slice(), &signature].concat()))
    }

    /// Decodes a content and verifies its signature.
    pub(super) fn verify(plaintext: &[u8], associated: &[u8]) -> Result<Self, OpenError> {
        let (body, signature) =
            plaintext.split_last_chunk::<SIGNATURE_BYTES>().ok_or(OpenError::Malformed("it has no signature"))?;
        let mut reader = Reader::new(body);
        let sender = reader.fixed()?;
        if !Identity::verify(&sender, &signed(associated, body), signature) {
            return Err(OpenError::Signature);
        }
        let name = reader.text(NAME_BYTES_MAX)?.to_owned();
        let [number] = reader.fixed()?;
        let target = MessageId(u128::from_be_bytes(reader.fixed()?));
        let revision = u32::from_be_bytes(reader.fixed()?);
        let kind = Kind::from_parts(number, target, revision)?;
        let text = reader.text(TEXT_BYTES_MAX)?.to_owned();
        reader.end()?;
        Ok(Self { sender, name, kind, text })
    }
}

fn signed(associated: &[u8], body: &[u8]) -> Zeroizing<Vec<u8>> {
    let capacity = LABEL.len() + 4 + associated.len() + body.len();
    let mut signed = Zeroizing::new(Vec::with_capacity(capacity));
    signed.extend_from_slice(LABEL);
    signed.extend_from_slice(&u32::try_from(associated.len()).unwrap_or(u32::MAX).to_be_bytes());
    signed.extend_from_slice(associated);
    signed.extend_from_slice(body);
    signed
}
