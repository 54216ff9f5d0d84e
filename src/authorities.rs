//! Certificate authorities of a join over TLS: the system's, which may vouch for a server, or those
//! of `--ca`, one of which has to where the server's key was never seen.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use glassline_keyring::DialledServer;
use glassline_secure::tls::Authorities;
use glassline_secure::{Authority, ServerOffer, ServerTrust, Untrusted};

use crate::plain_file;

/// Longest file of authorities; those of all systems have some hundred kilobytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Returns the authorities that count for a server, and the trust in it: those of `file`, or the
/// system's. Errors: the file cannot be used.
pub(crate) fn of_server(
    server: &Arc<DialledServer>,
    file: Option<&Path>,
) -> anyhow::Result<(Authorities, Arc<dyn ServerTrust>)> {
    let server = Arc::clone(server);
    Ok(match file {
        Some(file) => (read(file)?, Arc::new(VouchedServer { server, file: file.to_owned() })),
        None => (Authorities::Platform, server),
    })
}

fn read(path: &Path) -> anyhow::Result<Authorities> {
    let named =
        || format!("cannot read the certificate authorities in {}; name another file with --ca", path.display());
    let mut pem = String::new();
    let file = plain_file::open(path).with_context(named)?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut pem).with_context(named)?;
    Authorities::from_pem(&pem).with_context(named)
}

/// Trust in a server whose first key counts only if an authority of the file vouches for it: who
/// names authorities expects their word, and whoever answers in the server's place could show any
/// key. A key that is known already is judged as everywhere.
#[derive(Debug)]
struct VouchedServer {
    server: Arc<DialledServer>,
    file: PathBuf,
}

impl ServerTrust for VouchedServer {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        // Keys that cannot be read are the server's to report.
        let is_known = self.server.known().is_ok_and(|known| known.iter().any(|known| known.link == offer.link));
        match &offer.authority {
            Authority::None(why) if !is_known => Err(self.not_vouched_for(offer, why)),
            Authority::None(_) | Authority::Valid => self.server.check(offer),
        }
    }
}

impl VouchedServer {
    fn not_vouched_for(&self, offer: &ServerOffer, why: &str) -> Untrusted {
        Untrusted(format!(
            "{address} shows a key that was never seen here, and no authority of {file} vouches for it: {why}. \
             Nothing was sent to it.\n\
             offered now: {offered}\n\
             Ask the owner of that machine, in another way than through this link, whether it is theirs: there, \
             `glassline keys show` shows the server's key, as `glassline serve` does when it starts.\n\
             If it is: glassline keys trust {address} {hex}",
            address = self.server.address(),
            file = self.file.display(),
            offered = offer.key,
            hex = offer.key.hex(),
        ))
    }
}
