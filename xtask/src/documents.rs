//! The commands of README and docs are run as they stand there, in a network and a home of their
//! own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use glassline_testkit::Process;

use crate::command::{self, Outcome, keep_from_the_package, keep_from_the_user, program, root, succeeds};

/// Longer than any of them needs.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// Commands that run for long, or are steps of `cargo xtask test` themselves.
const NOT_HERE: [&str; 6] =
    ["cargo xtask test", "cargo xtask matrix", "cargo xtask bench", "cargo xtask fuzz", "cargo xtask dist", "sudo "];

/// Command whose words differ in each run.
const OF_ONE_RUN: &str = "glassline keys verify ";

/// Makes a network with the loopback interface and an address that is not loopback, and runs the
/// rest of the arguments in it.
///
/// The documents use port 1234, which may be a running chat outside of it.
const IN_NETWORK: &str = "ip link set lo up && ip addr add 192.0.2.7/24 dev lo && exec \"$@\"";

/// Sentence that a client types which joins a tap: a rule of the documents changes it.
const SENTENCE: &str = "meet me at noon";

/// Exit code of a client that refuses the link.
const LINK_REFUSED: i32 = 4;

/// Runs the commands of all documents.
pub(crate) fn run() -> Outcome {
    let own = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let own = own.display().to_string();
    let inner = ["sh", "-c", IN_NETWORK, "sh", &own, "documents"];
    // An ordinary user is root in a user namespace of their own, where the system permits one.
    let namespaces: &[&str] = if succeeds("unshare", &["-n", "true"]) { &["-n"] } else { &["-rn"] };
    command::run(program("unshare", &[namespaces, &inner].concat()))
}

/// Runs them in the network that this process is in.
pub(crate) fn run_here() -> Outcome {
    let mut run_count = 0;
    for page in pages()? {
        let text = fs::read_to_string(&page).map_err(|error| format!("cannot read {}: {error}", page.display()))?;
        let lines = shell_lines(&text);
        if lines.is_empty() {
            continue;
        }
        let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        println!("\n{}", page.strip_prefix(root()).unwrap_or(&page).display());
        let mut reader = Reader::new(&name)?;
        for line in &lines {
            if NOT_HERE.iter().any(|elsewhere| line.starts_with(elsewhere)) || line.contains(OF_ONE_RUN) {
                println!("$ {line}    (not here)");
                continue;
            }
            // Where everything can be installed, the command fails instead.
            let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            if line.starts_with("tshark ") && !is_ci && !succeeds("tshark", &["--version"]) {
                println!("$ {line}    (NOT RUN: tshark is missing)");
                continue;
            }
            println!("$ {line}");
            reader.run(line)?;
            run_count += 1;
        }
        reader.end()?;
    }
    println!("\n{run_count} documented commands were run");
    if run_count < 10 {
        Err("the documents show fewer than ten commands; are they read right?".to_string())
    } else {
        Ok(())
    }
}

fn pages() -> Result<Vec<PathBuf>, String> {
    let docs = root().join("docs");
    let entries = fs::read_dir(&docs).map_err(|error| format!("cannot list {}: {error}", docs.display()))?;
    let mut pages: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages.insert(0, root().join("README.md"));
    Ok(pages)
}

/// A user who types the commands of one page, with an empty home.
struct Reader {
    home: PathBuf,
    /// The server that listens on port 1234.
    server: Option<Process>,
    /// The tap that listens on port 1235.
    tap: Option<Process>,
    /// It ends secure links.
    tap_attacks: bool,
    /// Commands that join a tap, whose clients come back to the next one.
    joins_of_taps: Vec<String>,
    others: Vec<(String, Process)>,
}

impl Reader {
    fn new(page: &str) -> Result<Self, String> {
        let home = root().join("target/documents").join(page);
        // Left there by an earlier run.
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
        save_scripts(page, &home)?;
        Ok(Self { home, server: None, tap: None, tap_attacks: false, joins_of_taps: Vec::new(), others: Vec::new() })
    }

    fn run(&mut self, line: &str) -> Outcome {
        let is_own_server = line.contains("127.0.0.1:0");
        if line.starts_with("glassline serve") && is_own_server {
            self.others.push((line.to_string(), self.start_server(line)?));
        } else if line.starts_with("glassline serve") {
            self.server = None;
            self.server = Some(self.start_server(line)?);
        } else if is_tap(line) {
            self.need_server()?;
            self.end_tap()?;
            self.tap = Some(self.start_server(line)?);
            self.tap_attacks = line.contains("--intercept") || line.contains("dialect=tls");
            self.joins_of_taps.iter().try_for_each(|join| self.join_again(join))?;
        } else if line.contains("<>silence") {
            self.need_server()?;
            let child = spawn(&mut self.shell(&format!("exec {line}")), line)?;
            self.others.push((line.to_string(), child));
        } else if is_hosting(line) {
            self.server = None;
            self.run_to_its_end(line)?;
        } else {
            if line.contains("join") {
                self.need_server()?;
            }
            let joins_tap = line.contains("glassline join ") && line.ends_with(":1235");
            if joins_tap {
                let join = format!("echo '{SENTENCE}' | {line}");
                if self.joins_of_taps.contains(&join) {
                    return self.join_again(&join);
                }
                self.run_to_its_end(&join)?;
                // Who was deceived at first use refuses the true server.
                if !self.tap_attacks {
                    self.joins_of_taps.push(join);
                }
                return Ok(());
            }
            // What reads or plays a recording wants the whole of it.
            self.end_tap()?;
            self.run_to_its_end(line)?;
        }
        Ok(())
    }

    /// Joins a new tap. A client that knows the server's key refuses one that ends its link.
    fn join_again(&self, join: &str) -> Outcome {
        if !join.contains("--link ") || !self.tap_attacks {
            return self.run_to_its_end(join);
        }
        let mut child = spawn(&mut self.shell(join), join)?;
        match end_of(&mut child)?.code() {
            Some(LINK_REFUSED) => Ok(()),
            code => Err(format!("{join}: exit code {code:?} where the link has to be refused")),
        }
    }

    /// Ends the tap as its user does, so that its recording is complete.
    fn end_tap(&mut self) -> Outcome {
        let Some(mut tap) = self.tap.take() else { return Ok(()) };
        tap.signal("INT");
        match end_of(&mut tap)? {
            status if status.success() => Ok(()),
            status => Err(format!("the tap ended with {status}")),
        }
    }

    /// Ends what runs still; each must have run until now.
    fn end(mut self) -> Outcome {
        self.end_tap()?;
        for (line, background) in &mut self.others {
            if let Ok(Some(status)) = background.try_wait() {
                return Err(format!("{line}: ended by itself with {status}"));
            }
        }
        Ok(())
    }

    /// Another process hosts if the page joins without serving before.
    fn need_server(&mut self) -> Outcome {
        if self.server.is_none() {
            self.server = Some(self.start_server("glassline serve --listen 0.0.0.0:1234 --history none")?);
        }
        Ok(())
    }

    fn shell(&self, line: &str) -> Command {
        let binaries = root().join("target/release");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        let is_of_the_repository = line.contains("cargo ") || line.contains("packaging/");
        let folder = if is_of_the_repository { root() } else { self.home.clone() };
        command.args(["-c", line]).current_dir(folder).stdin(Stdio::null());
        keep_from_the_user(&mut command);
        keep_from_the_package(&mut command);
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env_remove(variable);
        }
        // cargo and rustup have their own folders in the real home.
        for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if let (None, Some(home)) = (std::env::var_os(variable), std::env::var_os("HOME")) {
                command.env(variable, Path::new(&home).join(folder));
            }
        }
        command.env("HOME", &self.home).env("PATH", format!("{}:{path}", binaries.display()));
        // What is installed is for this step, and need not be compiled again.
        command.env("CARGO_INSTALL_ROOT", self.home.join("installed")).env("CARGO_TARGET_DIR", root().join("target"));
        command.env("CARGO_NET_OFFLINE", "true");
        command
    }

    fn start_server(&self, line: &str) -> Result<Process, String> {
        let mut command = self.shell(&format!("exec {line}"));
        let server = spawn(command.stderr(Stdio::null()), line)?;
        let first = server.line_within(COMMAND_TIMEOUT).unwrap_or_default();
        if line.contains("--metrics") {
            // It listens for requests once it has reported so.
            let _ = server.line_within(COMMAND_TIMEOUT);
        }
        if first.starts_with("listening on ") {
            Ok(server)
        } else {
            Err(format!("{line} did not say where it listens: {first:?}"))
        }
    }

    fn run_to_its_end(&self, line: &str) -> Outcome {
        // Only the exit code and the complaints count here.
        let mut child = spawn(&mut self.shell(line), line)?;
        match end_of(&mut child).map_err(|error| format!("{line}: {error}"))? {
            status if status.success() => Ok(()),
            status => Err(format!("{line}: {status}")),
        }
    }
}

/// Waits for the end of a process.
fn end_of(process: &mut Process) -> Result<ExitStatus, String> {
    let until = Instant::now() + COMMAND_TIMEOUT;
    loop {
        match process.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            Ok(None) => return Err(format!("it did not end in {} s", COMMAND_TIMEOUT.as_secs())),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Saves the scripts that a page shows, which are in folders of its name, as its reader does.
fn save_scripts(page: &str, home: &Path) -> Outcome {
    let folders = [root().join("docs").join(page), root().join("examples").join(page).join("python")];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    for script in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if let (Some("py"), Some(name)) = (script.extension().and_then(OsStr::to_str), script.file_name()) {
            fs::copy(&script, home.join(name)).map_err(|error| format!("cannot copy {}: {error}", script.display()))?;
        }
    }
    Ok(())
}

/// Starts a process that always ends with this step.
fn spawn(command: &mut Command, line: &str) -> Result<Process, String> {
    Process::spawn(command).map_err(|error| format!("cannot run {line}: {error}"))
}

/// Reports whether a command taps a line, which it does until it is ended.
fn is_tap(line: &str) -> bool {
    line.strip_prefix("glassline tap").is_some_and(|rest| rest.is_empty() || rest.starts_with(" --"))
}

/// Reports whether a command hosts: it takes port 1234 itself, and ends with its input.
fn is_hosting(line: &str) -> bool {
    ["cargo run --release", "glassline"].contains(&line)
        || ["cargo run --release -- --listen", "glassline --listen"].iter().any(|start| line.starts_with(start))
}

/// Lines of a page's `sh` blocks, without comments. A block that begins with `#!` is a script,
/// which is tested elsewhere.
fn shell_lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut block: Option<Vec<String>> = None;
    let mut is_script = false;
    for line in page.lines() {
        match (line.trim(), &mut block) {
            ("```sh", None) => {
                block = Some(Vec::new());
                is_script = false;
            }
            ("```", Some(_)) => lines.extend(block.take().filter(|_| !is_script).unwrap_or_default()),
            (command, Some(commands)) => {
                is_script |= command.starts_with("#!");
                let command = command.split(" #").next().unwrap_or_default().trim();
                if !command.is_empty() && !command.starts_with('#') {
                    commands.push(command.to_string());
                }
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_commands() {
        let text = "```sh\n# a comment\ncargo run   # hosts\n\n```\n```text\nnot this\n```\n\
                    ```sh\nglassline join\n```\n```sh\n#!/bin/sh\nexit\n```\n";
        assert_eq!(shell_lines(text), ["cargo run", "glassline join"]);
    }

    #[test]
    fn a_tap_is_distinguished_from_work_with_recordings() {
        assert!(is_tap("glassline tap") && is_tap("glassline tap --record lesson.pcapng"));
        assert!(!is_tap("glassline tap report lesson.pcapng") && !is_tap("glassline tap replay lesson.pcapng"));
    }

    #[test]
    fn hosting_is_distinguished_from_joining() {
        assert!(is_hosting("cargo run --release") && is_hosting("glassline --listen 0.0.0.0:1234"));
        assert!(!is_hosting("cargo run --release -- join --name bob") && !is_hosting("glassline join"));
    }
}
