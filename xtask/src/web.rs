//! Tests of the page in browsers.

use crate::command::{self, Outcome, built, program, root};
use crate::programs;
use crate::tools::{
    self, CHROMEDRIVER, CHROMIUM, Install, JAVA, NODE, NPM, PIP, PYTHON, Tool, WEB_NODE_PACKAGES, WEB_PYTHON_PACKAGES,
};

/// In the order in which they are installed: packages come after what installs them.
pub(crate) const TOOLS: &[Tool] =
    &[PYTHON, PIP, WEB_PYTHON_PACKAGES, CHROMIUM, CHROMEDRIVER, NODE, NPM, WEB_NODE_PACKAGES, JAVA];

/// Tools that drive a browser.
pub(crate) const BROWSER: &[Tool] = &[PYTHON, PIP, WEB_PYTHON_PACKAGES, CHROMIUM, CHROMEDRIVER];

/// Tests of the page's modules that need no browser.
const MODULE_TESTS: &str = "tests/web/modules";

/// Runs the tests of the modules, then those in browsers, against the release binary.
pub(crate) fn test() -> Outcome {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join(MODULE_TESTS)).map_err(|error| format!("{MODULE_TESTS}: {error}"))? {
        let name = entry.map_err(|error| format!("{MODULE_TESTS}: {error}"))?.file_name();
        files.push(format!("{MODULE_TESTS}/{}", name.to_string_lossy()));
    }
    files.sort();
    // Each by its name: what a folder means here differs between versions of node.
    let mut modules = program("node", &["--test"]);
    modules.args(files.iter().filter(|file| file.ends_with(".test.js")));
    command::run(modules)?;
    command::run(program("python3", &["tests/web/run.py", &built("glassline")]))
}

/// Lets thirty people in browsers and thirty in terminals talk in one room.
pub(crate) fn classroom(arguments: &[String]) -> Outcome {
    run_script("tests/web/classroom.py", arguments)
}

/// Takes the README's screenshots again.
pub(crate) fn screenshots() -> Outcome {
    run_script("tests/web/screenshots.py", &[])
}

fn run_script(script: &str, arguments: &[String]) -> Outcome {
    tools::ensure(BROWSER, Install::chosen(false))?;
    programs::build()?;
    let mut run = program("python3", &[script, &built("glassline")]);
    run.args(arguments);
    command::run(run)
}
