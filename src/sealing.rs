//! Files of sealed rooms (S7), and passphrases that are given in files.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use glassline_client::{JoinOptions, Sealing};
use glassline_keyring::{Keyring, ServerAddress};
use glassline_secure::seal::Passphrase;
use zeroize::Zeroizing;

use crate::{folders, plain_file};

/// Longest file with a passphrase.
const FILE_BYTES_MAX: u64 = 4096;

/// A room to seal from the start, and the file with its passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedRoom {
    room: String,
    file: PathBuf,
}

/// Parses `ROOM=FILE`. The error states what to write.
pub(crate) fn parse(text: &str) -> Result<SealedRoom, String> {
    let parts = text.split_once('=').filter(|(room, file)| !room.is_empty() && !file.is_empty());
    let (room, file) = parts.ok_or("write a room and the file with its passphrase, as in den=passphrase.txt")?;
    Ok(SealedRoom { room: room.to_string(), file: folders::expanded(Path::new(file))? })
}

/// Returns the options with the files of sealed rooms. Errors: a passphrase cannot be read, or
/// there is no folder to keep what it seals.
pub(crate) fn with_sealing(mut options: JoinOptions, rooms: &[SealedRoom]) -> anyhow::Result<JoinOptions> {
    let Some(folder) = folders::keys_folder() else {
        if rooms.is_empty() {
            return Ok(options);
        }
        bail!("there is no folder for keys, since HOME is not set, so nothing can be sealed");
    };
    let keyring = Keyring::open(folder);
    let address = ServerAddress::parse(&options.address)?;
    let mut passphrases = Vec::new();
    for SealedRoom { room, file } in rooms {
        let (passphrase, is_open_to_others) = passphrase(file)?;
        passphrases.push((room.clone(), passphrase));
        if is_open_to_others {
            let file = file.display();
            options.greeting.push(format!(
                "others may read the passphrase of {room} in {file}; keep it to yourself with `chmod 600 {file}`"
            ));
        }
    }
    let sealing = Sealing {
        identity: keyring.identity(),
        rooms: keyring.sealed_rooms(&address),
        members: keyring.known_members(&address),
        passphrases,
    };
    options.greeting.extend(sealing.warnings());
    options.sealing = Some(sealing);
    Ok(options)
}

/// Reads a passphrase; returns whether others may read it, too.
fn passphrase(path: &Path) -> anyhow::Result<(Passphrase, bool)> {
    let unreadable = || format!("cannot read the passphrase in {}", path.display());
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
    let file = plain_file::open(path).with_context(unreadable)?;
    let is_open_to_others = plain_file::is_open_to_others(&file, path);
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).with_context(unreadable)?;
    Ok((Passphrase::new(&text).with_context(unreadable)?, is_open_to_others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_and_its_file_are_separated_by_the_first_sign() {
        let parsed = parse("den=a=b").expect("both");
        assert_eq!((parsed.room.as_str(), parsed.file.as_path()), ("den", Path::new("a=b")));
        for wrong in ["", "den", "=file", "den="] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = passphrase(Path::new("/nowhere/at/all")).expect_err("no file");
        assert!(format!("{error:#}").contains("/nowhere/at/all"), "{error:#}");
    }

    #[cfg(unix)]
    #[test]
    fn a_passphrase_that_others_may_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = glassline_testkit::Folder::new();
        let path = folder.write("passphrase", "correct horse battery staple");
        for (mode, is_open) in [(0o644, true), (0o600, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its owner's");
            assert_eq!(passphrase(&path).expect("read").1, is_open, "{mode:o}");
        }
    }
}
