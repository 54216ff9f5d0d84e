//! Files that only their owner can read: read within bounds, written whole in one step.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::KeyringError;

/// Held while files of the folder are changed.
const LOCK_NAME: &str = "lock";
/// Longest wait for the lock, which is held for milliseconds.
const LOCK_TRIES: usize = 100;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// File in the folder of keys, or in a folder below it.
#[derive(Debug, Clone)]
pub(crate) struct PrivateFile {
    path: PathBuf,
    bytes_max: u64,
}

/// Signs by which a file that was replaced is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    modified: SystemTime,
    bytes: u64,
    /// Number of the file on its disk, where the system has one.
    id: u64,
}

/// Right to change the folder's files, until it is dropped.
pub(crate) struct FolderLock {
    /// `None` where the file system has no locks: two changes at once may then lose one of them.
    _file: Option<File>,
}

impl PrivateFile {
    pub(crate) fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self { path, bytes_max }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what changes with each writing of the file; `None` if there is no file.
    pub(crate) fn stamp(&self) -> Option<FileStamp> {
        let metadata = fs::metadata(&self.path).ok()?;
        Some(FileStamp { modified: metadata.modified().ok()?, bytes: metadata.len(), id: file_id(&metadata) })
    }

    /// Returns the text; `None` if there is no file. A secret that others may read is refused, and
    /// anything that they may replace.
    pub(crate) fn read(&self, is_secret: bool) -> Result<Option<String>, KeyringError> {
        let read = |error| KeyringError::Read { path: self.path.clone(), error };
        match fs::metadata(&self.path) {
            // A pipe would make reading wait.
            Ok(metadata) if !metadata.is_file() => return Err(read(io::Error::other("it is not a plain file"))),
            Ok(metadata) if is_writable_for_others(&metadata) || (is_secret && is_open_to_others(&metadata)) => {
                return Err(KeyringError::OpenToOthers(self.path.clone()));
            }
            Ok(_) => self.check_folder()?,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(read(error)),
        }
        let mut bytes = Vec::new();
        File::open(&self.path).and_then(|file| file.take(self.bytes_max + 1).read_to_end(&mut bytes)).map_err(read)?;
        if bytes.len() as u64 > self.bytes_max {
            return Err(KeyringError::TooLong { path: self.path.clone(), bytes_max: self.bytes_max });
        }
        String::from_utf8(bytes).map(Some).map_err(|_| read(io::Error::other("it is not UTF-8")))
    }

    /// Creates the folder, and takes its lock.
    pub(crate) fn lock(&self) -> Result<FolderLock, KeyringError> {
        let folder = self.folder();
        let lock_path = folder.join(LOCK_NAME);
        let written = |error| KeyringError::Write { path: lock_path.clone(), error };
        create_private_folder(folder).map_err(written)?;
        self.check_folder()?;
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&lock_path);
        let file = file.map_err(written)?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(FolderLock { _file: Some(file) }),
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_WAIT),
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                    return Ok(FolderLock { _file: None });
                }
                Err(TryLockError::Error(error)) => return Err(written(error)),
            }
        }
        Err(KeyringError::Locked(folder.to_path_buf()))
    }

    /// Replaces the file. A crash leaves the old one or the new one.
    pub(crate) fn write(&self, _lock: &FolderLock, text: &str) -> Result<(), KeyringError> {
        let new_path = self.path.with_added_extension("new");
        let replace = || {
            // One that a crash has left may have other rights.
            match fs::remove_file(&new_path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&new_path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new_path, &self.path)?;
            sync_folder(self.folder())
        };
        replace().map_err(|error| KeyringError::Write { path: self.path.clone(), error })
    }

    fn check_folder(&self) -> Result<(), KeyringError> {
        let folder = self.folder();
        if fs::metadata(folder).is_ok_and(|metadata| is_writable_for_others(&metadata)) {
            return Err(KeyringError::OpenToOthers(folder.to_path_buf()));
        }
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

#[cfg(unix)]
fn file_id(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.ino()
}

#[cfg(not(unix))]
fn file_id(_: &fs::Metadata) -> u64 {
    0
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Creates a folder and those it is in, as far as they are not there. On Unix only their owner can
/// look in; those that were there keep their rights.
///
/// # Errors
/// One of them cannot be made.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn is_writable_for_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o022 != 0
}

#[cfg(not(unix))]
fn is_writable_for_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Other systems do not open folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_testkit::Folder;

    fn file(folder: &Folder) -> PrivateFile {
        PrivateFile::new(folder.join("keys").join("x"), 10)
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owners_alone() {
        let folder = Folder::new();
        let file = file(&folder);
        assert!(matches!(file.read(true), Ok(None)));
        for text in ["one", "two"] {
            // What a crash has left is no obstacle.
            if text == "two" {
                fs::write(file.path().with_extension("new"), "half").expect("written");
            }
            let lock = file.lock().expect("nobody else has it");
            file.write(&lock, text).expect("there is room");
            assert_eq!(file.read(true).expect("readable").as_deref(), Some(text));
        }
        #[cfg(unix)]
        assert_eq!((mode(file.path()), mode(file.folder())), (0o600, 0o700));
        let names: Vec<_> = fs::read_dir(file.folder()).expect("a folder").collect();
        assert_eq!(names.len(), 2, "the file and the lock: {names:?}");
    }

    #[test]
    fn what_is_too_long_or_no_file_is_refused() {
        let folder = Folder::new();
        let file = file(&folder);
        let lock = file.lock().expect("nobody else has it");
        file.write(&lock, "12345678901").expect("there is room");
        assert!(matches!(file.read(true), Err(KeyringError::TooLong { bytes_max: 10, .. })));
        fs::remove_file(file.path()).expect("removed");
        fs::create_dir(file.path()).expect("a folder");
        assert!(matches!(file.read(true), Err(KeyringError::Read { .. })));
        assert!(matches!(file.write(&lock, "1"), Err(KeyringError::Write { .. })));
    }

    #[test]
    fn one_process_at_a_time_changes_the_folder() {
        let folder = Folder::new();
        let file = file(&folder);
        let lock = file.lock().expect("nobody else has it");
        assert!(matches!(file.lock(), Err(KeyringError::Locked(_))));
        drop(lock);
        assert!(file.lock().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn what_others_can_use_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let file = file(&folder);
        let lock = file.lock().expect("nobody else has it");
        file.write(&lock, "secret").expect("there is room");
        drop(lock);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).expect("its owner's");
        assert!(matches!(file.read(true), Err(KeyringError::OpenToOthers(path)) if path == file.path()));
        assert!(file.read(false).is_ok());
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o620)).expect("its owner's");
        assert!(matches!(file.read(false), Err(KeyringError::OpenToOthers(path)) if path == file.path()));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).expect("its owner's");
        fs::set_permissions(file.folder(), fs::Permissions::from_mode(0o770)).expect("its owner's");
        assert!(matches!(file.lock(), Err(KeyringError::OpenToOthers(path)) if path == file.folder()));
        assert!(matches!(file.read(false), Err(KeyringError::OpenToOthers(path)) if path == file.folder()));
    }
}
