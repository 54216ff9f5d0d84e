//! TLS and Noise as users have them: `glassline serve` with keys of its own, or with a certificate.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::iter;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use glassline_secure::tls::ServerCertificate;
use glassline_secure::{Fingerprint, Identity};
use glassline_wire::link::LinkKind;
use serde_json::json;

use crate::harness::{EventClient, LinkClient, PATIENCE, ServerProcess, Tutorial, Wire, frame, test_layer};
use crate::program::{Ended, Folder, Process, command};

const SECURE: [LinkKind; 2] = [LinkKind::Tls, LinkKind::Noise];
const KEYS: &str = ".local/state/glassline/keys";
/// Seed of RFC 8032, 7.1, test 1.
const RFC_8032_SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const DAY: Duration = Duration::from_hours(24);

fn serve(arguments: &[&str]) -> ServerProcess {
    ServerProcess::serve(&[&["--history", "none"], arguments].concat())
}

/// The fingerprint that a server has shown on stderr.
#[track_caller]
fn shown_key(ended: &Ended, link: LinkKind) -> Fingerprint {
    let before = format!("this server's key, {link}: ");
    let mut shown = ended.stderr.lines().filter_map(|line| line.strip_prefix(&before));
    shown.next().and_then(|key| key.parse().ok()).unwrap_or_else(|| panic!("no key of {link}: {ended:?}"))
}

#[test]
fn every_dialect_is_spoken_over_every_link() {
    let server = serve(&[]);
    let mut plain = EventClient::join(server.address, "plain");
    let identity = Identity::from_seed(&RFC_8032_SEED);
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let mut seen = Vec::new();
    for link in SECURE {
        let with_key = LinkClient::new(link, Some(&identity));
        let mut eve = EventClient::join_over(with_key.connect(server.address), &format!("eve-{link}"));
        let without_key = LinkClient::new(link, None);
        let mut tom = Tutorial::join_over(without_key.connect(server.address), &format!("tom-{link}"));
        tom.say("hello from afar");
        for member in [&mut plain, &mut eve] {
            member.expect_message(&format!("tom-{link}"), "hello from afar");
        }
        // Longer than a record of either link.
        let long = "long ".repeat(3_276);
        eve.say(&long);
        tom.expect_message(&format!("eve-{link}"), &long);
        plain.expect_message(&format!("eve-{link}"), &long);
        for (name, of_link, of_key) in [
            (format!("eve-{link}"), json!(link.as_str()), json!(key)),
            (format!("tom-{link}"), json!(link.as_str()), json!(null)),
            ("plain".to_string(), json!("plaintext"), json!(null)),
        ] {
            eve.send(&json!({"type": "whois", "name": name}));
            let whois = iter::repeat_with(|| eve.event()).find(|event| event["type"] == "whois").expect("found");
            assert_eq!((&whois["link"], &whois["key"]), (&of_link, &of_key), "{whois}");
        }
        seen.push((link, with_key.seen_key().expect("a handshake")));
    }
    let ended = server.stop();
    for (link, key) in seen {
        assert_eq!(shown_key(&ended, link), key);
    }
}

#[test]
fn a_pure_server_speaks_the_tutorial_inside_a_link() {
    let server = ServerProcess::serve(&["--pure"]);
    for link in SECURE {
        let client = LinkClient::new(link, None);
        let mut bob = Wire::enter_pure(server.address, "bob");
        let mut ann = client.connect(server.address);
        ann.send([frame("ann"), frame("hi\u{7}")].concat());
        let relayed = |to: &mut Wire| [to.payload(), to.payload()].map(|part| part.expect("a pair"));
        assert_eq!(relayed(&mut bob), [b"ann".to_vec(), b"hi\x07".to_vec()]);
        bob.send(frame("ho"));
        assert_eq!(relayed(&mut ann), [b"bob".to_vec(), b"ho".to_vec()], "not one byte of the server's own");
    }
}

#[test]
fn a_required_link_keeps_others_out_and_says_what_to_do() {
    for (required, other) in [(LinkKind::Tls, LinkKind::Noise), (LinkKind::Noise, LinkKind::Tls)] {
        let server = serve(&["--require", required.as_str()]);
        let mut tom = Tutorial::connect(server.address);
        tom.say("tom");
        tom.expect_word(&format!("--link {required}"));
        tom.expect_closed();
        let mut eve = EventClient::connect(server.address);
        eve.expect_error("link_required");
        eve.expect_closed();
        let mut refused = LinkClient::new(other, None).connect(server.address);
        refused.rest();
        let mut welcome = EventClient::join_over(LinkClient::new(required, None).connect(server.address), "eve");
        welcome.barrier();
        let ended = server.stop();
        assert_eq!(ended.stderr.matches("reason=\"link_required\"").count(), 3, "{ended:?}");
        shown_key(&ended, required);
        assert!(!ended.stderr.contains(&format!("key, {other}")), "{ended:?}");
    }
}

#[test]
fn the_servers_keys_are_its_own_and_stay() {
    let mut home = Folder::new();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let (ended, left) = ServerProcess::serve_at(home, &["--history", "none"]).stop_and_leave();
        home = left;
        keys.push(SECURE.map(|link| shown_key(&ended, link)));
    }
    assert_eq!(keys[0], keys[1]);
    let mode = |path: &str| fs::metadata(home.join(path)).expect("it is there").permissions().mode() & 0o777;
    let mut show = command(crate::program::PROGRAM, &home);
    show.args(["keys", "show"]);
    let shown = crate::program::run(show).stdout.join("\n");
    for (link, key) in SECURE.iter().zip(keys[0]) {
        assert!(shown.contains(&format!("the server of this machine, {link}: {key}")), "{shown}");
    }
    assert_eq!(mode(KEYS), 0o700);
    for file in ["server-identity.pem", "server-certificate.pem"] {
        assert_eq!(mode(&format!("{KEYS}/{file}")), 0o600, "{file}");
    }
    let text = fs::read_to_string(home.join(format!("{KEYS}/server-certificate.pem"))).expect("readable");
    assert!(text.contains("PRIVATE KEY") && text.contains("BEGIN CERTIFICATE"));
    fs::set_permissions(home.join(format!("{KEYS}/server-identity.pem")), fs::Permissions::from_mode(0o644)).unwrap();
    let mut serve = command(crate::program::PROGRAM, &home);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--history", "none"]);
    let refused = crate::program::run(serve);
    assert!(refused.code == Some(1) && refused.stderr.contains("chmod"), "a key that others can read: {refused:?}");
}

/// A home with a certificate that expires in less than a month.
fn home_with_old_certificate() -> (Folder, ServerCertificate) {
    let home = Folder::new();
    let made = SystemTime::now() - 340 * DAY;
    let old = ServerCertificate::generate(&["host.example".to_string()], made).expect("made");
    let path = home.write(format!("{KEYS}/server-certificate.pem"), [old.key_pem(), old.chain_pem()].concat());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(home.join(KEYS), fs::Permissions::from_mode(0o700)).unwrap();
    (home, old)
}

fn kept_certificate(home: &Folder) -> ServerCertificate {
    let pem = fs::read_to_string(home.join(format!("{KEYS}/server-certificate.pem"))).expect("readable");
    ServerCertificate::from_pem(&pem, &pem).expect("whole")
}

#[test]
fn a_certificate_is_renewed_under_the_same_key() {
    let (home, old) = home_with_old_certificate();
    let (ended, home) = ServerProcess::serve_at(home, &["--history", "none"]).stop_and_leave();
    assert_eq!(shown_key(&ended, LinkKind::Tls), old.fingerprint());
    let renewed = kept_certificate(&home);
    assert!(renewed.not_after() > SystemTime::now() + 300 * DAY && old.not_after() < SystemTime::now() + 30 * DAY);
    assert_eq!(renewed.fingerprint(), old.fingerprint());
}

#[test]
fn a_certificate_that_cannot_be_renewed_stays() {
    let (home, old) = home_with_old_certificate();
    let identity = home.write(format!("{KEYS}/server-identity.pem"), Identity::from_seed(&[1; 32]).to_pem().unwrap());
    fs::set_permissions(identity, fs::Permissions::from_mode(0o600)).unwrap();
    // A folder in the place of the lock: nothing can be written.
    fs::create_dir(home.join(format!("{KEYS}/lock"))).unwrap();
    let (ended, home) = ServerProcess::serve_at(home, &["--history", "none"]).stop_and_leave();
    assert!(ended.stderr.contains("cannot be renewed, and the former one stays"), "{ended:?}");
    assert_eq!(shown_key(&ended, LinkKind::Tls), old.fingerprint());
    assert_eq!(kept_certificate(&home).not_after(), old.not_after());
}

#[test]
fn a_certificate_that_is_removed_is_written_again() {
    let home = Folder::new();
    let file = home.join(format!("{KEYS}/server-certificate.pem"));
    // One that was read from its file, as every start but the first does.
    let (_, home) = ServerProcess::serve_at(home, &["--history", "none"]).stop_and_leave();
    let server = ServerProcess::serve_at(home, &["--history", "none"]);
    let text = fs::read_to_string(&file).expect("it is kept");
    fs::remove_file(&file).expect("it was there");
    server.signal("HUP");
    let until = Instant::now() + PATIENCE;
    while !file.exists() {
        assert!(Instant::now() < until, "no certificate is written");
        std::thread::yield_now();
    }
    let client = LinkClient::new(LinkKind::Tls, None);
    EventClient::join_over(client.connect(server.address), "late").barrier();
    let (ended, home) = server.stop_and_leave();
    let keys = (client.seen_key(), Some(kept_certificate(&home).fingerprint()));
    assert_eq!(keys, (Some(shown_key(&ended, LinkKind::Tls)), Some(shown_key(&ended, LinkKind::Tls))));
    assert_eq!(fs::read_to_string(&file).expect("it is kept"), text);
    assert!(ended.stderr.contains("was gone, and is written again"), "{ended:?}");
    assert!(!ended.stderr.contains("key has changed"), "{ended:?}");
}

#[test]
fn a_server_that_can_keep_no_key_says_so_and_goes_on() {
    let home = Folder::new();
    home.write(KEYS, "a file in the place of the folder");
    let (ended, home) = ServerProcess::serve_at(home, &["--history", "none"]).stop_and_leave();
    assert!(ended.stderr.contains("TLS and Noise are not offered") && !ended.stderr.contains("key, tls"), "{ended:?}");
    let mut serve = command(crate::program::PROGRAM, &home);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--history", "none", "--require", "tls"]);
    let refused = crate::program::run(serve);
    assert!(refused.code == Some(1) && refused.stderr.contains("--require"), "{refused:?}");
}

#[test]
fn a_hangup_reads_the_certificate_again() {
    let folder = Folder::new();
    let keep = |certificate: &ServerCertificate| {
        folder.write("cert.pem", certificate.chain_pem());
        let key = folder.write("key.pem", certificate.key_pem());
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let [first, second] = [0, 1].map(|_| ServerCertificate::generate(&[], SystemTime::now()).expect("made"));
    keep(&first);
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let server = serve(&["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    let client = LinkClient::new(LinkKind::Tls, None);
    let mut early = EventClient::join_over(client.connect(server.address), "early");
    assert_eq!(client.seen_key(), Some(first.fingerprint()));
    // What cannot be used changes nothing.
    folder.write("cert.pem", "no certificate");
    server.signal("HUP");
    let mut still = EventClient::join_over(client.connect(server.address), "still");
    assert_eq!(client.seen_key(), Some(first.fingerprint()));
    keep(&second);
    server.signal("HUP");
    let until = Instant::now() + PATIENCE;
    while client.seen_key() != Some(second.fingerprint()) {
        assert!(Instant::now() < until, "the new certificate is not shown");
        EventClient::join_over(client.connect(server.address), "late").barrier();
    }
    early.say("still here");
    still.expect_message("early", "still here");
    let ended = server.stop();
    assert_eq!(shown_key(&ended, LinkKind::Tls), first.fingerprint());
    assert!(ended.stderr.contains("the former one stays") && ended.stderr.contains("key has changed"), "{ended:?}");
}

#[test]
fn a_certificate_that_cannot_be_used_is_reported_with_its_file() {
    let folder = Folder::new();
    let certificate = ServerCertificate::generate(&[], SystemTime::now()).expect("made");
    let other = ServerCertificate::generate(&[], SystemTime::now()).expect("made");
    let cert = folder.write("cert.pem", certificate.chain_pem());
    let missing = folder.join("missing.pem");
    for (key, cause) in [
        (folder.write("other.pem", other.key_pem()), "not that of the certificate"),
        (folder.write("empty.pem", ""), "no private key"),
        (missing, "cannot read --key"),
    ] {
        let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
        let ended = ServerProcess::ended(&["serve", "--history", "none", "--cert", cert, "--key", key]);
        assert!(ended.code == Some(1) && ended.stderr.contains(cause) && ended.stderr.contains(key), "{ended:?}");
    }
    for (made_at, warning) in [
        (SystemTime::now() - Duration::from_hours(400 * 24), "the certificate has expired"),
        (SystemTime::now() + Duration::from_hours(48), "the certificate is not valid yet"),
        (SystemTime::now(), ""),
    ] {
        let dated = ServerCertificate::generate(&[], made_at).expect("made");
        let (cert, key) = (folder.write("dated.pem", dated.chain_pem()), folder.write("dated.key", dated.key_pem()));
        let ended = serve(&["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()]).stop();
        assert!(ended.stderr.contains(warning), "{warning}: {ended:?}");
        assert_eq!(ended.stderr.contains("clients that check it"), !warning.is_empty(), "{ended:?}");
    }
    let ended = ServerProcess::ended(&["serve", "--cert", cert.to_str().unwrap()]);
    assert!(ended.code == Some(2) && ended.stderr.contains("--key"), "{ended:?}");
}

/// Half-open handshakes in all, and those whose sockets the test keeps: more than the server does.
const HALF_OPEN: usize = 10_000;
const HELD_MAX: usize = 1_100;

#[test]
fn half_open_handshakes_leave_members_and_newcomers_alone() {
    // The first bytes of the test layer would be missing.
    if test_layer().is_some() {
        return;
    }
    let server = serve(&[]);
    let (mut ann, mut bob) = (EventClient::join(server.address, "ann"), EventClient::join(server.address, "bob"));
    let first_flights = SECURE.map(|link| LinkClient::new(link, None).layers().output().to_vec());
    let mut held = VecDeque::new();
    for n in 0..HALF_OPEN {
        let mut stream = TcpStream::connect(server.address).expect("the server accepts");
        // One that was closed for another may be refused its bytes.
        let _ = stream.write_all(&first_flights[n % SECURE.len()]);
        held.push_back(stream);
        if held.len() > HELD_MAX {
            held.pop_front();
        }
        if n % 100 == 0 {
            ann.say(&format!("{n}"));
            bob.expect_message("ann", &format!("{n}"));
            ann.expect_message("ann", &format!("{n}"));
        }
    }
    for link in SECURE {
        EventClient::join_over(LinkClient::new(link, None).connect(server.address), link.as_str()).barrier();
    }
    drop(held);
    let ended = server.stop();
    let crowded_out = ended.stderr.matches("reason=\"crowded_out\"").count();
    assert!(crowded_out > HALF_OPEN / 2, "the oldest make room: {crowded_out}");
}

#[test]
fn openssl_speaks_the_tutorial_dialect_over_tls() {
    if test_layer().is_some() {
        return;
    }
    if matches!(Command::new("openssl").arg("version").output(), Err(error) if error.kind() == ErrorKind::NotFound) {
        assert!(std::env::var_os("CI").is_none(), "CI needs `openssl` (package openssl)");
        let _ = writeln!(io::stderr(), "NOT RUN: there is no `openssl` here");
        return;
    }
    let server = serve(&["--require", "tls"]);
    let mut eve = EventClient::join_over(LinkClient::new(LinkKind::Tls, None).connect(server.address), "eve");
    let home = Folder::new();
    let mut openssl = command("openssl", &home);
    openssl.args(["s_client", "-quiet", "-tls1_3", "-connect", &server.address.to_string()]);
    let mut client = Process::start(openssl);
    client.say(&(String::from_utf8(frame("tom")).unwrap() + "6         hello"));
    eve.expect_message("tom", "hello\n");
    eve.say("bye");
    eve.expect_message("eve", "bye");
    eve.barrier();
    client.close_stdin();
    server.stop();
    let ended = client.ended();
    let output = ended.stdout.join("\n");
    assert!(output.contains("3         eve3         bye"), "{ended:?}");
}
