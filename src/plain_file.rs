//! Opening of plain files that are read at the start. A pipe is refused, as opening it could block
//! forever.

use std::fs::{File, FileType, Metadata};
use std::io;
use std::path::Path;

/// Opens a plain file, or what a link leads to, for reading. The null device counts as an empty
/// file. Errors: it cannot be opened, or is no plain file: the text states what it is.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = open_at_once(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() || is_null_device(&metadata) {
        return Ok(file);
    }
    Err(io::Error::other(format!("it is {}, not a plain file", kind(metadata.file_type()))))
}

/// Returns whether others than the owner have rights to a regular file. A file that systemd
/// provides is for the service alone: its access list only looks like rights of a group.
#[cfg(unix)]
pub(crate) fn is_open_to_others(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let is_open =
        file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0);
    is_open && !is_credential(path)
}

#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &File, _: &Path) -> bool {
    false
}

#[cfg(unix)]
fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|folder| !folder.is_empty() && path.starts_with(folder))
}

#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without it, opening a pipe waits for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    std::fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
fn is_null_device(metadata: &Metadata) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let is_null = |null: Metadata| null.rdev() == metadata.rdev();
    metadata.file_type().is_char_device() && std::fs::metadata("/dev/null").is_ok_and(is_null)
}

#[cfg(not(unix))]
fn is_null_device(_: &Metadata) -> bool {
    false
}

fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() { "a folder" } else { special_kind(file_type) }
}

#[cfg(unix)]
fn special_kind(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if file_type.is_fifo() {
        "a pipe"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "a device"
    } else {
        "something else"
    }
}

#[cfg(not(unix))]
fn special_kind(_: FileType) -> &'static str {
    "something else"
}
