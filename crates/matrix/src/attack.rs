//! The attacks: the rows of the table.

use crate::adversary::Adversary;
use crate::attacks::{keys, line, oracle, passive, peer, room, session, splice};
use crate::lab::Lab;
use crate::outcome::{Defect, Outcome};

/// Origin of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// RFC 3552, section 3: the Internet threat model.
    Rfc3552,
    /// RFC 8446, appendix E.1: properties of the handshake of TLS 1.3.
    Rfc8446Handshake,
    /// RFC 8446, appendix E.2: properties of its record layer.
    Rfc8446Records,
    /// The Noise protocol framework, section 7.
    Noise,
    /// "`SoK`: Secure Messaging", Unger et al., IEEE S&P 2015.
    SecureMessaging,
}

impl Source {
    /// Short form for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfc3552 => "RFC 3552 §3",
            Self::Rfc8446Handshake => "RFC 8446 E.1",
            Self::Rfc8446Records => "RFC 8446 E.2",
            Self::Noise => "Noise §7",
            Self::SecureMessaging => "SoK 2015",
        }
    }
}

/// Runs an attack in a lab of its own.
///
/// # Errors
/// The scheme does not carry honest messages.
type Run = fn(&mut Lab<'_>) -> Result<Outcome, Defect>;

/// One attack.
#[derive(Debug)]
pub struct Attack {
    id: &'static str,
    title: &'static str,
    aim: &'static str,
    source: Source,
    adversary: Adversary,
    run: Run,
}

impl Attack {
    const fn line(id: &'static str, title: &'static str, aim: &'static str, source: Source, run: Run) -> Self {
        Self { id, title, aim, source, adversary: Adversary::Line, run }
    }

    const fn insider(id: &'static str, title: &'static str, aim: &'static str, source: Source, run: Run) -> Self {
        Self { id, title, aim, source, adversary: Adversary::Insider, run }
    }

    /// Name in `--cell`.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Name for people.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Result with which the attack succeeds.
    pub fn aim(&self) -> &'static str {
        self.aim
    }

    /// Origin.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Adversary whose means it uses.
    pub fn adversary(&self) -> Adversary {
        self.adversary
    }

    /// Runs it.
    ///
    /// # Errors
    /// The scheme does not carry honest messages.
    pub(crate) fn run(&self, lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
        (self.run)(lab)
    }
}

/// All attacks, in the order of the table.
pub const ATTACKS: [Attack; 42] = [
    Attack::line("eavesdrop", "Eavesdropping", "read a text", Source::Rfc3552, passive::eavesdrop),
    Attack::line(
        "equality",
        "Equality of texts",
        "tell which of two known texts was said",
        Source::Rfc8446Records,
        passive::equality,
    ),
    Attack::line("sizes", "Sizes and times", "none; the report of the tap", Source::Rfc8446Records, passive::sizes),
    Attack::line(
        "tamper",
        "Tampering with each byte",
        "have a changed text accepted, or one lost unnoticed",
        Source::Rfc3552,
        line::tamper,
    ),
    Attack::line(
        "replay-within",
        "Replay within a session",
        "have a text heard twice",
        Source::Rfc8446Records,
        line::replay_within,
    ),
    Attack::line(
        "replay-across",
        "Replay across sessions",
        "have an old text heard again",
        Source::Rfc8446Handshake,
        line::replay_across,
    ),
    Attack::line(
        "reorder",
        "Reordering",
        "have two texts heard in the other order",
        Source::Rfc8446Records,
        line::reorder,
    ),
    Attack::line("drop", "Dropping", "suppress a text while later ones arrive", Source::Rfc3552, line::drop_one),
    Attack::line("truncate", "Truncation", "cut the end off unnoticed", Source::Rfc8446Records, line::truncate),
    Attack::line(
        "reflect",
        "Reflection",
        "have a client accept its own bytes as the server's",
        Source::Rfc3552,
        line::reflect,
    ),
    Attack::line(
        "splice-link",
        "Splicing of sessions",
        "insert a piece of one session into another",
        Source::Rfc8446Records,
        line::splice,
    ),
    Attack::line(
        "splice-scheme",
        "Splicing of schemes",
        "insert a piece of a session under another scheme",
        Source::Rfc8446Handshake,
        splice::schemes,
    ),
    Attack::line(
        "oracle",
        "Reactions to changed pieces",
        "read a text from the server's errors",
        Source::Rfc8446Records,
        oracle::read,
    ),
    Attack::line(
        "impersonate-server",
        "Impersonating the server",
        "read or say something in its place",
        Source::Rfc8446Handshake,
        peer::impersonate_server,
    ),
    Attack::line(
        "impersonate-member",
        "Impersonating a member to the server",
        "take a connected member's name",
        Source::Rfc8446Handshake,
        peer::impersonate_member,
    ),
    Attack::line(
        "first-use",
        "Interception at first use",
        "read a text of somebody who was never there",
        Source::SecureMessaging,
        peer::first_use,
    ),
    Attack::line(
        "downgrade",
        "Downgrade",
        "have the client speak plain text",
        Source::Rfc8446Handshake,
        peer::downgrade,
    ),
    Attack::line(
        "stolen-keys-past",
        "Stolen long-term keys, old recording",
        "read a text (forward secrecy)",
        Source::Noise,
        keys::past,
    ),
    Attack::line(
        "stolen-keys-passive",
        "Stolen long-term keys, later session, listening",
        "read a text",
        Source::Noise,
        keys::future_passive,
    ),
    Attack::line(
        "stolen-keys-active",
        "Stolen long-term keys, later session, intercepting",
        "read a text (post-compromise)",
        Source::Noise,
        keys::future_active,
    ),
    Attack::line(
        "kci",
        "Key-compromise impersonation",
        "pose as the server to the owner of a stolen key",
        Source::Noise,
        keys::compromise_impersonation,
    ),
    Attack::line(
        "stolen-session",
        "Stolen session secrets, that session",
        "read a text, or have one accepted",
        Source::Rfc8446Handshake,
        session::this,
    ),
    Attack::line(
        "stolen-session-others",
        "Stolen session secrets, sessions before and after",
        "read a text",
        Source::Rfc8446Handshake,
        session::others,
    ),
    Attack::insider("server-reads", "The server reads", "read a text", Source::SecureMessaging, room::server_reads),
    Attack::insider(
        "server-rewrites",
        "The server rewrites",
        "have a changed text accepted",
        Source::SecureMessaging,
        room::server_rewrites,
    ),
    Attack::insider(
        "server-reorders",
        "The server reorders",
        "have two texts heard in the other order",
        Source::SecureMessaging,
        room::server_reorders,
    ),
    Attack::insider(
        "server-drops",
        "The server drops",
        "suppress a text while later ones arrive",
        Source::SecureMessaging,
        room::server_drops,
    ),
    Attack::insider(
        "server-replays",
        "The server replays",
        "have a text heard twice",
        Source::SecureMessaging,
        room::server_replays,
    ),
    Attack::insider(
        "split-view",
        "Different histories",
        "show two members different texts unnoticed",
        Source::SecureMessaging,
        room::split_view,
    ),
    Attack::insider(
        "ghost",
        "A ghost member",
        "read along as a member nobody invited",
        Source::SecureMessaging,
        room::ghost,
    ),
    Attack::insider(
        "swap-key",
        "A swapped key",
        "have a text accepted as another member's",
        Source::SecureMessaging,
        room::swap_key,
    ),
    Attack::insider(
        "misattribute",
        "The server attributes a text to another",
        "have a text accepted as another member's",
        Source::SecureMessaging,
        room::misattribute,
    ),
    Attack::insider(
        "claims-unsealed",
        "The server claims that the room is not sealed",
        "read a text",
        Source::SecureMessaging,
        room::claims_unsealed,
    ),
    Attack::insider(
        "forge-member",
        "A member forges another",
        "have a text accepted as another member's",
        Source::SecureMessaging,
        room::forge_member,
    ),
    Attack::insider(
        "unseen-name",
        "An insider claims an unseen name",
        "have a text accepted under that name",
        Source::SecureMessaging,
        room::unseen_name,
    ),
    Attack::insider(
        "splice-room",
        "Splicing across rooms and epochs",
        "have a text heard where it was not said",
        Source::SecureMessaging,
        room::splice,
    ),
    Attack::insider(
        "splice-links",
        "Splicing across links",
        "have a withheld text heard in a session over another link",
        Source::SecureMessaging,
        splice::links,
    ),
    Attack::insider(
        "removed-reads",
        "A removed member reads on",
        "read a later text",
        Source::SecureMessaging,
        room::removed_reads,
    ),
    Attack::insider(
        "late-reads",
        "A late joiner reads back",
        "read an earlier text",
        Source::SecureMessaging,
        room::late_reads,
    ),
    Attack::insider(
        "stolen-passphrase",
        "Stolen passphrase, stored messages",
        "read a text (forward secrecy)",
        Source::SecureMessaging,
        room::stolen_passphrase,
    ),
    Attack::insider(
        "guessing",
        "Offline guessing of the passphrase",
        "find it in a list",
        Source::Rfc3552,
        room::guessing,
    ),
    Attack::insider(
        "deniability",
        "Deniability",
        "none; what a message proves to a third party",
        Source::SecureMessaging,
        room::deniability,
    ),
];
