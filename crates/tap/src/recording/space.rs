//! Room on the disk that a recording takes before it is written: the kernel then has less to do for
//! each block.

use std::fs::File;

/// Most room ahead of the end of the file.
const AHEAD_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Room of a file behind its end. It does not change the length that a reader sees.
#[derive(Debug)]
pub(super) enum Space {
    /// Up to this offset.
    Until(u64),
    /// The file system, or a file that is none, has no such thing.
    Unavailable,
}

impl Space {
    /// A file of this length, behind which there is no room yet.
    pub(super) fn new(length: u64) -> Self {
        Self::Until(length)
    }

    /// Sees to it that there is room up to an offset, and ahead of it as much again, up to 32 MiB.
    /// Without room the write itself says what is wrong.
    pub(super) fn reserve(&mut self, file: &File, end: u64) {
        let Self::Until(until) = *self else { return };
        if end > until {
            let length = end - until + end.min(AHEAD_BYTES_MAX);
            *self = if allocate(file, until, length) { Self::Until(until + length) } else { Self::Unavailable };
        }
    }

    /// Gives back what is behind the end of a file of this length.
    pub(super) fn release(&self, file: &File, length: u64) {
        if matches!(self, Self::Until(until) if *until > length) {
            // Without it the file only takes more room.
            let _ = file.set_len(length);
        }
    }
}

#[cfg(target_os = "linux")]
fn allocate(file: &File, offset: u64, length: u64) -> bool {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, offset, length).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64, _: u64) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use glassline_testkit::Folder;

    use super::*;

    #[test]
    fn room_is_bounded_and_given_back() {
        let folder = Folder::new();
        let file = File::create(folder.join("file")).expect("a file");
        let taken = || file.metadata().expect("metadata").blocks() * 512;
        file.set_len(1_000).expect("a length");
        let mut space = Space::new(1_000);
        space.reserve(&file, 2_000);
        if matches!(space, Space::Unavailable) {
            println!("not run: this file system allocates no room");
            return;
        }
        space.reserve(&file, 100_000_000);
        assert!(matches!(space, Space::Until(until) if until <= 100_000_000 + AHEAD_BYTES_MAX));
        assert_eq!(file.metadata().expect("metadata").len(), 1_000);
        assert!(taken() >= 100_000_000);
        space.release(&file, 1_000);
        assert!(taken() < 100_000);
    }

    #[test]
    fn a_device_has_no_room() {
        let device = File::options().write(true).open("/dev/null").expect("a device");
        let mut space = Space::new(0);
        space.reserve(&device, 1_000);
        assert!(matches!(space, Space::Unavailable));
    }
}
