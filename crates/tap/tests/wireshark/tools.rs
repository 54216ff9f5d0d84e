//! Runs of tshark and Python.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns whether tshark is installed; if not, says so, or fails under `CI=true`.
pub(crate) fn has_tshark() -> bool {
    let mut probe = Command::new("tshark");
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = probe.status().is_ok_and(|status| status.success());
    if !is_there {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "tshark is missing; apt-get install tshark");
        // Past the test's own capture of what it prints.
        let _ = writeln!(std::io::stderr(), "NOT RUN: tshark is not installed, so no recording was held against it");
    }
    is_there
}

/// Runs tshark on a file with the dissector, and returns its output.
pub(crate) fn tshark(file: &Path, arguments: &[&str]) -> String {
    let mut tshark = Command::new("tshark");
    let script = root().join("packaging/wireshark/glassline.lua");
    // Settings of the person who runs the test are left out of it.
    tshark.args(["-C", "Default", "-n"]).arg("-X").arg(format!("lua_script:{}", script.display()));
    tshark.arg("-r").arg(file).args(arguments);
    let output = tshark.stdin(Stdio::null()).output().expect("tshark runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> =
        complaints.lines().filter(|line| !line.is_empty() && !line.starts_with("Running as user \"root\"")).collect();
    assert!(output.status.success() && complaints.is_empty(), "tshark: {complaints:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns fields of each packet, separated by tabs; several values of a field by `;`.
pub(crate) fn fields(file: &Path, names: &[&str], arguments: &[&str]) -> Vec<Vec<String>> {
    let mut all = vec!["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;"];
    all.extend(names.iter().flat_map(|name| ["-e", name]));
    all.extend(arguments);
    let output = tshark(file, &all);
    output.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Returns the frames that the dissector found, each with the number of its TCP stream.
pub(crate) fn frames(file: &Path, filter: &str) -> Vec<(u64, Value)> {
    let arguments = ["-T", "json", "--no-duplicate-keys", "-j", "tcp glassline", "-Y", filter];
    let packets: Vec<Value> = serde_json::from_str(&tshark(file, &arguments)).expect("JSON");
    let mut frames = Vec::new();
    for packet in packets {
        let layers = &packet["_source"]["layers"];
        let stream = layers["tcp"]["tcp.stream"].as_str().and_then(|number| number.parse().ok()).expect("a number");
        match &layers["glassline"] {
            Value::Array(several) => frames.extend(several.iter().map(|frame| (stream, frame.clone()))),
            one => frames.push((stream, one.clone())),
        }
    }
    frames
}

/// Runs a Python script of the peers on some input, and returns its output.
pub(crate) fn python(script: &str, input: &str) -> String {
    let mut python = Command::new("python3");
    python.arg(root().join("tests/peers").join(script));
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("the writer ends").expect("python3 reads everything");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}
