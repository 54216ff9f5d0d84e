//! The file with the secret that makes a member an operator.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow};
use glassline_server::OperatorToken;
use tracing::warn;

use crate::folders;

/// A secret and some white space; what is longer is another file.
const FILE_BYTES_MAX: u64 = 4 * 1024;

/// Reads it.
///
/// # Errors
/// It cannot be read, or holds no token; the words say why and what to do.
pub(crate) fn read(path: &Path) -> anyhow::Result<OperatorToken> {
    let path =
        &folders::expanded(path).map_err(|advice| anyhow!("--operator-token-file {}: {advice}", path.display()))?;
    let named = || format!("the operators' token in {}", path.display());
    let file = File::open(path).with_context(|| format!("cannot read {}; name another file", named()))?;
    if is_open_to_others(&file) && !is_credential(path) {
        let chmod = format!("chmod 600 {}", path.display());
        warn!(file = %path.display(), "others may read the operators' token; keep it to yourself with `{chmod}`");
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", named()))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text in UTF-8; write a new one", named()))?;
    OperatorToken::parse(&text).with_context(named)
}

/// Whether systemd hands it over: the folder is the service's own, and the list that lets its user in looks like rights of a group.
fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|folder| !folder.is_empty() && path.starts_with(folder))
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // What is no plain file is somebody else's, or nobody's: there is nothing to advise.
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> bool {
    false
}
