//! A chat that is open to other machines, in a network namespace with an address of its own
//! (192.0.2.1).

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::harness::test_layer;
use crate::program::{Ended, Folder, PROGRAM, Process, command, run};

/// Gives the namespace its address, and runs the rest of the arguments in it.
const IN_NAMESPACE: &str = "ip link set lo up && ip addr add 192.0.2.1/24 dev lo && exec \"$@\"";

/// Reports whether this user can make a network namespace. Where that is not so, the test is not
/// run.
fn has_namespaces() -> bool {
    let made =
        Command::new("unshare").args(["-n", "sh", "-c", IN_NAMESPACE, "sh", "true"]).stderr(Stdio::null()).status();
    let has = made.is_ok_and(|status| status.success());
    if !has {
        assert!(std::env::var_os("CI").is_none(), "CI needs `unshare -n` and `ip` (packages util-linux and iproute2)");
        let _ = writeln!(io::stderr(), "NOT RUN: `unshare -n` and `ip` make no network namespace here; run it as root");
    }
    has
}

/// Joins from the namespace of `server`.
fn join(server: &Process, home: &Folder, arguments: &[&str]) -> Ended {
    let mut join = command("nsenter", home);
    let process = server.id().to_string();
    join.args(["-t", &process, "-n", PROGRAM, "join", "192.0.2.1", "--name", "far"]).args(arguments);
    run(join)
}

fn in_namespace(home: &Folder, arguments: &[&str]) -> Process {
    let mut unshare = command("unshare", home);
    unshare.args(["-n", "sh", "-c", IN_NAMESPACE, "sh", PROGRAM]).args(arguments);
    Process::start(unshare)
}

#[test]
fn a_server_names_the_address_that_others_type() {
    if !has_namespaces() {
        return;
    }
    let home = Folder::new();
    let server = in_namespace(&home, &["serve", "--listen", "0.0.0.0:1234", "--history", "none"]);
    assert_eq!(server.line(), "listening on 0.0.0.0:1234");
    let joined = join(&server, &home, &["--plain"]);
    assert_eq!(joined.code, Some(0), "{joined:?}");
    assert!(joined.stderr.contains("connected to 192.0.2.1:1234 as far"), "{joined:?}");
    server.signal("TERM");
    let ended = server.ended();
    assert!(ended.stderr.contains("others join with: glassline join 192.0.2.1\n"), "{ended:?}");
}

#[test]
fn a_host_names_the_address_that_others_type() {
    if !has_namespaces() {
        return;
    }
    let home = Folder::new();
    let arguments = ["--listen", "0.0.0.0:5000", "--history", "none", "--name", "host"];
    let mut host = in_namespace(&home, &arguments);
    host.say("/qr");
    host.close_stdin();
    let ended = host.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in ["there is no code to scan: this is no terminal\n", "* http://192.0.2.1:5000\n"] {
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
    }
    assert!(ended.stderr.contains("others on your network join it with: glassline join 192.0.2.1:5000\n"), "{ended:?}");
}

#[test]
fn another_machine_is_joined_in_plaintext_only_on_request() {
    // The test layer is in the place of other links.
    if test_layer().is_some() || !has_namespaces() {
        return;
    }
    let home = Folder::new();
    // Without a home there is no place for keys, so this server has no TLS.
    let mut serve = command("unshare", &home);
    serve.args([
        "-n",
        "sh",
        "-c",
        IN_NAMESPACE,
        "sh",
        PROGRAM,
        "serve",
        "--listen",
        "0.0.0.0:1234",
        "--history",
        "none",
    ]);
    serve.env_remove("HOME");
    let server = Process::start(serve);
    assert_eq!(server.line(), "listening on 0.0.0.0:1234");
    let stopped = join(&server, &home, &[]);
    assert_eq!(stopped.code, Some(4), "{stopped:?}");
    for words in ["does not answer in TLS", "anyone on the way", "glassline join 192.0.2.1:1234 --plain"] {
        assert!(stopped.stderr.contains(words), "{words}: {stopped:?}");
    }
    let joined = join(&server, &home, &["--plain"]);
    assert!(joined.code == Some(0) && joined.stderr.contains("connected to 192.0.2.1:1234 as far"), "{joined:?}");
    server.signal("TERM");
    let ended = server.ended();
    assert_eq!(ended.stderr.matches("INFO joined").count(), 1, "{ended:?}");
}

/// The key that a server shows on stderr.
#[track_caller]
fn shown_key(server: Process) -> String {
    server.signal("TERM");
    let ended = server.ended();
    let key = ended.stderr.lines().find_map(|line| line.strip_prefix("this server's key, tls: "));
    key.unwrap_or_else(|| panic!("no key: {ended:?}")).to_owned()
}

#[test]
fn another_machine_is_joined_over_tls_and_known_by_its_key() {
    // The test layer is in the place of other links.
    if crate::harness::test_layer().is_some() || !has_namespaces() {
        return;
    }
    let (owner, user) = (Folder::new(), Folder::new());
    let serve = || {
        let server = in_namespace(&owner, &["serve", "--listen", "0.0.0.0:1234", "--history", "none"]);
        assert_eq!(server.line(), "listening on 0.0.0.0:1234");
        server
    };
    let server = serve();
    let first = join(&server, &user, &[]);
    let again = join(&server, &user, &[]);
    let key = shown_key(server);
    assert!(first.code == Some(0) && first.stderr.contains(&format!("trusted from now on: {key}")), "{first:?}");
    assert!(again.code == Some(0) && again.stderr.contains("is the one known since 20"), "{again:?}");
    // The owner loses the key, and has another one from then on.
    std::fs::remove_file(owner.join(".local/state/glassline/keys/server-certificate.pem")).expect("a file");
    let server = serve();
    let stopped = join(&server, &user, &[]);
    let new = shown_key(server);
    let mut show = command(PROGRAM, &owner);
    show.args(["keys", "show"]);
    let shown = run(show).stdout.join("\n");
    assert!(new != key && shown.contains(&new), "{shown}");
    let digits = new.split(['(', ')']).nth(1).expect("digits");
    assert_eq!(stopped.code, Some(4), "{stopped:?}");
    for fact in [&key, &new, &format!("glassline keys trust 192.0.2.1:1234 {digits}")] {
        assert!(stopped.stderr.contains(fact), "{fact}: {stopped:?}");
    }
}
