//! Secrets for tools that decrypt recordings.

use std::process::Command;
use std::sync::{Arc, Mutex};

use glassline_secure::tls::{KeyLogSink, TlsClient, TlsServer};
use glassline_testkit::Folder;

use crate::support::{Pair, Pin, certificate, options};

/// Lines that were logged.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl KeyLogSink for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[test]
fn both_sides_log_the_same_secrets_as_lines() {
    let (at_client, at_server) = (Arc::new(Lines::default()), Arc::new(Lines::default()));
    let certificate = certificate();
    let mut options = options(Pin::of(certificate.fingerprint()));
    options.key_log = Some(at_client.clone());
    let server = TlsServer::with_key_log(&certificate, Some(at_server.clone())).unwrap();
    Pair::new(&TlsClient::new(options).unwrap(), &server).settle().unwrap();
    let sorted = |lines: &Lines| {
        let mut lines = lines.lines();
        lines.sort();
        lines
    };
    let lines = sorted(&at_client);
    assert_eq!(lines, sorted(&at_server));
    for label in [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
    ] {
        let line = lines.iter().find(|line| line.starts_with(label)).expect(label);
        let parts: Vec<&str> = line.split(' ').collect();
        assert_eq!((parts.len(), parts[1].len()), (3, 64), "{line}");
        assert!(parts[2].len() >= 64 && parts[1..].iter().all(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}

/// Runs a handshake in a process that has the variable.
#[test]
fn the_environment_variable_is_ignored() {
    let folder = Folder::new();
    let file = folder.path().join("keys");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "handshake::a_client_without_an_identity_is_admitted"]).env("SSLKEYLOGFILE", &file);
    let output = again.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    assert!(!file.exists());
}
