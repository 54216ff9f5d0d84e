//! Secure links as their user has them: what is trusted, what is refused, and that nothing is sent before.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use glassline_secure::noise::NoiseServer;
use glassline_secure::tls::{ServerCertificate, TlsServer};
use glassline_secure::{Fingerprint, Identity};
use glassline_server::{Config, Links};
use glassline_wire::layer::{LayerFactory, LayerState};
use serde_json::Value;

use crate::harness::{PATIENCE, Proxy, Server};
use crate::program::{Ended, Folder, PROGRAM, Process, command, run};

pub(crate) fn certificate() -> ServerCertificate {
    ServerCertificate::generate(&[], SystemTime::now()).expect("a certificate")
}

/// A server that takes both secure links; its identity has this seed.
pub(crate) fn server(certificate: &ServerCertificate, seed: u8) -> Server {
    let noise = NoiseServer::new(&Identity::from_seed(&[seed; 32])).expect("random numbers");
    let tls = TlsServer::new(certificate).expect("usable");
    let links = Links { tls: Some(Arc::new(tls)), noise: Some(Arc::new(noise)), ..Links::default() };
    Server::with(Config { links, ..Config::default() })
}

fn join(home: &Folder, address: SocketAddr, options: &[&str]) -> Process {
    let mut join = command(PROGRAM, home);
    join.args(["join", &address.to_string(), "--name", "far"]).args(options);
    Process::start(join)
}

/// Joins and leaves.
#[track_caller]
fn visit(home: &Folder, address: SocketAddr, options: &[&str]) -> Ended {
    let mut process = join(home, address, options);
    process.close_stdin();
    process.ended()
}

#[track_caller]
fn assert_joined(ended: &Ended, words: &str) {
    assert!(ended.code == Some(0) && ended.stderr.contains("connected to"), "{ended:?}");
    assert!(ended.stderr.contains(words), "{words}: {ended:?}");
}

/// Asserts that the client has stopped, and that it said all of this.
#[track_caller]
fn assert_stopped(ended: &Ended, facts: &[&str]) {
    assert!(ended.code == Some(4) && !ended.stderr.contains("connected to"), "{ended:?}");
    for fact in facts {
        assert!(ended.stderr.contains(fact), "{fact}: {ended:?}");
    }
}

/// A server of the test's own with these layers, for one connection. Its end: whether a handshake was completed, and the plaintext.
fn layered_listener(factory: &dyn LayerFactory) -> (SocketAddr, JoinHandle<(bool, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut layers = factory.layers();
    let received = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        let (mut plaintext, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
            // The client's alert is an error of the layers, too.
            let _ = layers.receive(&buffer[..bytes], &mut plaintext);
            // The client may have gone.
            let _ = stream.write_all(layers.output());
            layers.consume_output(layers.output().len());
        }
        (layers.state() == LayerState::Open, plaintext)
    });
    (address, received)
}

#[test]
fn a_changed_key_stops_before_anything_is_sent() {
    let (home, old, new) = (Folder::new(), certificate(), certificate());
    let before = server(&old, 1);
    let proxy = Proxy::to(before.address);
    let first = visit(&home, proxy.address, &["--link", "tls"]);
    assert_joined(&first, &format!("is trusted from now on: {}", old.fingerprint()));
    assert_joined(&visit(&home, proxy.address, &["--link", "tls"]), "is the one known since ");

    let (address, received) = layered_listener(&TlsServer::new(&new).expect("usable"));
    proxy.lead_to(address);
    let stopped = visit(&home, proxy.address, &["--link", "tls"]);
    let trust = format!("glassline keys trust {} {}", proxy.address, new.fingerprint().hex());
    let (known, offered) = (old.fingerprint().to_string(), new.fingerprint().to_string());
    assert_stopped(&stopped, &[&known, &offered, "known since 20", "glassline keys show", &trust, "Nothing was sent"]);
    let (is_open, plaintext) = received.join().expect("no panic");
    assert!(!is_open && plaintext.is_empty(), "neither the client's key nor its name arrived");

    let after = server(&new, 1);
    proxy.lead_to(after.address);
    assert_stopped(&visit(&home, proxy.address, &["--link", "tls"]), &[&trust]);
    let mut shell = command("sh", &home);
    shell.args(["-c", &trust]);
    assert_eq!(run(shell).code, Some(0));
    assert_joined(&visit(&home, proxy.address, &["--link", "tls"]), "accepted by you");
}

#[test]
fn a_key_that_changes_on_a_reconnect_ends_the_session() {
    let (home, new) = (Folder::new(), certificate());
    let (before, after) = (server(&certificate(), 1), server(&new, 2));
    for link in ["tls", "noise"] {
        let proxy = Proxy::to(before.address);
        let client = join(&home, proxy.address, &["--link", link, "--json"]);
        while !client.line().contains("\"type\":\"welcome\"") {}
        proxy.lead_to(after.address);
        proxy.cut();
        let ended = client.ended();
        let offered = if link == "tls" { new.fingerprint() } else { Identity::from_seed(&[2; 32]).fingerprint() };
        assert!(ended.code == Some(4) && ended.stderr.contains(&offered.to_string()), "{ended:?}");
    }
    assert!(!after.log().contains("far"), "{}", after.log());
}

#[test]
fn a_server_without_tls_is_joined_only_on_request() {
    let home = Folder::new();
    let plain = Server::start();
    let stopped = visit(&home, plain.address, &["--link", "tls"]);
    let advice = format!("glassline join {} --plain", plain.address);
    assert_stopped(&stopped, &["does not answer in TLS", "anyone on the way", &advice]);
    assert!(!plain.log().contains("far"), "{}", plain.log());
    assert_joined(&visit(&home, plain.address, &["--plain"]), "");
    let noise = visit(&home, plain.address, &["--link", "noise"]);
    assert_stopped(&noise, &["does not answer in Noise", "anyone on the way", &advice]);
}

#[test]
fn silence_is_no_lack_of_tls() {
    let (home, listener) = (Folder::new(), TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let client = join(&home, listener.local_addr().expect("an address"), &["--link", "tls"]);
    let (mut stream, _) = listener.accept().expect("a client");
    assert_stopped(&client.ended(), &["did not answer TLS within 2 s"]);
    let mut sent = Vec::new();
    stream.read_to_end(&mut sent).expect("the client has ended");
    assert!(sent.starts_with(&[0x16, 3]) && !sent.windows(3).any(|bytes| bytes == b"far"), "{sent:?}");
}

#[test]
fn a_server_that_had_tls_is_no_more_joined_without() {
    let (home, certificate) = (Folder::new(), certificate());
    let (with, without) = (server(&certificate, 1), Server::start());
    let proxy = Proxy::to(with.address);
    assert_joined(&visit(&home, proxy.address, &["--link", "tls"]), "");
    proxy.lead_to(without.address);
    let stopped = visit(&home, proxy.address, &["--link", "tls"]);
    let (known, forget) = (certificate.fingerprint().to_string(), format!("glassline keys forget {}", proxy.address));
    assert_stopped(&stopped, &["does not answer in TLS", "has used TLS since 20", &known, &forget]);
    assert!(!without.log().contains("far"), "{}", without.log());
    assert_joined(&visit(&home, proxy.address, &["--plain"]), "you have joined");
    home.write(".local/state/glassline/keys/known_servers", "garbage");
    assert_joined(&visit(&home, proxy.address, &["--plain"]), "cannot be told");
    assert_stopped(&visit(&home, proxy.address, &["--link", "tls"]), &["cannot be told", "known_servers, line 1"]);
}

#[test]
fn an_authority_allows_a_new_key_and_is_missed_later() {
    let (home, one, other) = (Folder::new(), certificate(), certificate());
    let (before, renewed, foreign) = (server(&one, 1), server(&other, 1), server(&certificate(), 1));
    let roots = home.write("roots.pem", format!("{}{}", one.chain_pem(), other.chain_pem()));
    let options = ["--link", "tls", "--ca", roots.to_str().expect("UTF-8")];
    let proxy = Proxy::to(before.address);
    assert_joined(&visit(&home, proxy.address, &options), "a certificate authority vouches for");
    proxy.lead_to(renewed.address);
    assert_joined(&visit(&home, proxy.address, &options), &other.fingerprint().to_string());
    proxy.lead_to(foreign.address);
    assert_stopped(&visit(&home, proxy.address, &options), &["none vouches for the offered one"]);
    let missing = visit(&home, proxy.address, &["--link", "tls", "--ca", "/nowhere.pem"]);
    assert!(missing.code == Some(1) && missing.stderr.contains("name another file with --ca"), "{missing:?}");
}

#[test]
fn a_first_key_needs_the_word_of_the_named_authorities() {
    let (one, other) = (certificate(), certificate());
    let old = ServerCertificate::generate(&[], SystemTime::now() - Duration::from_hours(400 * 24)).expect("made");
    let early = ServerCertificate::generate(&[], SystemTime::now() + Duration::from_hours(48)).expect("made");
    let home = Folder::new();
    let chains = [&one, &old, &early].map(ServerCertificate::chain_pem).concat();
    let roots = home.write("roots.pem", chains);
    let options = ["--link", "tls", "--ca", roots.to_str().expect("UTF-8")];
    for (shown, why) in [
        (&other, "the signature of its certificate is wrong"),
        (&old, "expired on 20"),
        (&early, "is not valid before 20"),
    ] {
        let (home, server) = (Folder::new(), server(shown, 1));
        let facts = ["no authority of", why, &shown.fingerprint().to_string(), "glassline keys trust"];
        for _ in 0..2 {
            assert_stopped(&visit(&home, server.address, &options), &facts);
        }
        assert!(!server.log().contains("far"), "{}", server.log());
        // It is the first key only: one that is known needs nobody's word.
        assert_joined(&visit(&home, server.address, &["--link", "tls"]), "trusted from now on");
        assert_joined(&visit(&home, server.address, &options), "trusted on first use");
    }
    // A key of another link needs the word as well.
    let server = server(&other, 1);
    assert_joined(&visit(&home, server.address, &["--link", "noise"]), "trusted from now on");
    assert_stopped(&visit(&home, server.address, &options), &["no authority of"]);
}

#[test]
fn authorities_that_do_not_count_are_refused_or_named() {
    let (home, server) = (Folder::new(), server(&certificate(), 1));
    let roots = home.write("roots.pem", certificate().chain_pem());
    let roots = roots.to_str().expect("UTF-8");
    let configuration = home.write("config.toml", format!("ca = {roots:?}\n"));
    let from_file = ["--config", configuration.to_str().expect("UTF-8")];
    for (link, kind) in [(["--link", "noise"].as_slice(), "noise"), (&["--plain"], "plain"), (&[], "plain")] {
        let join = |options: &[&str]| {
            let mut join = command(PROGRAM, &home);
            join.args(["join", &server.address.to_string(), "--name", "far"]).args(link).args(options);
            join
        };
        let mut from_environment = join(&[]);
        from_environment.env("GLASSLINE_CA", roots);
        for join in [join(&["--ca", roots]), join(&from_file), from_environment] {
            let ended = run(join);
            let shown = format!("{}{}", ended.stdout.concat(), ended.stderr);
            let facts = [roots, "do not count", &format!("this link is {kind}"), "--link tls", "--ca", "GLASSLINE_CA"];
            assert!(facts.iter().all(|fact| shown.contains(fact)), "{ended:?}");
            // Plaintext that is the default on this machine was not chosen.
            let is_joined = shown.contains("connected to");
            assert_eq!(
                (ended.code, is_joined),
                if link.is_empty() { (Some(0), true) } else { (Some(1), false) },
                "{ended:?}"
            );
        }
        assert_joined(&visit(&home, server.address, link), "");
    }
}

#[test]
fn a_program_is_given_the_facts_about_its_link() {
    let (home, certificate) = (Folder::new(), certificate());
    let server = server(&certificate, 1);
    let keys = [("tls", certificate.fingerprint()), ("noise", Identity::from_seed(&[1; 32]).fingerprint())];
    for (link, key) in keys {
        let ended = visit(&home, server.address, &["--json", "--link", link]);
        let facts: Value = serde_json::from_str(&ended.stdout[1]).expect("JSON");
        assert_eq!((facts["type"].as_str(), facts["link"].as_str()), (Some("link"), Some(link)), "{facts}");
        assert_eq!((facts["readers"].as_str(), facts["trust"].as_str()), (Some("the server"), Some("first-use")));
        assert_eq!(facts["key"].as_str(), Some(key.hex().as_str()));
    }
}

/// Fingerprint that `glassline keys show` shows of the user.
#[track_caller]
fn own_fingerprint(home: &Folder) -> String {
    let mut show = command(PROGRAM, home);
    show.args(["keys", "show"]);
    let shown = run(show);
    shown.stdout[0].strip_prefix("you: ").expect("a key").to_owned()
}

#[test]
fn whois_shows_the_key_that_the_member_has_proven() {
    let (alice, bob) = (Folder::new(), Folder::new());
    let server = server(&certificate(), 1);
    let mut member = command(PROGRAM, &bob);
    member.args(["join", &server.address.to_string(), "--name", "bob", "--json", "--link", "noise"]);
    let member = Process::start(member);
    while !member.line().contains("\"type\":\"welcome\"") {}
    let key = own_fingerprint(&bob);
    let whois = |options: &[&str]| {
        let mut process = join(&alice, server.address, options);
        process.say("/whois bob");
        process.close_stdin();
        process.ended()
    };
    let seen = whois(&["--link", "tls"]);
    let text = seen.stdout.join("\n") + &seen.stderr;
    assert!(text.contains("event dialect over noise"), "{seen:?}");
    assert!(text.contains(&format!("key of bob: {key}, first seen 20")), "{seen:?}");
    let address = server.address.to_string();
    let mut verify = command(PROGRAM, &alice);
    verify.args(["keys", "verify", &address, "--member", "bob", &key]);
    assert_eq!(run(verify).code, Some(0));
    let seen = whois(&["--link", "tls"]);
    assert!((seen.stdout.join("\n") + &seen.stderr).contains(&format!("{key}, verified by you")), "{seen:?}");
}

#[test]
fn a_key_log_is_a_secret_of_which_the_user_is_warned() {
    let home = Folder::new();
    let server = server(&certificate(), 1);
    let file = home.join("secrets");
    let path = file.to_str().expect("UTF-8");
    let logged = visit(&home, server.address, &["--link", "tls", "--key-log", path]);
    assert_joined(&logged, "whoever has it can read everything that is said");
    let secrets = fs::read_to_string(&file).expect("a file");
    assert!(secrets.lines().any(|line| line.starts_with("CLIENT_HANDSHAKE_TRAFFIC_SECRET ")), "{secrets}");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    for link in ["noise", "plain"] {
        let refused = visit(&home, server.address, &["--link", link, "--key-log", path]);
        assert!(refused.code == Some(1) && refused.stderr.contains("writes the secrets of TLS"), "{refused:?}");
    }
}

#[test]
fn the_identity_is_made_at_the_first_secure_join() {
    let home = Folder::new();
    let server = server(&certificate(), 1);
    let keys = home.join(".local/state/glassline/keys");
    assert_joined(&visit(&home, server.address, &[]), "");
    assert!(!keys.exists(), "plaintext needs no key");
    assert_joined(&visit(&home, server.address, &["--link", "tls"]), "");
    let own: Fingerprint = own_fingerprint(&home).parse().expect("a fingerprint");
    assert_joined(&visit(&home, server.address, &["--link", "noise"]), "");
    assert_eq!(own_fingerprint(&home).parse(), Ok(own));
    let mode = |name: &str| fs::metadata(keys.join(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("identity.pem"), mode("known_servers")), (0o700, 0o600, 0o600));
}
