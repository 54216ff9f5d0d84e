//! Both ends of a secure link between which the tap stands: it is the server to the client, and a
//! client to the server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseError, NoiseServer};
use glassline_secure::tls::{
    Authorities, KeyLogSink, ServerCertificate, TlsClient, TlsClientOptions, TlsError, TlsServer,
};
use glassline_secure::{Fingerprint, Identity, IdentityError, ServerOffer, ServerTrust, Untrusted};
use glassline_wire::layer::{LayerFactory, LayerStack};
use glassline_wire::link::LinkKind;
use glassline_wire::opening::Opening;

/// Bound on secrets that wait to be recorded, in bytes: those of hundreds of handshakes, of which
/// one turn of the loop completes fewer.
const SECRETS_BYTES_MAX: usize = 1024 * 1024;

/// Reason for which no link can be intercepted.
#[derive(Debug, thiserror::Error)]
pub enum InterceptError {
    /// No key was made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Noise cannot be set up.
    #[error(transparent)]
    Noise(#[from] NoiseError),
}

/// Keys of the tap, made for one run, and what ends secure links with them. Clients are shown these
/// keys; whatever key the server shows is accepted.
#[derive(Debug)]
pub struct Interceptor {
    tls: Ends,
    noise: Ends,
    secrets: Arc<Secrets>,
}

/// One scheme.
#[derive(Debug)]
struct Ends {
    /// The end that clients see.
    server: Box<dyn LayerFactory>,
    /// The end that the server sees.
    client: Box<dyn LayerFactory>,
    fingerprint: Fingerprint,
}

/// Layers of both sides of a connection.
pub(crate) struct Intercepted {
    pub(crate) link: LinkKind,
    /// Above the client's socket.
    pub(crate) client: LayerStack,
    /// Above the server's socket.
    pub(crate) server: LayerStack,
}

impl Interceptor {
    /// Makes the keys for a tap before this server.
    ///
    /// # Errors
    /// The system has no random numbers, or a library refuses the settings.
    pub fn new(target: SocketAddr) -> Result<Self, InterceptError> {
        let secrets = Arc::new(Secrets::default());
        let identity = Arc::new(Identity::generate()?);
        let server_name = target.ip().to_string();
        let certificate = ServerCertificate::generate(&[], SystemTime::now())?;
        let tls_client = TlsClientOptions {
            server_name: server_name.clone(),
            identity: Some(Arc::clone(&identity)),
            trust: Arc::new(TrustAny),
            authorities: Authorities::None,
            key_log: Some(Arc::clone(&secrets) as Arc<dyn KeyLogSink>),
            now: SystemTime::now,
        };
        let tls = Ends {
            server: Box::new(TlsServer::with_key_log(&certificate, Some(Arc::clone(&secrets) as Arc<dyn KeyLogSink>))?),
            client: Box::new(TlsClient::new(tls_client)?),
            fingerprint: certificate.fingerprint(),
        };
        let noise_client =
            NoiseClientOptions { server_name, identity: Some(Arc::clone(&identity)), trust: Arc::new(TrustAny) };
        let noise = Ends {
            server: Box::new(NoiseServer::new(&identity)?),
            client: Box::new(NoiseClient::new(&noise_client)?),
            fingerprint: identity.fingerprint(),
        };
        Ok(Self { tls, noise, secrets })
    }

    /// Returns the fingerprint of the key that a client on such a link is shown; `None` for plaintext.
    pub fn fingerprint(&self, link: LinkKind) -> Option<Fingerprint> {
        self.ends(link).map(|ends| ends.fingerprint)
    }

    pub(crate) fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.secrets)
    }

    /// Returns the layers for a connection that opens like this, if it is a secure link.
    pub(crate) fn intercept(&self, opening: Opening) -> Option<Intercepted> {
        let link = match opening {
            Opening::Tls => LinkKind::Tls,
            Opening::Noise => LinkKind::Noise,
            Opening::Tutorial | Opening::Event | Opening::Http => return None,
        };
        let ends = self.ends(link)?;
        Some(Intercepted { link, client: ends.server.layers(), server: ends.client.layers() })
    }

    fn ends(&self, link: LinkKind) -> Option<&Ends> {
        match link {
            LinkKind::Plaintext => None,
            LinkKind::Tls => Some(&self.tls),
            LinkKind::Noise => Some(&self.noise),
        }
    }
}

/// Secrets of TLS links that wait to be recorded, as lines; `None` while nothing is recorded.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<Option<String>>);

impl Secrets {
    /// Keeps secrets from now on, or no longer.
    pub(crate) fn keep(&self, is_kept: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = is_kept.then(String::new);
    }

    /// Returns the lines since the last call, if there are any.
    pub(crate) fn take(&self) -> Option<String> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.as_mut().filter(|lines| !lines.is_empty()).map(std::mem::take)
    }
}

impl KeyLogSink for Secrets {
    fn line(&self, line: &str) {
        if let Some(lines) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && lines.len() + line.len() < SECRETS_BYTES_MAX
        {
            lines.push_str(line);
            lines.push('\n');
        }
    }
}

impl std::fmt::Debug for Secrets {
    /// Shows no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// Accepts every server: who stands in the middle has nobody to protect.
#[derive(Debug)]
struct TrustAny;

impl ServerTrust for TrustAny {
    fn check(&self, _: &ServerOffer) -> Result<(), Untrusted> {
        Ok(())
    }
}
