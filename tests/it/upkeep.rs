//! `glassline history`: its documented commands, its exit codes, and its output.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::json;

use crate::program::{Ended, Folder, PROGRAM, Process, command, run};

const COUNT: u64 = 2_000;

/// An export of so many messages.
fn export_of(count: u64) -> String {
    let mut lines = json!({"type": "schema", "version": 1}).to_string() + "\n";
    for seq in 1..=count {
        let message = json!({
            "type": "message", "room": "lobby", "seq": seq, "at": "2026-01-02T03:04:05.678Z", "from": "eve",
            "text": format!("text {seq:05} {}", "x".repeat(100)), "id": format!("{seq:032x}"),
        });
        lines += &(message.to_string() + "\n");
    }
    lines
}

fn glassline(home: &Folder, arguments: &[&str]) -> Ended {
    let mut command = command(PROGRAM, home);
    command.args(arguments).current_dir(home.path());
    run(command)
}

fn shell(home: &Folder, script: &str) -> Ended {
    let mut command = command("sh", home);
    command.args(["-c", script]).current_dir(home.path());
    run(command)
}

fn default_file(home: &Folder) -> PathBuf {
    home.path().join(".local/state/glassline/history.db")
}

/// A home with a history where it is by default, and an export of it.
#[track_caller]
fn home_with_history() -> Folder {
    let home = Folder::new();
    home.write("backup.jsonl", export_of(COUNT));
    let imported = glassline(&home, &["history", "import", "backup.jsonl"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    home
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_documented_history_command_runs() {
    let help = |arguments: &[&str]| glassline(&Folder::new(), arguments).stdout.join("\n");
    let mut examples: Vec<String> = Vec::new();
    for topic in ["", "export", "import", "check", "vacuum"] {
        let arguments: Vec<&str> = ["history", topic, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let help = help(&arguments);
        let (_, after) = help.split_once("Examples:\n").expect("examples");
        let of_help = after.lines().map(str::trim).take_while(|line| !line.is_empty()).map(str::to_string);
        examples.extend(of_help);
    }
    for page in [include_str!("../../docs/operating.md"), include_str!("../../README.md")] {
        let quoted = page.split('`').map(|code| code.lines().next().unwrap_or_default());
        let commands = page.lines().chain(quoted).map(|line| line.split(" #").next().unwrap_or_default().trim());
        examples.extend(commands.filter(|line| line.starts_with("glassline history ")).map(str::to_string));
    }
    examples.sort_unstable();
    examples.dedup();
    for wanted in ["check", "export > ", "import ", "vacuum", "--help"] {
        let wanted = format!("glassline history {wanted}");
        assert!(examples.iter().any(|example| example.starts_with(&wanted)), "{wanted}: {examples:?}");
    }
    for example in examples {
        let home = home_with_history();
        let history = default_file(&home);
        for name in ["old.db", "copy.db", "damaged.db"] {
            fs::copy(&history, home.path().join(name)).expect("copies");
        }
        // The other machine is this one, and its copy a new file.
        let here = example.replace("ssh example.org ", "").replace("copy.db", "other.db");
        let script = if example.starts_with("ssh ") { &here } else { &example };
        let ended = shell(&home, script);
        assert_eq!(ended.code, Some(0), "{example}: {ended:?}");
    }
}

#[test]
fn a_file_without_its_option_is_answered_with_it() {
    for name in ["export", "check", "vacuum"] {
        let ended = glassline(&Folder::new(), &["history", name, "big.db"]);
        assert_eq!((ended.code, ended.stdout.len()), (Some(2), 0), "{ended:?}");
        assert!(ended.stderr.contains(&format!("glassline history {name} --history big.db")), "{ended:?}");
    }
    let help = glassline(&Folder::new(), &["history", "export", "--help"]).stdout.join("\n");
    assert!(!help.contains("MISPLACED"), "{help}");
}

#[test]
fn an_export_ends_with_its_reader_and_reports_a_full_disk() {
    let home = home_with_history();
    let ended = shell(&home, "{ glassline history export; echo $? >&2; } | head -n 1");
    assert_eq!(ended.stdout, [r#"{"type":"schema","version":1}"#]);
    assert_eq!(ended.stderr, "141\n");
    if Path::new("/dev/full").exists() {
        for name in ["export", "check", "vacuum"] {
            let ended = shell(&home, &format!("glassline history {name} > /dev/full"));
            assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
            assert!(ended.stderr.contains("No space left"), "{name}: {ended:?}");
        }
    }
}

#[test]
fn an_export_reports_what_is_missing_and_ends_with_one() {
    const PAGE_BYTES: usize = 4_096;
    let home = home_with_history();
    let mut bytes = fs::read(default_file(&home)).expect("reads");
    let page = |text: &str| {
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("the text");
        at / PAGE_BYTES * PAGE_BYTES
    };
    let (one, other) = (page("text 00700 "), page("text 01500 "));
    // A page that was written in the place of another.
    bytes.copy_within(other..other + PAGE_BYTES, one);
    let damaged = home.write("damaged.db", bytes);
    let ended = glassline(&home, &["history", "export", "--history", &damaged.display().to_string()]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let found = |seq: u64| ended.stdout.iter().filter(|line| line.contains(&format!("\"seq\":{seq},"))).count();
    let range = ended.stderr.lines().find_map(|line| line.strip_prefix("lobby: ")?.strip_suffix(" missing"));
    let (first, last) = range.and_then(|range| range.split_once(" to ")).expect(&ended.stderr);
    let missing = first.parse().expect("a number")..=last.parse().expect("a number");
    assert!(missing.contains(&700));
    for seq in 1..=COUNT {
        assert_eq!(found(seq), usize::from(!missing.contains(&seq)), "{seq}");
    }
    let total = format!("{} messages and 0 acts are missing", missing.count());
    assert!(ended.stderr.contains(&total), "{}", ended.stderr);
}

#[test]
fn a_failed_import_leaves_nothing_behind_and_names_the_line() {
    let home = Folder::new();
    let export = export_of(50);
    home.write("cut.jsonl", &export[..export.len() - 30]);
    let ended = glassline(&home, &["history", "import", "cut.jsonl"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("line 51") && ended.stderr.contains("cut off"), "{ended:?}");
    assert_eq!(names(home.path()), ["cut.jsonl"]);
}

#[test]
fn words_for_no_history_make_no_file() {
    for word in ["off", "NONE", "None", "no", "False"] {
        let home = Folder::new();
        let mut serve = command(PROGRAM, &home);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--history", word]).current_dir(home.path());
        let server = Process::start(serve);
        assert!(server.line().starts_with("listening on"), "{word}");
        server.signal("TERM");
        let ended = server.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        // The server's keys are all that it keeps.
        assert_eq!(names(home.path()), [".local"], "{word}");
        assert_eq!(names(&home.join(".local/state/glassline")), ["keys"], "{word}");
        let ended = glassline(&home, &["history", "check", "--history", word]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(&format!("./{word}")), "{ended:?}");
    }
    let home = Folder::new();
    home.write("backup.jsonl", export_of(1));
    let ended = glassline(&home, &["history", "import", "--history", "./none", "backup.jsonl"]);
    assert_eq!((ended.code, home.path().join("none").is_file()), (Some(0), true), "{ended:?}");
}

#[test]
fn a_tilde_behind_an_equals_sign_is_the_home() {
    let home = home_with_history();
    let ended = glassline(&home, &["history", "import", "--history=~/sub/x.db", "~/backup.jsonl"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(home.path().join("sub/x.db").is_file() && !home.path().join("~").exists());
    home.write("wrong.toml", "nmae = 1\n");
    let wrong = home.path().join("wrong.toml").display().to_string();
    let output = |ended: &Ended| ended.code == Some(2) && ended.stderr.contains(&wrong);
    let ended = glassline(&home, &["join", "--config=~/wrong.toml"]);
    assert!(output(&ended), "{ended:?}");
    let mut by_variable = command(PROGRAM, &home);
    by_variable.arg("join").env("GLASSLINE_CONFIG", "~/wrong.toml").current_dir(home.path());
    let ended = run(by_variable);
    assert!(output(&ended), "{ended:?}");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--history=~/new/y.db", "--operator-token-file=~/token"];
    let ended = glassline(&home, &serve);
    let token = home.path().join("token").display().to_string();
    assert!(ended.code == Some(1) && ended.stderr.contains(&token), "{ended:?}");
    let ended = glassline(&home, &["history", "check", "--history=~bob/x.db"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("whole path"), "{ended:?}");
}

#[test]
fn without_a_home_nothing_is_kept() {
    let cwd = Folder::new();
    let homeless = |arguments: &[&str]| {
        let mut homeless = command(PROGRAM, &cwd);
        homeless.env_remove("HOME").args(arguments).current_dir(cwd.path());
        homeless
    };
    let server = Process::start(homeless(&["serve", "--listen", "127.0.0.1:0"]));
    assert!(server.line().starts_with("listening on"));
    server.signal("TERM");
    let ended = server.ended();
    assert!(ended.stderr.contains("what is said is not kept") && ended.stderr.contains("--history FILE"), "{ended:?}");
    for refused in [["history", "check", ""], ["history", "check", "--history=~/x.db"]] {
        let arguments: Vec<&str> = refused.into_iter().filter(|word| !word.is_empty()).collect();
        let ended = run(homeless(&arguments));
        assert!(ended.code != Some(0) && ended.stderr.to_lowercase().contains("home"), "{ended:?}");
    }
    assert_eq!(names(cwd.path()), [""; 0]);
}

#[test]
fn a_home_that_cannot_be_written_is_answered_with_none() {
    let home = Folder::new();
    // No user may make a folder in a file.
    let file = home.write("file", "");
    let mut serve = command(PROGRAM, &home);
    serve.env("HOME", file.join("home")).args(["serve", "--listen", "127.0.0.1:0"]);
    let ended = run(serve);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--history none"), "{ended:?}");
}

#[test]
fn a_lock_of_another_program_is_distinguished_from_a_server() {
    let home = home_with_history();
    let history = default_file(&home);
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let lock = File::open(history.with_file_name("history.db.lock")).expect("a lock");
    lock.lock().expect("locks");
    for arguments in [&serve[..], &["history", "vacuum"]] {
        let ended = glassline(&home, arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("another program") && ended.stderr.contains("fuser"), "{ended:?}");
    }
    drop(lock);
    let mut first = command(PROGRAM, &home);
    first.args(serve);
    let first = Process::start(first);
    first.line();
    for (arguments, words) in [(&serve[..], "another Glassline server"), (&["history", "vacuum"], "A Glassline server")]
    {
        let ended = glassline(&home, arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.to_lowercase().contains(&words.to_lowercase()), "{ended:?}");
    }
}

/// `glassline history` at a terminal.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    reader: Box<dyn Read + Send>,
    written: String,
}

impl Terminal {
    fn start(home: &Folder, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(PROGRAM);
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.cwd(home.path());
        command.args(arguments);
        let child = pair.slave.spawn_command(command).expect("it starts");
        let reader = pair.master.try_clone_reader().expect("a reader");
        Self { master: pair.master, child, reader, written: String::new() }
    }

    /// Reads until the words are there, or to the end.
    fn wait_for(&mut self, words: &str) -> bool {
        let mut buffer = [0; 4_096];
        while !self.written.contains(words) {
            match self.reader.read(&mut buffer) {
                Ok(bytes @ 1..) => self.written += &String::from_utf8_lossy(&buffer[..bytes]),
                _ => return false,
            }
        }
        true
    }

    fn ended(mut self) -> (u32, String) {
        self.wait_for("\0never written");
        let code = self.child.wait().expect("an exit status").exit_code();
        (code, self.written)
    }
}

#[test]
fn progress_is_shown_at_a_terminal_and_nowhere_else() {
    let home = Folder::new();
    home.write("backup.jsonl", export_of(COUNT));
    for (arguments, words) in [
        (vec!["history", "import", "backup.jsonl"], "importing"),
        (vec!["history", "check"], "checking messages"),
        (vec!["history", "vacuum"], "writing the file anew"),
    ] {
        let (code, written) = Terminal::start(&home, &arguments).ended();
        assert!(code == 0 && written.contains(words) && written.contains(" left"), "{code}: {written}");
    }
    for name in ["check", "vacuum"] {
        let ended = glassline(&home, &["history", name]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_closed_terminal_ends_an_import_and_leaves_nothing() {
    let home = Folder::new();
    let mut terminal = Terminal::start(&home, &["history", "import"]);
    assert!(terminal.wait_for("waiting for the lines of an export"), "{}", terminal.written);
    let Terminal { master, mut child, reader, .. } = terminal;
    drop((master, reader));
    let status = child.wait().expect("an exit status");
    // It sees the signal, or the end of its input.
    assert!([1, 129].contains(&status.exit_code()), "{status:?}");
    assert_eq!(names(home.path()), [""; 0]);
}

#[test]
fn an_import_at_a_keyboard_says_what_it_waits_for() {
    let home = Folder::new();
    let mut terminal = Terminal::start(&home, &["history", "import"]);
    assert!(terminal.wait_for("waiting for the lines of an export"), "{}", terminal.written);
    let mut keyboard = terminal.master.take_writer().expect("a writer");
    // Some lines, so that a history has been made.
    keyboard.write_all(export_of(3).replace('\n', "\r").as_bytes()).expect("takes them");
    assert!(terminal.wait_for("text 00003"), "{}", terminal.written);
    keyboard.write_all(b"\x03").expect("takes it");
    let (code, written) = terminal.ended();
    assert_eq!(code, 130, "{written}");
    assert!(written.contains("interrupted; nothing was imported"), "{written}");
    assert_eq!(names(home.path()), [""; 0]);
}
