//! Links of a server: its keys, which are made at its first start and stay the same, its
//! certificate, which is renewed or read again, and who can read what is said over them.

mod certificate;

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use glassline_keyring::{Keyring, ServerKeys};
use glassline_secure::noise::NoiseServer;
use glassline_secure::{Fingerprint, Identity};
use glassline_server::Links;
use glassline_wire::layer::LayerFactory;
use glassline_wire::link::LinkKind;
use tracing::{info, warn};

use self::certificate::{CertificateSource, TlsLink};
use crate::address::is_host_name;
use crate::args::LinkOptions;
use crate::folders;

/// Time between two looks at the certificate's end.
const RENEWAL_INTERVAL: Duration = Duration::from_hours(6);

/// Links of one server.
pub(crate) struct ServerLinks {
    tls: Option<Arc<TlsLink>>,
    noise: Option<(Arc<NoiseServer>, Fingerprint)>,
    required: Option<LinkKind>,
}

impl ServerLinks {
    /// Reads the server's keys, and makes them the first time. Where none can be kept, a server
    /// that had none before goes on without links. Errors: a file cannot be used, or a required
    /// link cannot be offered; the text states what to do.
    pub(crate) fn open(options: &LinkOptions, listeners: &[TcpListener]) -> anyhow::Result<Self> {
        let keys = folders::keys_folder().map(|folder| Keyring::open(folder).server_keys());
        let identity = keys.as_ref().map(identity_to_keep).transpose()?.flatten();
        // A certificate is kept where an identity is.
        let kept = keys.filter(|_| identity.is_some()).map(|keys| CertificateSource::kept(keys, host_names(listeners)));
        let source = match (&options.cert, &options.key) {
            (Some(certificate), Some(key)) => Some(CertificateSource::files(certificate, key)?),
            _ => kept,
        };
        let tls = source.map(TlsLink::open).transpose()?.map(Arc::new);
        let noise = identity.map(|identity| {
            let server = NoiseServer::new(&identity).context("the server cannot start")?;
            anyhow::Ok((Arc::new(server), identity.fingerprint()))
        });
        let links = Self { tls, noise: noise.transpose()?, required: options.require };
        if links.required.is_some_and(|required| !links.offers(required)) {
            bail!(
                "there are no keys for the link that --require names, and no folder to keep them: set HOME, or \
                 XDG_STATE_HOME to the whole path of a folder that can be written"
            );
        }
        Ok(links)
    }

    /// The links in the form that the server takes.
    pub(crate) fn for_server(&self) -> Links {
        Links {
            tls: self.tls.as_ref().map(|tls| Arc::new(tls.server().clone()) as Arc<dyn LayerFactory>),
            noise: self.noise.as_ref().map(|(noise, _)| Arc::clone(noise) as Arc<dyn LayerFactory>),
            required: self.required,
        }
    }

    /// One line for the key of each link that is taken.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        let tls = self.tls.as_ref().map(|tls| (LinkKind::Tls, tls.fingerprint()));
        let noise = self.noise.as_ref().map(|(_, fingerprint)| (LinkKind::Noise, *fingerprint));
        let taken = [tls, noise].into_iter().flatten().filter(|(kind, _)| self.admits(*kind));
        taken.map(|(kind, fingerprint)| format!("this server's key, {kind}: {fingerprint}")).collect()
    }

    /// A sentence or two that state who can read what is said.
    pub(crate) fn readers(&self) -> String {
        match (self.required, self.offers(LinkKind::Tls) || self.offers(LinkKind::Noise)) {
            (Some(required), _) => format!(
                "Connections over anything but {required} are refused, so what is said is encrypted on the way; this server \
                 can read it, except in sealed rooms."
            ),
            (None, true) => {
                "What is said is encrypted on the way to those who join over TLS or Noise. Others may join in \
                 plaintext: everyone on the way to one of them can read what is said in its rooms, unless they are \
                 sealed. `glassline serve --require tls` refuses those."
                    .to_string()
            }
            (None, false) => {
                "Everyone on the way can read what is said, except in sealed rooms: no link to this server is encrypted."
                    .to_string()
            }
        }
    }

    /// Returns what a request to reload does: it reads the certificate again.
    pub(crate) fn reloader(&self) -> impl Fn() + Send + 'static {
        let tls = self.tls.clone();
        move || {
            if let Some(tls) = &tls {
                tls.reload();
            } else {
                info!("SIGHUP: there is no certificate to be read again; the server continues");
            }
        }
    }

    /// Renews a certificate of the server's own before it expires, for as long as the process runs.
    pub(crate) fn renew_in_background(&self) {
        let Some(tls) = self.tls.clone().filter(|tls| tls.is_renewed_here()) else { return };
        thread::spawn(move || {
            loop {
                thread::sleep(RENEWAL_INTERVAL);
                tls.renew();
            }
        });
    }

    fn admits(&self, kind: LinkKind) -> bool {
        self.required.is_none_or(|required| required == kind)
    }

    fn offers(&self, kind: LinkKind) -> bool {
        self.admits(kind)
            && match kind {
                LinkKind::Plaintext => true,
                LinkKind::Tls => self.tls.is_some(),
                LinkKind::Noise => self.noise.is_some(),
            }
    }
}

/// Returns the server's identity. A server without one that cannot keep one has none: no client has
/// ever seen it with a key.
fn identity_to_keep(keys: &ServerKeys) -> anyhow::Result<Option<Identity>> {
    if let Some(identity) = keys.identity().read().context("the server cannot start")? {
        return Ok(Some(identity));
    }
    let made = keys.identity().read_or_create();
    Ok(made.inspect_err(|error| warn!("TLS and Noise are not offered, because no key can be kept: {error}")).ok())
}

/// Names of this host for its certificate: they matter to programs that check them, not to those
/// that know the key.
fn host_names(listeners: &[TcpListener]) -> Vec<String> {
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    let named = addresses.map(|address| address.ip().to_canonical()).filter(|ip| !ip.is_unspecified());
    let host_name = whoami::hostname().ok().filter(|name| is_host_name(name));
    named.map(|ip: IpAddr| ip.to_string()).chain(host_name).collect()
}
