//! Causes of failed files and sockets, in words for users.

use std::io::{self, ErrorKind};

/// Returns why an operation failed: in plain words where they are known, else in those of the
/// system, without the number of the error.
pub fn cause(error: &io::Error) -> String {
    let known = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "this user may not do that",
        ErrorKind::ConnectionRefused => "nothing listens there",
        ErrorKind::AddrInUse => "another program listens there",
        ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => {
            let words = error.to_string();
            return words.split(" (os error").next().unwrap_or_default().to_owned();
        }
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_no_number() {
        assert_eq!(cause(&ErrorKind::NotFound.into()), "there is no such file or folder");
        assert_eq!(cause(&io::Error::other("full (os error 28)")), "full");
    }
}
