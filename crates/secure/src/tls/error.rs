//! Causes for which TLS cannot be used or a connection ends, in words for a person.

use glassline_wire::layer::LayerError;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerMisbehaved};

/// Causes for which TLS cannot be set up. Each is a fault of this side's files or settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The text holds no certificate in PEM.
    #[error("there is no certificate in PEM (a block that begins with `-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// The text holds no private key in PEM.
    #[error("there is no private key in PEM (a block that begins with `-----BEGIN PRIVATE KEY-----`)")]
    NoKey,
    /// A certificate cannot be read.
    #[error("the certificate is damaged: {0}")]
    DamagedCertificate(String),
    /// The key cannot be read, or is of a kind that TLS 1.3 does not use.
    #[error("the private key is damaged or of a kind that is not supported (ECDSA, Ed25519 and RSA are): {0}")]
    UnusableKey(String),
    /// The key belongs to another certificate.
    #[error("the private key is not that of the certificate; give the two files that belong together")]
    WrongKey,
    /// The chain would not fit into the bytes that a layer may hold.
    #[error("the certificates take {0} bytes, more than {1}; leave out those that clients have themselves")]
    ChainTooLong(usize, usize),
    /// A host name cannot be dialled, or stand in a certificate.
    #[error("`{0}` is neither a host name nor an IP address")]
    BadName(String),
    /// No certificate could be made.
    #[error("no certificate can be made: {0}")]
    NotMade(String),
    /// The library refuses the settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// Returns the end of a connection in which `error` has occurred.
pub(super) fn layer_error(error: &Error) -> LayerError {
    let malformed = |text: &str| LayerError::Malformed(text.to_owned());
    match error {
        Error::AlertReceived(alert) => LayerError::Refused(alert_text(*alert)),
        Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            malformed("this is not TLS")
        }
        Error::DecryptError => malformed("a record was changed or replaced on the way"),
        Error::InvalidCertificate(CertificateError::BadSignature) => {
            malformed("a certificate is shown without its private key")
        }
        Error::InvalidCertificate(_) => malformed("the certificate is damaged"),
        Error::PeerIncompatible(why) => LayerError::Malformed(format!("no common form of TLS 1.3 ({why:?})")),
        Error::PeerMisbehaved(why) => LayerError::Malformed(misbehaviour_text(why)),
        Error::InvalidMessage(why) => LayerError::Malformed(format!("a message is damaged ({why:?})")),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            malformed("a message is out of turn")
        }
        Error::PeerSentOversizedRecord => malformed("a record is too long"),
        Error::NoCertificatesPresented => malformed("no certificate is shown"),
        other => LayerError::Malformed(other.to_string()),
    }
}

/// Returns what the peer has done. That which keeps this side busy has words; the rest is a fault of
/// its program, whose author knows the name.
fn misbehaviour_text(why: &PeerMisbehaved) -> String {
    let text = match why {
        PeerMisbehaved::TooManyEmptyFragments => "it sends one record after another with nothing in it",
        PeerMisbehaved::TooManyKeyUpdateRequests => "it asks for new keys again and again, and says nothing",
        PeerMisbehaved::TooManyWarningAlertsReceived => "it sends one warning after another",
        PeerMisbehaved::TooManyRenegotiationRequests => "it asks for another handshake again and again",
        PeerMisbehaved::IllegalMiddleboxChangeCipherSpec => "it announces other ciphers again and again",
        other => return format!("a step of TLS is wrong ({other:?})"),
    };
    text.to_owned()
}

/// Returns what the peer says is wrong.
fn alert_text(alert: AlertDescription) -> String {
    let text = match alert {
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => "it does not trust the certificate of this side",
        AlertDescription::CertificateExpired => "it says that the certificate of this side has expired",
        AlertDescription::ProtocolVersion => "it does not speak TLS 1.3",
        AlertDescription::HandshakeFailure => "it has no algorithms in common with this side",
        AlertDescription::CertificateRequired => "it requires a certificate of this side",
        AlertDescription::UserCanceled => "its user has cancelled",
        AlertDescription::DecryptError | AlertDescription::BadRecordMac => {
            "it received something else than was sent; the connection was tampered with"
        }
        other => return format!("it reports the TLS alert {other:?}"),
    };
    text.to_owned()
}
