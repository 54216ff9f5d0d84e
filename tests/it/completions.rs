//! `glassline completions` and the manual's pages, held against the shells and `man` themselves, where they are installed.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{Folder, PROGRAM, command, run};

/// Options and arguments of each of the visible commands, those below another behind a `-`; the
/// empty name is the program itself.
const OFFERED: [(&str, &[&str]); 20] = [
    ("", &["name", "config", "timestamps", "bell", "colour", "log", "log-sealed", "history", "help", "version"]),
    (
        "serve",
        &[
            "listen",
            "pure",
            "flood",
            "metrics",
            "history",
            "replay",
            "replay-tutorial",
            "keep-days",
            "keep-bytes",
            "operator-token-file",
            "log-format",
            "help",
        ],
    ),
    (
        "join",
        &[
            "json",
            "linear",
            "name",
            "config",
            "timestamps",
            "bell",
            "colour",
            "log",
            "log-sealed",
            "dialect",
            "link",
            "plain",
            "seal",
            "ca",
            "key-log",
            "help",
        ],
    ),
    ("history", &["help"]),
    ("history-export", &["history", "help"]),
    ("history-import", &["history", "help"]),
    ("history-check", &["history", "help"]),
    ("history-vacuum", &["history", "help"]),
    (
        "tap",
        &[
            "listen",
            "to",
            "record",
            "overwrite",
            "linear",
            "json",
            "quiet",
            "rule",
            "rules",
            "hook",
            "seed",
            "beyond-loopback",
            "help",
        ],
    ),
    ("tap-report", &["html", "side", "help"]),
    ("tap-replay", &["to", "listen", "connection", "fresh", "wait-s", "beyond-loopback", "help"]),
    ("matrix", &["scheme", "cell", "seed", "few", "html", "help"]),
    ("keys", &["help"]),
    ("keys-list", &["help"]),
    ("keys-show", &["help"]),
    ("keys-verify", &["member", "help"]),
    ("keys-forget", &["member", "help"]),
    ("keys-trust", &["member", "link", "help"]),
    ("operator-token", &["help"]),
    ("completions", &["help"]),
];

/// Returns whether a program is installed; prints it if not, because what needs it is then not
/// tested.
fn is_installed(program: &str) -> bool {
    let mut probe = Command::new(program);
    let found =
        probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        // Past the test's own capture of what it prints.
        let _ = writeln!(std::io::stderr(), "NOT RUN: {program} is not installed, so nothing was held against it");
    }
    found
}

#[track_caller]
fn completions(shell: &str, home: &Folder) -> String {
    let mut completions = command(PROGRAM, home);
    completions.args(["completions", shell]);
    let ended = run(completions);
    assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended:?}");
    ended.stdout.join("\n") + "\n"
}

#[test]
fn each_shell_reads_its_completions_without_a_complaint() {
    let home = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = completions(shell, &home);
        for (name, flags) in OFFERED {
            let word = name.rsplit('-').next().unwrap_or(name);
            assert!(script.contains(word), "{shell}: no {word}");
            for flag in flags {
                let written = if shell == "fish" { format!("-l {flag}") } else { format!("--{flag}") };
                assert!(script.contains(&written), "{shell}: no {written} of {name:?}");
            }
        }
        assert!(!script.contains("__man") && !script.contains("\"man\""), "{shell}: what is hidden is offered");
        let file = home.write(format!("completions.{shell}"), script);
        if is_installed(shell) {
            let mut check = command(shell, &home);
            check.arg("-n").arg(file);
            let ended = run(check);
            assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{shell}: {ended:?}");
        }
    }
}

#[test]
fn bash_completes_commands_flags_and_words() {
    let home = Folder::new();
    if !is_installed("bash") {
        return;
    }
    let file = home.write("completions.bash", completions("bash", &home));
    for (words, expected) in [
        (&["glassline", "jo"][..], "join"),
        (&["glassline", "join", "--line"], "--linear"),
        (&["glassline", "join", "--bell", "m"], "mentions"),
        (&["glassline", "serve", "--log-format", "j"], "json"),
        (&["glassline", "completions", "f"], "fish"),
    ] {
        let last = words.len() - 1;
        let script = format!(
            ". '{}'; COMP_WORDS=({}); COMP_CWORD={last}; _glassline glassline '{}' '{}'; echo \"${{COMPREPLY[*]}}\"",
            file.display(),
            words.join(" "),
            words[last],
            words[last - 1],
        );
        let mut bash = command("bash", &home);
        bash.args(["-c", &script]);
        let ended = run(bash);
        assert_eq!(ended.stdout, [expected], "{words:?}: {ended:?}");
    }
}

#[track_caller]
fn assert_renders(page: &Path, home: &Folder) -> String {
    let mut man = command("man", home);
    man.args(["--warnings", "--encoding=UTF-8", "--local-file"])
        .arg(page)
        .env("MANWIDTH", "100")
        .env("LC_ALL", "C.UTF-8");
    let ended = run(man);
    assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{}: {ended:?}", page.display());
    ended.stdout.join("\n")
}

#[test]
fn each_command_has_a_manual_page_that_renders_without_warnings() {
    let home = Folder::new();
    let folder = home.path().join("pages/man1");
    let mut pages = command(PROGRAM, &home);
    pages.arg("man").arg(&folder);
    let ended = run(pages);
    assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended:?}");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), OFFERED.len());
    let has_man = is_installed("man");
    for (name, flags) in OFFERED {
        let page = folder.join(if name.is_empty() { "glassline.1".to_string() } else { format!("glassline-{name}.1") });
        let source = fs::read_to_string(&page).expect("a page");
        for flag in flags {
            let escaped = format!("\\-\\-{}", flag.replace('-', "\\-"));
            assert!(source.contains(&escaped), "{name}: no --{flag}");
        }
        let rendered = if has_man { assert_renders(&page, &home) } else { source };
        let parts: &[&str] = match name {
            "join" => &["EXIT STATUS", "ENVIRONMENT", "FILES", "GLASSLINE_BELL", "NO_COLOR", "config.toml"],
            "serve" => &["EXIT STATUS", "FILES", "history.db"],
            "history" => &["EXIT STATUS", "FILES", "history.db", "glassline-history-vacuum(1)"],
            "tap" => &["EXIT STATUS", "ENVIRONMENT", "NO_COLOR"],
            _ => &[],
        };
        for part in parts {
            assert!(rendered.contains(part), "no {part} in\n{rendered}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_created_is_reported() {
    let home = Folder::new();
    let file = home.write("file", "");
    let mut pages = command(PROGRAM, &home);
    pages.arg("man").arg(file.join("pages"));
    let ended = run(pages);
    assert!(ended.code == Some(1) && ended.stderr.contains("name another folder"), "{ended:?}");
}
