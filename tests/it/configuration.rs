//! Effects of the configuration file, the environment and the flags on the binary.

use std::process::Command;

use crate::harness::{EventClient, Server};
use crate::program::{Ended, Folder, PROGRAM, Process, command, named_pipe, run};

const FILE: &str = ".config/glassline/config.toml";

fn glassline(home: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut glassline = command(PROGRAM, home);
    glassline.args(arguments).envs(variables.iter().copied());
    glassline
}

#[track_caller]
fn join(home: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let arguments = [&["join"], arguments].concat();
    run(glassline(home, &arguments, variables))
}

#[track_caller]
fn assert_wrong(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in parts {
        assert!(ended.stderr.contains(part), "{part:?} is not in {ended:?}");
    }
    assert!(ended.stdout.is_empty() && !ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let server = Server::start();
    let address = server.address.to_string();
    let home = Folder::new();
    let named = |ended: &Ended, name: &str| {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let connected = format!("connected to {address} as {name}\n");
        assert!(ended.stderr.contains(&connected), "{connected:?} is not in {ended:?}");
    };
    // Without a file, which need not be there.
    named(&join(&home, &[&address], &[]), "login");
    home.write(FILE, format!("name = \"filed\"\nserver = \"{address}\"\n"));
    named(&join(&home, &[], &[]), "filed");
    let nowhere = [("GLASSLINE_NAME", "exported"), ("GLASSLINE_SERVER", "127.0.0.1:1")];
    let ended = join(&home, &[], &nowhere);
    assert_eq!(ended.code, Some(3), "the variable counts more than the file: {ended:?}");
    named(&join(&home, &[&address], &nowhere), "exported");
    named(&join(&home, &["--name", "flagged", &address], &nowhere), "flagged");
    named(&join(&home, &[], &[("GLASSLINE_NAME", "")]), "filed");
    let elsewhere = Folder::new();
    elsewhere.write("glassline/config.toml", format!("name = \"xdg\"\nserver = \"{address}\"\n"));
    named(&join(&home, &[], &[("XDG_CONFIG_HOME", elsewhere.path().to_str().expect("UTF-8"))]), "xdg");
}

#[test]
fn the_dialect_of_the_file_is_spoken() {
    let server = Server::start();
    let home = Folder::new();
    home.write(FILE, format!("dialect = \"tutorial\"\nserver = \"{}\"\n", server.address));
    let ended = join(&home, &[], &[]);
    assert!(ended.code == Some(0) && ended.stderr.contains("in the tutorial dialect"), "{ended:?}");
    let ended = join(&home, &["--dialect", "event"], &[("GLASSLINE_DIALECT", "tutorial")]);
    assert!(ended.code == Some(0) && !ended.stderr.contains("in the tutorial dialect"), "{ended:?}");
}

#[test]
fn a_named_file_must_exist_and_replaces_the_users_own_one() {
    let server = Server::start();
    let address = server.address.to_string();
    let home = Folder::new();
    home.write(FILE, "name = \"own\"");
    let other = home.write("other.toml", "name = \"other\"");
    let other = other.to_str().expect("UTF-8");
    assert!(join(&home, &["--config", other, &address], &[]).stderr.contains("as other\n"));
    assert!(join(&home, &[&address], &[("GLASSLINE_CONFIG", other)]).stderr.contains("as other\n"));
    assert!(join(&home, &["--config", "/dev/null", &address], &[]).stderr.contains("as login\n"));
    for ended in [
        join(&home, &["--config", "missing.toml"], &[]),
        join(&home, &[], &[("GLASSLINE_CONFIG", "missing.toml")]),
        join(&home, &["--config", "missing.toml"], &[("GLASSLINE_CONFIG", other)]),
    ] {
        assert_wrong(&ended, &["cannot read", "missing.toml", "with --config"]);
    }
}

#[test]
fn an_error_is_reported_with_file_line_and_what_to_write() {
    let home = Folder::new();
    let faults: [(&[u8], &[&str]); 5] = [
        (b"\nnmae = \"x\"\n", &["line 2", "\"nmae\"", "did you mean name?"]),
        (b"bell = \"loud\"", &["line 1", "off, mentions or all"]),
        (b"name = \"\"", &["line 1", "at least one letter"]),
        (b"name = \"ok\"\n# \xff\n", &["line 2", "UTF-8"]),
        (b"name", &["line 1", "key = value"]),
    ];
    for (content, parts) in faults {
        home.write(FILE, content);
        let ended = join(&home, &[], &[]);
        assert_wrong(&ended, &[&[FILE], parts].concat());
        assert_wrong(&run(glassline(&home, &[], &[])), &[FILE]);
    }
    home.write(FILE, "#".repeat(1024 * 1024 + 1));
    assert_wrong(&join(&home, &[], &[]), &[FILE, "longer than 1048576 bytes"]);
    assert_wrong(&join(&home, &["--config", "/"], &[]), &["cannot read the configuration /"]);
    for (path, kind) in
        [(named_pipe(&home, "pipe"), "a pipe"), ("/dev/zero".into(), "a device"), ("/".into(), "a folder")]
    {
        let wrong = join(&home, &["--config", path.to_str().expect("UTF-8")], &[]);
        assert_wrong(
            &wrong,
            &["cannot read the configuration", &format!("it is {kind}, not a plain file"), "--config"],
        );
    }
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.write("elsewhere.toml", "bell = \"loud\""), &link).expect("a link");
    assert_wrong(&join(&home, &["--config", link.to_str().expect("UTF-8")], &[]), &["line 1", "bell"]);
    let wrong = join(&home, &["--config", "/dev/null"], &[("GLASSLINE_BELL", "loud")]);
    assert_wrong(&wrong, &["GLASSLINE_BELL", "off, mentions or all"]);
}

#[test]
fn a_broken_file_does_not_prevent_serving_or_reading_the_help() {
    let home = Folder::new();
    home.write(FILE, "broken");
    for arguments in [&["--help"][..], &["join", "--help"], &["--version"], &["completions", "bash"]] {
        assert_eq!(run(glassline(&home, arguments, &[])).code, Some(0), "{arguments:?}");
    }
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let serve = Process::start(glassline(&home, &arguments, &[("GLASSLINE_BELL", "loud")]));
    let line = serve.line();
    let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok()).expect("an address");
    EventClient::join(address, "alice");
}
