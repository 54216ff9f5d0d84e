//! The harness on a small server of its own: a good one passes, and each broken promise is found.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail as the test does")]

use std::fs;
use std::path::Path;
use std::process::Command;

const HARNESS: &str = env!("CARGO_BIN_EXE_glassline-crash");
const SERVER: &str = env!("CARGO_BIN_EXE_glassline-crash-model");

/// Runs it on the small server; returns whether it found no fault, and its output.
fn run(rounds: &str, seed: &str, sabotage: Option<&str>) -> (bool, String) {
    let mut command = Command::new(HARNESS);
    let options = ["--server", SERVER, "--rounds", rounds, "--seed", seed, "--messages", "300", "--patience-s", "3"];
    command.args(options);
    if let Some(word) = sabotage {
        command.args(["--serve-option", "--sabotage", "--serve-option", word]);
    }
    // What a failed run keeps is not wanted here.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(sabotage.unwrap_or("none"));
    fs::create_dir_all(&folder).unwrap();
    let ended = command.env("TMPDIR", &folder).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8(ended.stdout).unwrap() + &String::from_utf8(ended.stderr).unwrap();
    (ended.status.success(), said)
}

#[test]
fn a_server_that_keeps_its_promises_passes() {
    for seed in ["1", "2", "3"] {
        let (is_good, said) = run("12", seed, None);
        assert!(is_good, "{said}");
        assert!(said.contains("rounds 12, kills 12 (") && said.contains(&format!("faults 0, seed {seed}")), "{said}");
    }
}

/// Each sabotage, and the words of which one must be in the fault.
#[test]
fn every_broken_promise_is_found() {
    let sabotages: [(&str, &[&str]); 14] = [
        ("acknowledge-early", &["lost: "]),
        ("lose-tail", &["lost: "]),
        ("ignore-ids", &["doubled: "]),
        ("skip-number", &["hole: "]),
        ("show-unstored", &["lost: ", "changed: ", "doubled: "]),
        ("change-text", &["phantom: "]),
        ("replay-again", &["doubled: "]),
        ("replay-late", &["hole: "]),
        ("announce-gap", &["gap: "]),
        ("swap", &["hole: "]),
        ("other-number", &["doubled: "]),
        ("short-page", &["lost: "]),
        ("say-too-late", &["too late: ", "refused: "]),
        ("stay-silent", &["hang: "]),
    ];
    for (word, faults) in sabotages {
        let (is_good, said) = run("30", "1", Some(word));
        assert!(!is_good, "{word} was not found:\n{said}");
        let fault = said.lines().find(|line| line.starts_with("FAULT in round ")).unwrap_or_default();
        assert!(faults.iter().any(|expected| fault.contains(&format!(": {expected}"))), "{word}: {said}");
        assert!(said.contains(&format!("replay it with: cargo xtask crash --rounds 30 --seed 1 --messages 300 --serve-option --sabotage --serve-option {word}")), "{said}");
    }
}

#[test]
fn a_server_that_does_not_start_is_a_fault() {
    let (is_good, said) = run("3", "1", Some("no-such-word"));
    assert!(!is_good, "{said}");
    assert!(said.contains("FAULT in round 1: "), "{said}");
}
