//! Files that only their owner can read.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

const FILE_MODE: u32 = 0o600;
/// The rights of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Creates a file that does not exist yet.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

/// Opens a file for appending, and creates it if it does not exist.
pub(crate) fn append_private_file(path: &Path) -> io::Result<File> {
    private(at_once(OpenOptions::new().append(true).create(true)).open(path)?)
}

/// Opens a file to read and rewrite it, and creates it if it is not there.
pub(crate) fn edit_private_file(path: &Path) -> io::Result<File> {
    private(at_once(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path)?)
}

/// Opens or creates a file without waiting for the other end of a pipe.
fn at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(FILE_MODE).custom_flags(OFlags::NONBLOCK.bits().cast_signed())
}

/// Takes the others' rights from a file that was there before. Refuses what would make reading it
/// wait.
fn private(file: File) -> io::Result<File> {
    let metadata = file.metadata()?;
    if metadata.file_type().is_fifo() {
        return Err(io::Error::other("it is a pipe, not a plain file"));
    }
    let mode = metadata.permissions().mode();
    // A history that leads to /dev/null is no file, and is everybody's.
    if metadata.is_file() && mode & OTHERS != 0 {
        // A file of another user, or on a file system without rights, is as private as it can
        // be.
        let _ = file.set_permissions(Permissions::from_mode(mode & 0o777 & !OTHERS));
    }
    Ok(file)
}

/// Returns whether the file is still the one that is found there, and was neither moved nor
/// removed.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((opened.dev(), opened.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_keyring::create_private_folder;
    use std::fs;

    #[test]
    fn only_the_owner_may_look_in() {
        let parent = glassline_testkit::Folder::new();
        let folder = parent.join("outer");
        let inner = folder.join("inner");
        create_private_folder(&inner).expect("created");
        create_private_folder(&inner).expect("there already");
        create_private_file(&inner.join("created")).expect("created");
        append_private_file(&inner.join("appended")).expect("created");
        edit_private_file(&inner.join("edited")).expect("created");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&inner)), (0o700, 0o700));
        for name in ["created", "appended", "edited"] {
            assert_eq!(mode(&inner.join(name)), 0o600, "{name}");
        }
        assert!(create_private_file(&inner.join("created")).is_err(), "it is there already");
        for (name, open) in
            [("appended", append_private_file as fn(&Path) -> io::Result<File>), ("edited", edit_private_file)]
        {
            let path = inner.join(name);
            fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
            open(&path).expect("opened");
            assert_eq!(mode(&path), 0o600, "{name} was everybody's to read");
        }
        let pipe = inner.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        // Its other end is closed: opening or reading it would wait forever.
        assert!(append_private_file(&pipe).is_err() && edit_private_file(&pipe).is_err());
        let nowhere = Path::new("/dev/null");
        let before = mode(nowhere);
        append_private_file(nowhere).expect("opened");
        assert_eq!(mode(nowhere), before);
    }
}
