//! `--intercept`: the tap in the middle of secure links, and what its user is told about that.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use glassline_tap::Interceptor;
use glassline_wire::link::LinkKind;

use crate::note;

/// Makes the keys of this run, and tells their fingerprints.
///
/// # Errors
/// The system has no random numbers, or a library refuses its settings.
pub(super) fn begin(server: SocketAddr) -> Result<Interceptor> {
    let interceptor = Interceptor::new(server).context("cannot intercept secure links")?;
    note(
        "TLS and Noise links end at the tap, which reads what passes inside and accepts whatever key the server shows.",
    );
    for link in [LinkKind::Tls, LinkKind::Noise] {
        if let Some(fingerprint) = interceptor.fingerprint(link) {
            note(format_args!("key that {} clients are shown, made for this run: {fingerprint}", link.title()));
        }
    }
    Ok(interceptor)
}
