//! The README's commands are run as they stand there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Outcome, root};

/// Longer than any of them needs.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// Commands that are checked elsewhere in `cargo xtask test`, or run for long.
const NOT_HERE: [&str; 3] = ["cargo xtask test", "cargo xtask bench", "cargo xtask fuzz"];

/// A server that ends with this step, whatever happens.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn run() -> Outcome {
    let readme =
        fs::read_to_string(root().join("README.md")).map_err(|error| format!("cannot read README.md: {error}"))?;
    let commands = shell_lines(&readme);
    if commands.len() < 3 {
        return Err(format!("README.md shows {} commands; it should show how to host, join and test", commands.len()));
    }
    let mut run_count = 0;
    let mut server = None;
    for line in &commands {
        if NOT_HERE.iter().any(|elsewhere| line.starts_with(elsewhere)) {
            continue;
        }
        println!("\n$ {line}");
        if line.starts_with("glassline serve") {
            server = Some(start_server(line)?);
        } else {
            run_to_its_end(line)?;
            // The first command hosts; what follows it in the README is for a second terminal, so somebody must be hosting.
            if server.is_none() {
                server = Some(start_server("glassline serve")?);
            }
        }
        run_count += 1;
    }
    println!("{run_count} of the README's commands were run");
    Ok(())
}

/// Lines of the README's `sh` blocks, without comments.
fn shell_lines(readme: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside => {
                let command = command.split(" #").next().unwrap_or_default().trim();
                if !command.is_empty() && !command.starts_with('#') {
                    lines.push(command.to_string());
                }
            }
            _ => {}
        }
    }
    lines
}

fn shell(line: &str) -> Command {
    let binaries = root().join("target/release");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(root()).stdin(Stdio::null());
    command.env("PATH", format!("{}:{path}", binaries.display()));
    // What is said here is no part of the history that whoever runs this keeps.
    let home = root().join("target/readme-home");
    command.env("XDG_STATE_HOME", home);
    command
}

fn start_server(line: &str) -> Result<Background, String> {
    let mut command = shell(&format!("exec {line}"));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot run {line}: {error}"))?;
    let mut said = String::new();
    if let Some(stdout) = child.stdout.take() {
        // Ends with the first line, or with the server.
        let _ = BufReader::new(stdout).read_line(&mut said);
    }
    let server = Background(child);
    if said.starts_with("listening on ") {
        Ok(server)
    } else {
        Err(format!("{line} did not say where it listens: {said:?}"))
    }
}

fn run_to_its_end(line: &str) -> Outcome {
    let mut child = Background(shell(line).spawn().map_err(|error| format!("cannot run {line}: {error}"))?);
    let until = Instant::now() + COMMAND_TIMEOUT;
    loop {
        match child.0.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{line}: {status}")),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => return Err(format!("{line} did not end in {} s", COMMAND_TIMEOUT.as_secs())),
            Err(error) => return Err(format!("{line}: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_commands() {
        let text =
            "```sh\n# a comment\ncargo run   # hosts\n\n```\n```text\nnot this\n```\n```sh\nglassline join\n```\n";
        assert_eq!(shell_lines(text), ["cargo run", "glassline join"]);
    }
}
