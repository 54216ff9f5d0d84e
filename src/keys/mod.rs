//! `glassline keys`: the fingerprints of keys, and the user's decisions about them.

mod arguments;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use glassline_keyring::{Comparison, Keyring, KnownMember, KnownServer};
use glassline_secure::tls::ServerCertificate;
use glassline_secure::{DifferingWord, Fingerprint};
use glassline_wire::link::LinkKind;
use glassline_wire::visible;

pub(crate) use self::arguments::KeysArguments;
use self::arguments::{KeyOwner, KeysCommand, NamedKey};
use crate::folders;

/// Words that may be mistyped in a fingerprint. The six others are 66 bits, which nobody meets by
/// chance.
const MISTYPED_WORDS_MAX: usize = 2;

pub(crate) fn keys(arguments: &KeysArguments) -> ExitCode {
    crate::done(keyring().and_then(|keyring| carry_out(&keyring, &arguments.command)))
}

/// Returns the user's keys. Errors: there is no folder for them; what to do.
pub(crate) fn keyring() -> anyhow::Result<Keyring> {
    let folder = folders::keys_folder().ok_or_else(|| {
        anyhow!("there is no folder for keys: set HOME, or XDG_STATE_HOME to the whole path of a folder")
    })?;
    Ok(Keyring::open(folder))
}

fn carry_out(keyring: &Keyring, command: &KeysCommand) -> anyhow::Result<()> {
    let lines = match command {
        KeysCommand::List => list(keyring)?,
        KeysCommand::Show => show(keyring)?,
        KeysCommand::Verify(key) => verify(keyring, key)?,
        KeysCommand::Forget(owner) => forget(keyring, owner)?,
        KeysCommand::Trust { key, link } => trust(keyring, key, *link)?,
    };
    let mut stdout = io::stdout().lock();
    let written = lines.iter().try_for_each(|line| writeln!(stdout, "{line}")).and_then(|()| stdout.flush());
    written.context("cannot write to stdout; direct it to a file that can be written")
}

fn list(keyring: &Keyring) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = keyring.known_servers().list()?.iter().flat_map(server_lines).collect();
    for address in keyring.servers_of_members()? {
        let members = keyring.known_members(&address).list()?;
        lines.extend(members.iter().flat_map(|member| member_lines(member, address.as_str())));
    }
    if lines.is_empty() {
        lines.push("no key was seen so far: a server's is kept when you first join it over TLS or Noise".to_string());
    }
    Ok(lines)
}

fn server_lines(server: &KnownServer) -> [String; 2] {
    let KnownServer { address, link, key, standing, since } = server;
    [format!("{address} ({link}): {}, since {}", standing.in_words(), since.in_words()), format!("  {key}")]
}

fn member_lines(member: &KnownMember, address: &str) -> [String; 2] {
    let KnownMember { name, key, standing, since, .. } = member;
    let name = visible::one_line(name);
    [format!("{name} at {address}: {}, since {}", standing.in_words(), since.in_words()), format!("  {key}")]
}

fn show(keyring: &Keyring) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    match keyring.identity().read()? {
        Some(identity) => lines.push(format!("you: {}", identity.fingerprint())),
        None => lines.push("you have no key so far: it is made when you first join over TLS or Noise".to_string()),
    }
    let server = keyring.server_keys();
    if let Some(pem) = server.certificate()? {
        let path = server.certificate_path().display();
        let certificate = ServerCertificate::from_pem(&pem, &pem).with_context(|| path.to_string())?;
        lines.push(format!("the server of this machine, tls: {}", certificate.fingerprint()));
    }
    if let Some(identity) = server.identity().read()? {
        lines.push(format!("the server of this machine, noise: {}", identity.fingerprint()));
    }
    Ok(lines)
}

fn verify(keyring: &Keyring, key: &NamedKey) -> anyhow::Result<Vec<String>> {
    let (owner, fingerprint) = (&key.owner, key.fingerprint());
    let compared = match &owner.member {
        None => keyring.known_servers().verify(&owner.server, &fingerprint)?.map(|server| server.key),
        Some(name) => keyring.known_members(&owner.server).verify(name, &fingerprint)?.map(|member| member.key),
    };
    let owner = in_words(owner);
    match compared {
        Comparison::Equal(known) => {
            Ok(vec![format!("equal: this is the known key of {owner}, verified from now on"), known.to_string()])
        }
        Comparison::Different(known) => Err(difference(keyring, &key.owner, known, &fingerprint)?),
        Comparison::Unknown => {
            bail!("no key of {owner} was seen so far; join it first, or accept this one with `glassline keys trust`")
        }
    }
}

/// Returns the error about a fingerprint of another key than the known one.
fn difference(keyring: &Keyring, owner: &KeyOwner, known: Fingerprint, given: &str) -> anyhow::Result<anyhow::Error> {
    let keys: Vec<(Option<LinkKind>, Fingerprint)> = match &owner.member {
        None => {
            let known = keyring.known_servers().known_at(&owner.server)?;
            known.iter().map(|server| (Some(server.link), server.key)).collect()
        }
        Some(_) => vec![(None, known)],
    };
    let differing = |key: &Fingerprint| key.differing_words(given);
    let nearest = keys.iter().map(|(_, key)| differing(key)).min_by_key(Vec::len).unwrap_or_default();
    let owner_in_words = in_words(owner);
    let known: Vec<_> = keys.iter().map(|(link, key)| known_key(*link, key)).collect();
    let known = known.join(", ");
    if (1..=MISTYPED_WORDS_MAX).contains(&nearest.len()) {
        let words: Vec<_> = nearest.iter().map(differing_word).collect();
        return Ok(anyhow!(
            "different: {} of the known key of {owner_in_words}, which is {known}. The others are equal, so this may be a \
             typing mistake: compare it again. If it is none, do not write to it: somebody may answer in its place",
            words.join(", ")
        ));
    }
    let other_link = match keys.as_slice() {
        [(Some(link), _)] => format!(
            "Its owner sees a key for each link, and only that of {link} is known here: compare the words on the line \
             of {link}. If these were they, do not write to it"
        ),
        _ => "Do not write to it".to_owned(),
    };
    Ok(anyhow!(
        "different: this is not the known key of {owner_in_words}, which is {known}. {other_link} before you know why: \
         its owner may have a new key, or somebody answers in its place"
    ))
}

fn known_key(link: Option<LinkKind>, key: &Fingerprint) -> String {
    link.map_or_else(|| key.to_string(), |link| format!("{key} over {link}"))
}

fn differing_word(word: &DifferingWord) -> String {
    let DifferingWord { position, given, known } = word;
    format!("word {position} is `{given}`, and `{known}`")
}

fn trust(keyring: &Keyring, key: &NamedKey, link: LinkKind) -> anyhow::Result<Vec<String>> {
    let (owner, fingerprint) = (&key.owner, key.fingerprint());
    let (is_new, lines) = match &owner.member {
        None => {
            let servers = keyring.known_servers();
            let is_new = servers.list()?.iter().all(|seen| seen.address != owner.server);
            (is_new, server_lines(&servers.accept(&owner.server, &fingerprint, link)?))
        }
        Some(name) => {
            let members = keyring.known_members(&owner.server);
            let is_new = members.list()?.iter().all(|seen| seen.name != *name);
            (is_new, member_lines(&members.accept(name, &fingerprint)?, owner.server.as_str()))
        }
    };
    let mut lines = Vec::from(lines);
    if is_new {
        let owner = in_words(owner);
        lines.push(format!("no key of {owner} was known before; if you expected one, check how you have written it"));
    }
    Ok(lines)
}

fn forget(keyring: &Keyring, owner: &KeyOwner) -> anyhow::Result<Vec<String>> {
    let is_forgotten = match &owner.member {
        None => keyring.known_servers().forget(&owner.server)? > 0,
        Some(name) => keyring.known_members(&owner.server).forget(name)?,
    };
    let named = in_words(owner);
    if !is_forgotten {
        bail!("no key of {named} is known; `glassline keys list` shows the known ones");
    }
    let mut lines = vec![format!("forgotten: the next key that {named} shows is trusted on first use")];
    if owner.member.is_none() && !keyring.known_members(&owner.server).list()?.is_empty() {
        lines.push(format!(
            "the keys of its members stay known; `glassline keys forget {named} --member NAME` forgets one of them"
        ));
    }
    Ok(lines)
}

fn in_words(owner: &KeyOwner) -> String {
    match &owner.member {
        None => owner.server.to_string(),
        Some(name) => format!("{} at {}", visible::one_line(name), owner.server),
    }
}
