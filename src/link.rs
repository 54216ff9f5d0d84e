//! Protection of a join: which link, with which keys, and what the user is told about it.

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, anyhow, bail};
use glassline_client::{JoinOptions, Link, SecureLink};
use glassline_keyring::{DialledServer, Keyring, ServerAddress};
use glassline_secure::noise::{NoiseClient, NoiseClientOptions};
use glassline_secure::tls::{KeyLogSink, TlsClient, TlsClientOptions};
use glassline_secure::{Identity, ServerTrust};
use glassline_wire::layer::LayerFactory;
use glassline_wire::link::LinkKind;

use crate::{authorities, folders, keys};

/// Choices about the protection of a join.
#[derive(Debug)]
pub(crate) struct LinkChoices {
    pub(crate) kind: Option<LinkKind>,
    /// File of the certificate authorities, in place of the system's: a new key needs their word.
    pub(crate) authorities: Option<PathBuf>,
    /// File that gets the secrets of the connections.
    pub(crate) key_log: Option<PathBuf>,
}

/// Returns the options with the link that was chosen, else TLS, and plaintext on this machine.
/// Errors: a file of keys cannot be used, or the choices contradict each other.
pub(crate) fn protected(mut options: JoinOptions, choices: &LinkChoices) -> anyhow::Result<JoinOptions> {
    let address = ServerAddress::parse(&options.address)?;
    let default = if is_loopback(&address) { LinkKind::Plaintext } else { LinkKind::Tls };
    let kind = choices.kind.unwrap_or(default);
    if choices.key_log.is_some() && kind != LinkKind::Tls {
        bail!("--key-log writes the secrets of TLS, and this link is {kind}; leave it out, or choose --link tls");
    }
    if let Some(file) = &choices.authorities
        && kind != LinkKind::Tls
    {
        let words = format!(
            "the authorities in {} vouch for keys over TLS, and this link is {kind}, so they do not count; choose \
             --link tls, or leave them out: --ca on the command line, GLASSLINE_CA in the environment, ca in the \
             configuration (--config /dev/null reads none)",
            file.display()
        );
        // Who keeps them in a configuration joins servers on this machine as well.
        if choices.kind.is_some() {
            bail!(words);
        }
        options.greeting.push(words);
    }
    if kind == LinkKind::Plaintext {
        options.greeting.extend(protected_before(&address));
        return Ok(options);
    }
    let keyring = keys::keyring()?;
    options.members = Some(keyring.known_members(&address));
    let link = secure_link(kind, &address, &keyring, choices)?;
    options.link = Link::Secure(match &choices.key_log {
        Some(path) => {
            options.greeting.push(format!(
                "the secrets of this link are written to {}: whoever has it can read everything that is said",
                path.display()
            ));
            link.with_key_log()
        }
        None => link,
    });
    Ok(options)
}

fn is_loopback(address: &ServerAddress) -> bool {
    let host = address.host();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Warns of a server that was joined over a secure link before, and is not now.
fn protected_before(address: &ServerAddress) -> Option<String> {
    match Keyring::open(folders::keys_folder()?).known_servers().known_at(address) {
        Ok(known) => known.first().map(|known| {
            let link = known.link;
            format!(
                "you have joined {address} over {} before, and join it in plaintext now: anyone on the way can read and \
                 change what is said; --link {link} protects it",
                link.title()
            )
        }),
        Err(error) => Some(format!("whether {address} was joined over a protected link before cannot be told: {error}")),
    }
}

fn secure_link(
    kind: LinkKind,
    address: &ServerAddress,
    keyring: &Keyring,
    choices: &LinkChoices,
) -> anyhow::Result<SecureLink> {
    let identity = Arc::new(keyring.identity().read_or_create()?);
    let server = Arc::new(keyring.known_servers().at(address.clone()));
    let layers = match kind {
        LinkKind::Noise => noise(&server, identity)?,
        LinkKind::Tls | LinkKind::Plaintext => tls(&server, identity, choices)?,
    };
    Ok(SecureLink::new(kind, layers, server))
}

fn noise(server: &Arc<DialledServer>, identity: Arc<Identity>) -> anyhow::Result<Arc<dyn LayerFactory>> {
    let options = NoiseClientOptions {
        server_name: server.address().host().to_string(),
        identity: Some(identity),
        trust: Arc::clone(server) as Arc<dyn ServerTrust>,
    };
    Ok(Arc::new(NoiseClient::new(&options)?))
}

fn tls(
    server: &Arc<DialledServer>,
    identity: Arc<Identity>,
    choices: &LinkChoices,
) -> anyhow::Result<Arc<dyn LayerFactory>> {
    let (authorities, trust) = authorities::of_server(server, choices.authorities.as_deref())?;
    let key_log = choices.key_log.as_deref().map(KeyLogFile::open).transpose()?;
    let options = TlsClientOptions {
        server_name: server.address().host().to_string(),
        identity: Some(identity),
        trust,
        authorities,
        key_log: key_log.map(|file| Arc::new(file) as Arc<dyn KeyLogSink>),
        now: SystemTime::now,
    };
    Ok(Arc::new(TlsClient::new(options)?))
}

/// File that gets the secrets of connections. Lines that cannot be written are lost: they are for
/// tools beside the chat.
#[derive(Debug)]
struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let path = &folders::expanded(path).map_err(|advice| anyhow!("--key-log {}: {advice}", path.display()))?;
        let file = private_file(path);
        let file = file.with_context(|| format!("cannot write the key log {}; name another file", path.display()))?;
        Ok(Self(Mutex::new(file)))
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = File::options().append(true).create(true).mode(0o600).open(path)?;
    // One that was there before may have been open to others. A pipe or a terminal is left alone.
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<File> {
    File::options().append(true).create(true).open(path)
}

impl KeyLogSink for KeyLogFile {
    fn line(&self, line: &str) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_key_log_is_closed_to_others_even_if_it_was_open() {
        use std::os::unix::fs::PermissionsExt;
        let folder = glassline_testkit::Folder::new();
        let path = folder.path().join("keys.log");
        std::fs::write(&path, "before\n").expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("opens it to others");
        KeyLogFile::open(&path).expect("opens").line("after");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "before\nafter\n");
        assert_eq!(std::fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn this_machine_alone_is_joined_in_plaintext() {
        for (address, is_here) in [
            ("127.0.0.1:1234", true),
            ("127.9.9.9:1", true),
            ("localhost:1234", true),
            ("[::1]:1234", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("192.0.2.7:1234", false),
            ("localhost.example.org:1234", false),
            ("0.0.0.0:1", false),
        ] {
            assert_eq!(is_loopback(&ServerAddress::parse(address).expect(address)), is_here, "{address}");
        }
    }
}
