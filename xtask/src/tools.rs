//! Tools that the chores need beside Rust: why, whether they are there, and how they are installed.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once};

use crate::command::{Outcome, program, run, succeeds};

/// A tool that is found by running it, and the package that holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    /// The reason it is needed, for the person who is asked to install it.
    reason: &'static str,
    probe: &'static [&'static str],
    package: Package,
}

#[derive(Debug, Clone, Copy)]
enum Package {
    Debian(&'static str),
    Rustup(&'static str),
    /// A file of requirements; pip puts what it lists into a folder of this repository's builds.
    PyPi(&'static str),
    /// A folder with `package.json` and its lock; npm puts what they list beside the builds.
    Npm(&'static str),
}

/// Treatment of a tool that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Install {
    /// Install it where that is allowed.
    Yes,
    /// Ask the person at the terminal first.
    Ask,
    /// Leave the machine as it is.
    No,
}

macro_rules! tools {
    ($($constant:ident = $name:literal, $probe:expr, $package:expr, $reason:literal;)*) => {
        $(pub(crate) const $constant: Tool =
            Tool { name: $name, reason: $reason, probe: &$probe, package: $package };)*
    };
}

tools! {
    RUSTFMT = "rustfmt", ["cargo", "fmt", "--version"], Package::Rustup("rustfmt"), "checks the format";
    CLIPPY = "clippy", ["cargo", "clippy", "--version"], Package::Rustup("clippy"), "finds suspicious code";
    CC = "a C compiler", ["cc", "--version"], Package::Debian("gcc"), "compiles SQLite";
    CXX = "a C++ compiler", ["c++", "--version"], Package::Debian("g++"), "compiles libFuzzer";
    PYTHON = "Python 3", ["python3", "--version"], Package::Debian("python3"), "runs the independent peers and an example";
    PIP = "pip", ["python3", "-m", "pip", "--version"], Package::Debian("python3-pip"), "installs packages of Python";
    PEER_PACKAGES = "packages of the peers", ["python3", "-c", "import sys; sys.path.append('target/python'); import argon2, nacl, noise"],
        Package::PyPi("tests/peers/requirements.txt"), "let independent implementations speak Noise and seal messages";
    BASH = "bash", ["bash", "--version"], Package::Debian("bash"), "reads the completions for bash";
    UNSHARE = "unshare", ["unshare", "--version"], Package::Debian("util-linux"), "makes a network of the tests' own";
    IP = "ip", ["ip", "-V"], Package::Debian("iproute2"), "gives that network an address";
    CURL = "curl", ["curl", "--version"], Package::Debian("curl"), "runs the documented requests for metrics";
    ZSH = "zsh", ["zsh", "--version"], Package::Debian("zsh"), "reads the completions for zsh";
    FISH = "fish", ["fish", "--version"], Package::Debian("fish"), "reads the completions for fish";
    MAN = "man", ["man", "--version"], Package::Debian("man-db"), "reads the manual's pages";
    TSHARK = "tshark", ["tshark", "--version"], Package::Debian("tshark"), "reads recordings of the tap";
    CHROMIUM = "chromium", ["chromium", "--version"], Package::Debian("chromium"), "opens the page of the chat and those of the tap's reports";
    CHROMEDRIVER = "chromedriver", ["chromedriver", "--version"], Package::Debian("chromium-driver"), "drives chromium";
    FIREFOX = "firefox-esr", ["firefox-esr", "--version"], Package::Debian("firefox-esr"), "opens the page of the chat too";
    NODE = "node 20.19 or newer",
        ["node", "-e", "const [a, b] = process.versions.node.split('.'); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)"],
        Package::Debian("nodejs"), "runs the page's modules without a browser";
    NPM = "npm", ["npm", "--version"], Package::Debian("npm"), "installs packages of npm";
    JAVA = "java", ["java", "-version"], Package::Debian("default-jre-headless"), "runs the checker of HTML and CSS";
    WEB_PYTHON_PACKAGES = "Python packages of the page's tests", ["python3", "-c", "import sys; sys.path.append('target/python'); import websockets"],
        Package::PyPi("tests/web/requirements.txt"), "speak to browsers, and WebSockets to the server";
    WEB_NODE_PACKAGES = "node packages of the page's tests", ["npm", "ls", "--silent", "--prefix", "target/node", "axe-core", "csp_evaluator", "vnu-jar", "ws"],
        Package::Npm("tests/web"), "judge the page, and speak WebSockets to the server";
    OPENSSL = "openssl", ["openssl", "version"], Package::Debian("openssl"), "judges TLS from the other side";
    GNUTLS = "gnutls-cli", ["gnutls-cli", "--version"], Package::Debian("gnutls-bin"), "judges TLS from the other side";
    SSLSCAN = "sslscan", ["sslscan", "--version"], Package::Debian("sslscan"), "looks for what TLS should not offer";
    TASKSET = "taskset", ["taskset", "--version"], Package::Debian("util-linux"), "keeps a measured program on a core";
}

/// Tools that drive a browser.
pub(crate) const BROWSER: &[Tool] = &[PYTHON, PIP, WEB_PYTHON_PACKAGES, CHROMIUM, CHROMEDRIVER];

/// Held while something is installed.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Install {
    /// Returns the default: yes under `CI=true` and with `--yes`, a question at a terminal, and no
    /// elsewhere.
    pub(crate) fn chosen(is_yes_given: bool) -> Self {
        if is_yes_given || std::env::var_os("CI").is_some_and(|value| value == "true") {
            Self::Yes
        } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Self::Ask
        } else {
            Self::No
        }
    }
}

impl Tool {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn is_there(&self) -> bool {
        self.probe.split_first().is_some_and(|(name, arguments)| succeeds(name, arguments))
    }

    fn debian_package(&self) -> Option<&'static str> {
        match self.package {
            Package::Debian(package) => Some(package),
            _ => None,
        }
    }

    fn by_hand(&self) -> String {
        match self.package {
            Package::Debian(package) => format!("sudo apt-get install {package}"),
            Package::Rustup(component) => format!("rustup component add {component}"),
            Package::PyPi(file) => format!("python3 {}", pip_arguments(file).join(" ")),
            Package::Npm(folder) => npm_script(folder),
        }
    }

    fn install(&self) {
        let command = match self.package {
            Package::Debian(package) => debian_install(&[package]),
            Package::Rustup(component) => program("rustup", &["component", "add", component]),
            Package::PyPi(file) => program("python3", &pip_arguments(file)),
            Package::Npm(folder) => program("sh", &["-c", &npm_script(folder)]),
        };
        // Whether the tool is there afterwards is what counts.
        let _ = run(command);
    }
}

/// Returns the command that installs packages of Debian, without its many words.
fn debian_install(packages: &[&str]) -> Command {
    // Lists of packages do not change within a run.
    static LISTS: Once = Once::new();
    LISTS.call_once(|| {
        let mut update = program("apt-get", &["update"]);
        update.stdout(Stdio::null());
        _ = run(update);
    });
    let mut install = program("apt-get", &["install", "-y"]);
    install.args(packages).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
    install
}

/// Arguments of Python that install what a file of requirements lists, beside the builds: nothing
/// of the machine's own Python changes.
fn pip_arguments(requirements: &str) -> [&str; 8] {
    ["-m", "pip", "install", "--quiet", "--target", "target/python", "-r", requirements]
}

/// Shell command that installs exactly what the lock in `folder` lists, beside the builds, and runs
/// no script of a package.
fn npm_script(folder: &str) -> String {
    format!(
        "mkdir -p target/node && cp {folder}/package.json {folder}/package-lock.json target/node && npm ci --ignore-scripts --no-audit --no-fund --prefix target/node"
    )
}

/// Installs those of `tools` that are missing, where `install` allows it.
///
/// # Errors
/// Some are missing still. The text names each with its reason and the command that installs it.
pub(crate) fn ensure(tools: &[Tool], install: Install) -> Outcome {
    let mut missing: Vec<&Tool> = tools.iter().filter(|tool| !tool.is_there()).collect();
    if !missing.is_empty() && is_allowed(&missing, install) {
        // Some may be there once an installation that is under way has ended.
        let _one_at_a_time = INSTALLING.lock();
        missing.retain(|tool| !tool.is_there());
        install_all(&missing);
        missing.retain(|tool| !tool.is_there());
    }
    if missing.is_empty() { Ok(()) } else { Err(described(&missing)) }
}

/// Packages of Debian at once, which takes a fraction of the time; then what is still missing one by
/// one, as a package that does not exist keeps the others from being installed.
fn install_all(missing: &[&Tool]) {
    let packages: Vec<&str> = missing.iter().filter_map(|tool| tool.debian_package()).collect();
    if packages.len() > 1 {
        let _ = run(debian_install(&packages));
    }
    missing.iter().filter(|tool| !tool.is_there()).for_each(|tool| tool.install());
}

fn is_allowed(missing: &[&Tool], install: Install) -> bool {
    if install != Install::Ask {
        return install == Install::Yes;
    }
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{}\nInstall now? [y/N] ", described(missing)).and_then(|()| stderr.flush());
    let mut answer = String::new();
    // The end of the input is no consent.
    let _ = io::stdin().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

fn described(missing: &[&Tool]) -> String {
    let lines = missing
        .iter()
        .map(|tool| format!("missing: {} ({}); install with: {}", tool.name, tool.reason, tool.by_hand()));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Tool = Tool {
        name: "nothing",
        reason: "for this test",
        probe: &["glassline-no-such-program"],
        package: Package::Debian("no-such-package"),
    };

    #[test]
    fn a_missing_tool_is_named_with_its_reason_and_package() {
        let missing = ensure(&[CC, ABSENT], Install::No).expect_err("it is not there");
        assert_eq!(missing, "missing: nothing (for this test); install with: sudo apt-get install no-such-package");
    }
}
