//! Files that only their owner can read: recordings and reports hold what people said.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Treatment of a file that is there already, and not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays as it is, and is not opened.
    Keep,
    /// Its content is lost.
    Overwrite,
}

/// Opens a file for writing and empties it, unless another program that opened it in this way still
/// has it open (on Unix, where its file system has locks). On Unix only its owner can read and
/// write it, whatever its permissions were if it was there; a program that had opened it before
/// keeps its access. Pipes and devices stay as they are. On other systems the folder decides who
/// can read it.
///
/// # Errors
/// The file cannot be made or written, or, on Unix, not be made private: it belongs to somebody
/// else, or its file system has no permissions; or it is to be kept ([`io::ErrorKind::AlreadyExists`]),
/// or is still being written ([`io::ErrorKind::ResourceBusy`]). Then its content is untouched.
pub fn create_private(path: &Path, existing: Existing) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // It is emptied once it is private.
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        #[cfg(unix)]
        lock(&file)?;
        if existing == Existing::Keep && metadata.len() > 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        #[cfg(unix)]
        make_private(&file)?;
        file.set_len(0)?;
    }
    Ok(file)
}

/// Locks a file until it is closed. On Windows a lock would keep others from reading it.
#[cfg(unix)]
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        // A file system without locks is no reason not to write.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    if file.metadata()?.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| {
        io::Error::new(error.kind(), format!("others can read this file, and that cannot be changed: {error}"))
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use glassline_testkit::Folder;

    use super::*;

    fn mode(path: &Path) -> Option<u32> {
        fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn a_file_is_private_although_it_was_readable_before() {
        let folder = Folder::new();
        let [new, old] = ["new", "old"].map(|name| folder.path().join(name));
        fs::write(&old, "a longer text of an earlier lesson").expect("written");
        fs::set_permissions(&old, Permissions::from_mode(0o644)).expect("changed");
        for path in [&new, &old] {
            create_private(path, Existing::Overwrite).expect("a file").write_all(b"secret").expect("written");
            assert_eq!(mode(path), Some(0o600));
            assert_eq!(fs::read(path).expect("read"), b"secret");
        }
    }

    #[test]
    fn a_file_to_be_kept_keeps_its_content() {
        let folder = Folder::new();
        let [full, empty] = [("full", "somebody's lesson"), ("empty", "")].map(|(name, text)| folder.write(name, text));
        let refused = create_private(&full, Existing::Keep).expect_err("it is there");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&full).expect("read"), b"somebody's lesson");
        create_private(&empty, Existing::Keep).expect("nothing is lost");
    }

    #[test]
    fn a_file_that_is_being_written_is_refused() {
        let folder = Folder::new();
        let path = folder.join("file");
        let mut first = create_private(&path, Existing::Keep).expect("a file");
        first.write_all(b"lesson").expect("written");
        for existing in [Existing::Keep, Existing::Overwrite] {
            let refused = create_private(&path, existing).expect_err("it is being written");
            assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        }
        assert_eq!(fs::read(&path).expect("read"), b"lesson");
        drop(first);
        create_private(&path, Existing::Overwrite).expect("nobody writes it any more");
    }

    #[test]
    fn a_device_is_written_as_it_is() {
        let before = mode(Path::new("/dev/null"));
        create_private(Path::new("/dev/null"), Existing::Keep).expect("a device").write_all(b"x").expect("written");
        assert_eq!(mode(Path::new("/dev/null")), before);
    }
}
