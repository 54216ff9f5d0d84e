//! Tools that the chores need beside Rust: installed where that is allowed, named where it is not.

use std::process::{Command, Stdio};

use crate::command::{Outcome, program, run};

/// A tool, how one sees that it is there, and what to install when it is not.
pub(crate) struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    remedy: Remedy,
}

enum Remedy {
    Debian(&'static str),
    Rustup(&'static str),
}

pub(crate) const RUSTFMT: Tool =
    Tool { name: "rustfmt", probe: &["cargo", "fmt", "--version"], remedy: Remedy::Rustup("rustfmt") };
pub(crate) const CLIPPY: Tool =
    Tool { name: "clippy", probe: &["cargo", "clippy", "--version"], remedy: Remedy::Rustup("clippy") };
pub(crate) const PYTHON: Tool =
    Tool { name: "Python 3", probe: &["python3", "--version"], remedy: Remedy::Debian("python3") };
pub(crate) const CXX: Tool =
    Tool { name: "a C++ compiler", probe: &["c++", "--version"], remedy: Remedy::Debian("g++") };
pub(crate) const BASH: Tool = Tool { name: "bash", probe: &["bash", "--version"], remedy: Remedy::Debian("bash") };
pub(crate) const ZSH: Tool = Tool { name: "zsh", probe: &["zsh", "--version"], remedy: Remedy::Debian("zsh") };
pub(crate) const FISH: Tool = Tool { name: "fish", probe: &["fish", "--version"], remedy: Remedy::Debian("fish") };
pub(crate) const MAN: Tool = Tool { name: "man", probe: &["man", "--version"], remedy: Remedy::Debian("man-db") };
pub(crate) const TASKSET: Tool =
    Tool { name: "taskset", probe: &["taskset", "--version"], remedy: Remedy::Debian("util-linux") };

impl Tool {
    fn is_there(&self) -> bool {
        self.probe.split_first().is_some_and(|(name, arguments)| {
            let mut probe = Command::new(name);
            probe.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            probe.status().is_ok_and(|status| status.success())
        })
    }

    /// Installs the tool if it is missing.
    ///
    /// # Errors
    /// It cannot be installed from here: the error says what to run.
    pub(crate) fn ensure(&self) -> Outcome {
        if self.is_there() {
            return Ok(());
        }
        let (install, by_hand) = match self.remedy {
            Remedy::Debian(package) => {
                let script =
                    format!("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y {package}");
                (program("sh", &["-c", &script]), format!("sudo apt-get install {package}"))
            }
            Remedy::Rustup(component) => {
                (program("rustup", &["component", "add", component]), format!("rustup component add {component}"))
            }
        };
        // What counts is whether the tool is there afterwards.
        let _ = run(install);
        if self.is_there() { Ok(()) } else { Err(format!("{} is missing; install it with: {by_hand}", self.name)) }
    }
}
