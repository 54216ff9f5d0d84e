//! Commands and outputs of docs/tap.md, as they stand there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io::Write as _};

use crate::harness::{EventClient, Server};
use crate::program::{Folder, Process, command, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/tap.md")).expect("the page")
}

/// The command of the page that contains this.
#[track_caller]
fn documented(part: &str) -> String {
    let page = page();
    let found = page
        .lines()
        .map(|line| line.trim_start_matches("$ "))
        .find(|line| (line.starts_with("glassline ") || line.starts_with("tshark ")) && line.contains(part));
    found.unwrap_or_else(|| panic!("the page has no command with {part:?}")).to_owned()
}

/// Runs a command of the page among the recordings that belong to it, and returns its output.
#[track_caller]
fn output(documented: &str, home: &Folder) -> String {
    let mut shell = command("sh", home);
    shell.args(["-c", documented]).current_dir(root().join("docs/tap"));
    let ended = run(shell);
    assert_eq!(ended.code, Some(0), "{documented}: {ended:?}");
    ended.stdout.join("\n") + "\n"
}

/// A documented tap, with a server of its own.
struct PageTap {
    tap: Process,
    alice: EventClient,
    bob: EventClient,
    server: Server,
    home: Folder,
}

impl PageTap {
    #[track_caller]
    fn start(part: &str) -> Self {
        let (server, home) = (Server::start(), Folder::new());
        home.write("hook.py", fs::read_to_string(root().join("docs/tap/hook.py")).expect("the hook"));
        let here = format!("exec glassline tap --linear --listen 127.0.0.1:0 --to {}", server.address);
        let mut shell = command("sh", &home);
        shell.args(["-c", &documented(part).replace("glassline tap", &here)]).current_dir(home.path());
        let mut tap = Process::start(shell);
        tap.close_stdin();
        let first = tap.line();
        let address = first.strip_prefix("listening on ").expect(&first).parse().expect("an address");
        let alice = EventClient::join(address, "alice");
        let bob = EventClient::join(address, "bob");
        Self { tap, alice, bob, server, home }
    }

    /// Ends the tap, and returns the folder that it has run in.
    #[track_caller]
    fn end(self) -> (Server, Folder) {
        self.tap.signal("INT");
        let ended = self.tap.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        (self.server, self.home)
    }
}

#[test]
fn the_page_shows_reports_as_they_are_printed() {
    let (page, home) = (page(), Folder::new());
    let report = output(&documented("tap report lesson.pcapng"), &home);
    assert!(page.contains(&format!("```text\n{report}```")), "the page has another report than\n{report}");
    let compared = documented("tap report lesson.pcapng opaque.pcapng");
    let shown = format!("```console\n$ {compared}\n{}```", output(&compared, &home));
    assert!(page.contains(&shown), "the page has another comparison than\n{shown}");
}

#[test]
fn the_page_shows_what_tshark_prints() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "tshark is missing; apt-get install tshark");
        let _ = writeln!(std::io::stderr(), "NOT RUN: tshark is not installed");
        return;
    }
    let script = root().join("packaging/wireshark/glassline.lua");
    let tshark = format!("tshark -X lua_script:{} -r lesson.pcapng", script.display());
    let printed =
        output(&documented("tshark -r lesson.pcapng").replace("tshark -r lesson.pcapng", &tshark), &Folder::new());
    assert!(page().contains(&format!("```text\n{printed}```")), "the page has another output than\n{printed}");
}

#[test]
fn the_page_shows_the_hook_as_it_is() {
    let hook = fs::read_to_string(root().join("docs/tap/hook.py")).expect("the hook");
    assert!(page().contains(&format!("```python\n{hook}```")));
}

#[test]
fn the_rule_of_the_page_changes_what_arrives() {
    let mut page = PageTap::start("--record changed.pcapng");
    page.alice.say("meet me at noon, then");
    page.bob.expect_message("alice", "meet me at midnight, then");
    let (_server, home) = page.end();
    let mut report = command("sh", &home);
    report.args(["-c", "glassline tap report changed.pcapng --side server"]).current_dir(home.path());
    let report = run(report).stdout.join("\n");
    assert!(report.contains("alice to room lobby: meet me at midnight, then"), "{report}");
}

#[test]
fn the_rule_for_one_changes_nothing_for_others() {
    let mut page = PageTap::start("to=client connection=2");
    page.alice.say("meet me at noon");
    page.alice.expect_message("alice", "meet me at noon");
    page.bob.expect_message("alice", "meet me at midnight");
    page.end();
}

#[test]
fn the_documented_hook_changes_only_the_texts_of_bob() {
    let mut page = PageTap::start("hook.py");
    page.bob.say("no need to shout");
    page.alice.expect_message("bob", "NO NEED TO SHOUT");
    page.bob.expect_message("bob", "NO NEED TO SHOUT");
    page.alice.say("sure");
    page.bob.expect_message("alice", "sure");
    page.end();
}
