//! Causes for which TLS cannot be used or a connection ends, in words for a person.

use glassline_wire::layer::LayerError;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved};

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
        Error::PeerIncompatible(why) => LayerError::Malformed(incompatibility_text(why)),
        Error::PeerMisbehaved(why) => LayerError::Malformed(misbehaviour_text(why)),
        Error::InvalidMessage(why) => LayerError::Malformed(damage_text(why).to_owned()),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            malformed("a message is out of turn")
        }
        Error::PeerSentOversizedRecord => malformed("a record is too long"),
        Error::NoCertificatesPresented => malformed("no certificate is shown"),
        other => LayerError::Malformed(other.to_string()),
    }
}

/// Returns what the two sides do not have in common.
fn incompatibility_text(why: &PeerIncompatible) -> String {
    let what = match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled => "it offers older versions only",
        PeerIncompatible::NoCipherSuitesInCommon => "no common cipher",
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::KeyShareExtensionRequired
        | PeerIncompatible::NamedGroupsExtensionRequired => "no common key exchange",
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => "no common signature",
        _ => "it requires another form of the handshake",
    };
    format!("no common form of TLS 1.3: {what}")
}

/// Returns how a message of the peer is damaged.
fn damage_text(why: &InvalidMessage) -> &'static str {
    match why {
        InvalidMessage::CertificatePayloadTooLarge
        | InvalidMessage::HandshakePayloadTooLarge
        | InvalidMessage::MessageTooLarge => "a message is damaged: it is too long",
        InvalidMessage::MessageTooShort | InvalidMessage::MissingData(_) | InvalidMessage::InvalidEmptyPayload => {
            "a message is damaged: its end is missing"
        }
        InvalidMessage::TrailingData(_) => "a message is damaged: there is something behind its end",
        InvalidMessage::UnexpectedMessage(_) => "a message is out of turn",
        _ => "a message is damaged: its content is not as TLS has it",
    }
}

/// Returns what the peer has done. That which keeps this side busy has words of its own; the rest is a
/// fault of its program, or somebody on the way changes what it sends.
fn misbehaviour_text(why: &PeerMisbehaved) -> String {
    let text = match why {
        PeerMisbehaved::TooManyEmptyFragments => "it sends one record after another with nothing in it",
        PeerMisbehaved::TooManyKeyUpdateRequests => "it asks for new keys again and again, and says nothing",
        PeerMisbehaved::TooManyWarningAlertsReceived => "it sends one warning after another",
        PeerMisbehaved::TooManyRenegotiationRequests => "it asks for another handshake again and again",
        PeerMisbehaved::IllegalMiddleboxChangeCipherSpec => "it announces other ciphers again and again",
        _ => "a step of TLS is wrong: its program has a fault, or what it sends was changed on the way",
    };
    text.to_owned()
}

/// Returns what the peer says is wrong (RFC 8446, 6.2).
fn alert_text(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let text = match alert {
        Alert::CloseNotify => "it has ended the connection",
        Alert::BadCertificate | Alert::CertificateUnknown | Alert::UnknownCA | Alert::AccessDenied => {
            "it does not trust the certificate of this side"
        }
        Alert::UnsupportedCertificate | Alert::NoCertificate => "it has no use for the kind of this side's certificate",
        Alert::CertificateRevoked => "it says that the certificate of this side was revoked",
        Alert::CertificateExpired => "it says that the certificate of this side has expired",
        Alert::BadCertificateStatusResponse | Alert::BadCertificateHashValue | Alert::CertificateUnobtainable => {
            "it cannot check the certificate of this side"
        }
        Alert::CertificateRequired => "it requires a certificate of this side",
        Alert::ProtocolVersion => "it does not speak TLS 1.3",
        Alert::HandshakeFailure | Alert::InsufficientSecurity | Alert::ExportRestriction => {
            "it has no algorithms in common with this side"
        }
        Alert::MissingExtension | Alert::UnsupportedExtension | Alert::EncryptedClientHelloRequired => {
            "it requires another form of the handshake than this side has"
        }
        Alert::UnrecognisedName => "it serves no host of the name that was dialled",
        Alert::NoApplicationProtocol => "it offers other services than this one",
        Alert::UnknownPSKIdentity => "it does not know the key that both sides were to share",
        Alert::InappropriateFallback => "it knows a newer version than this side has asked for",
        Alert::UnexpectedMessage
        | Alert::IllegalParameter
        | Alert::DecodeError
        | Alert::RecordOverflow
        | Alert::DecompressionFailure
        | Alert::NoRenegotiation => "it does not understand what this side has sent, or that was changed on the way",
        Alert::DecryptError | Alert::DecryptionFailed | Alert::BadRecordMac => {
            "it received something else than was sent; the connection was tampered with"
        }
        Alert::InternalError => "it has a fault of its own; try again later",
        Alert::UserCanceled => "its user has cancelled",
        Alert::Unknown(number) => {
            return format!("it ends TLS for a reason that this program does not know ({number})");
        }
        _ => "it ends TLS for a reason that this program does not know",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alert_is_told_in_plain_words() {
        for number in 0..=u8::MAX {
            let LayerError::Refused(text) = layer_error(&Error::AlertReceived(AlertDescription::from(number))) else {
                panic!("alert {number} is no refusal")
            };
            // A name of the library is words without a blank between them.
            let has_name = text.split(' ').any(|word| word.chars().skip(1).any(char::is_uppercase) && word != "TLS");
            assert!(text.starts_with("it") && !has_name, "{number}: {text}");
        }
        // Those of RFC 8446 have a meaning.
        for number in [
            0, 10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 109, 110, 112, 113, 115,
            116, 120,
        ] {
            let text = alert_text(AlertDescription::from(number));
            assert!(!text.contains("does not know ("), "{number}: {text}");
        }
    }

    #[test]
    fn faults_of_a_peer_are_told_in_plain_words() {
        for error in [
            Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::PeerMisbehaved(PeerMisbehaved::MissingKeyShare),
            Error::InvalidMessage(InvalidMessage::MissingData("ServerHello")),
            Error::InvalidMessage(InvalidMessage::UnexpectedMessage("ServerHello")),
        ] {
            let text = layer_error(&error).to_string();
            assert!(
                !text.split(['(', ' ']).any(|word| word.chars().skip(1).any(char::is_uppercase) && word != "TLS"),
                "{text}"
            );
        }
    }
}
