//! Programs of others on the other side of the line. One that is not installed is reported, and
//! fails the test under `CI=true`.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use glassline_secure::Fingerprint;
use glassline_secure::tls::{ServerCertificate, TlsClient, TlsServer};
use glassline_testkit::{Folder, Process};
use glassline_wire::layer::{LayerFactory as _, LayerStack, LayerState};
use glassline_wire::link::LinkFacts;

use crate::support::{Pin, identity, options};

/// Longest wait for bytes of a judge.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Returns whether a program is installed; if not, says so.
fn is_installed(program: &str, package: &str) -> bool {
    let mut probe = Command::new(program);
    probe.arg(if program == "openssl" { "version" } else { "--version" });
    let is_there = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{program} is missing; apt-get install {package}");
        // Past the test's own capture of what it prints.
        let _ = writeln!(io::stderr(), "NOT RUN: {program} is not installed ({package}), so it judged nothing");
    }
    is_there
}

/// Server that returns everything it is sent, and reports the facts of each link that was opened.
struct Echo {
    address: SocketAddr,
    facts: Receiver<LinkFacts>,
    folder: Folder,
}

impl Echo {
    /// Starts one, whose certificate is in a file of its folder.
    fn start() -> Self {
        // Judges use the clock of the machine.
        let certificate = ServerCertificate::generate(&[], std::time::SystemTime::now()).unwrap();
        let folder = Folder::new();
        folder.write("server.pem", certificate.chain_pem());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = TlsServer::new(&certificate).unwrap();
        let (opened, facts) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (layers, opened) = (server.layers(), opened.clone());
                thread::spawn(move || {
                    if let Some(facts) = echo(stream.unwrap(), layers) {
                        // The test may be over.
                        let _ = opened.send(facts);
                    }
                });
            }
        });
        Self { address, facts, folder }
    }

    fn port(&self) -> String {
        self.address.port().to_string()
    }

    fn certificate_file(&self) -> String {
        self.folder.join("server.pem").display().to_string()
    }
}

/// Serves one connection until its end. Returns the facts, if the handshake came to its end.
fn echo(mut stream: TcpStream, mut layers: LayerStack) -> Option<LinkFacts> {
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let (mut bytes, mut facts) = (vec![0; 4_096], None);
    loop {
        let read_bytes = stream.read(&mut bytes).unwrap_or(0);
        let mut plaintext = Vec::new();
        let received = layers.receive(&bytes[..read_bytes], &mut plaintext);
        if layers.state() != LayerState::Handshaking {
            facts = Some(layers.facts());
        }
        layers.send(&[&plaintext]);
        if layers.state() == LayerState::PeerClosed {
            layers.close();
        }
        let written = stream.write_all(layers.output());
        layers.consume_output(layers.output().len());
        if read_bytes == 0 || received.is_err() || written.is_err() || layers.state() == LayerState::PeerClosed {
            return facts;
        }
    }
}

/// Runs a judge that says `said` and ends. Returns everything it wrote.
fn judgement(program: &str, arguments: &[&str], said: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap_or_default();
    let output = child.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn assert_says(judgement: &str, wanted: &[&str], unwanted: &[&str]) {
    for text in wanted {
        assert!(judgement.contains(text), "no {text:?} in:\n{judgement}");
    }
    for text in unwanted {
        assert!(!judgement.contains(text), "{text:?} in:\n{judgement}");
    }
}

#[test]
fn openssl_verifies_the_server_and_shows_a_key_or_none() {
    if !is_installed("openssl", "openssl") {
        return;
    }
    let server = Echo::start();
    let (address, certificate) = (server.address.to_string(), server.certificate_file());
    let common = ["s_client", "-connect", &address, "-CAfile", &certificate, "-verify_return_error"];
    let named = [&common[..], &["-verify_hostname", "localhost"]].concat();
    let text = judgement("openssl", &named, "");
    assert_says(
        &text,
        &["New, TLSv1.3", "Verification: OK", "Compression: NONE", "Early data was not sent"],
        &["New Session Ticket"],
    );
    assert_eq!(server.facts.recv_timeout(WAIT_MAX).unwrap().peer, None);
    let key = server.folder.write("member.key", identity().to_pem().unwrap()).display().to_string();
    let member = server.folder.join("member.pem").display().to_string();
    let request = ["req", "-x509", "-new", "-key", &key, "-subj", "/CN=member", "-out", &member];
    judgement("openssl", &request, "");
    let text = judgement("openssl", &[&named[..], &["-cert", &member, "-key", &key]].concat(), "");
    assert_says(&text, &["Verification: OK"], &[]);
    assert_eq!(server.facts.recv_timeout(WAIT_MAX).unwrap().peer, Some(identity().public()));
    for older in ["-tls1", "-tls1_1", "-tls1_2"] {
        let text = judgement("openssl", &[&common[..], &[older, "-cipher", "ALL:@SECLEVEL=0"]].concat(), "");
        assert_says(&text, &["alert", "Cipher is (NONE)"], &["New, TLSv1"]);
    }
}

#[test]
fn gnutls_verifies_the_server_and_is_answered() {
    if !is_installed("gnutls-cli", "gnutls-bin") {
        return;
    }
    let server = Echo::start();
    let (port, certificate) = (server.port(), server.certificate_file());
    let arguments = ["--port", &port, "--x509cafile", &certificate, "--verify-hostname", "localhost", "127.0.0.1"];
    let text = judgement("gnutls-cli", &arguments, "hello from another library\n");
    assert_says(&text, &["certificate is trusted", "(TLS1.3", "hello from another library"], &["Resume", "ticket"]);
}

#[test]
fn sslscan_finds_nothing_older_and_no_compression() {
    if !is_installed("sslscan", "sslscan") {
        return;
    }
    let server = Echo::start();
    let text = judgement("sslscan", &["--no-colour", "--show-sigs", &server.address.to_string()], "");
    assert_says(
        &text,
        &["TLSv1.3   enabled", "TLSv1.2   disabled", "TLSv1.1   disabled", "TLSv1.0   disabled", "SSLv3     disabled"],
        &["Compression enabled", "CBC", "RC4", "SHA1"],
    );
}

/// The server sends tickets, asks for the member's certificate and returns lines reversed.
#[test]
fn our_client_talks_to_a_server_of_openssl() {
    if !is_installed("openssl", "openssl") {
        return;
    }
    let folder = Folder::new();
    let certificate = ServerCertificate::generate(&[], std::time::SystemTime::now()).unwrap();
    folder.write("server.pem", certificate.chain_pem());
    folder.write("server.key", certificate.key_pem());
    let mut command = Command::new("openssl");
    command.current_dir(folder.path()).args(["s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-rev", "-verify", "1"]);
    command.args(["-cert", "server.pem", "-key", "server.key"]);
    let openssl = Process::start(command);
    let address = loop {
        if let Some(address) = openssl.line().strip_prefix("ACCEPT ") {
            break address.to_owned();
        }
    };
    assert_eq!(reversed_by(&address, certificate.fingerprint()), "!tsepat eht dnuor");
}

fn reversed_by(address: &str, pinned: Fingerprint) -> String {
    let mut options = options(Pin::of(pinned));
    options.identity = Some(identity());
    let mut layers = TlsClient::new(options).unwrap().layers();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let (mut bytes, mut plaintext, mut is_said) = (vec![0; 4_096], Vec::new(), false);
    while !plaintext.ends_with(b"\n") {
        if layers.state() == LayerState::Open && !is_said {
            is_said = layers.send(&[b"round the tapest!\n"]) > 0;
        }
        stream.write_all(layers.output()).unwrap();
        layers.consume_output(layers.output().len());
        let read_bytes = stream.read(&mut bytes).unwrap();
        assert!(read_bytes > 0, "the server has ended");
        layers.receive(&bytes[..read_bytes], &mut plaintext).unwrap();
    }
    String::from_utf8(plaintext).unwrap().trim_end().to_owned()
}
