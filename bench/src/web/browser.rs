//! The page in Chromium: a script that drives it measures, and writes one JSON object.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::results::{Figures, Measure};

/// Keys of a run, and of a quick one.
const KEYS: &str = "300";
const KEYS_QUICK: &str = "60";

/// Page that is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Opened {
    Empty,
    Glassline,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/web/measure.py")
}

/// Returns why nothing can be measured in a browser here, if so.
pub fn missing() -> Option<String> {
    let probe = Command::new("python3").arg(script()).args(["glassline", "probe"]).stdin(Stdio::null()).output();
    match probe {
        Ok(probe) if probe.status.success() => None,
        Ok(probe) => Some(last_line(&probe.stderr)),
        Err(_) => Some("python3 is missing".to_owned()),
    }
}

/// Opens a page.
pub fn load(opened: Opened, glassline: &Path) -> Result<Figures> {
    let what = match opened {
        Opened::Empty => "empty",
        Opened::Glassline => "load",
    };
    measured(glassline, &[what], &[("page_ms", Measure::PageMillis), ("first_message_ms", Measure::FirstMessageMillis)])
}

/// Types while messages arrive.
pub fn typing(glassline: &Path, is_quick: bool) -> Result<Figures> {
    let arguments = ["typing", "--keys", if is_quick { KEYS_QUICK } else { KEYS }];
    let fields = [
        ("median_ms", Measure::KeyMedianMillis),
        ("p95_ms", Measure::KeyP95Millis),
        ("lines", Measure::LinesShown),
        ("arriving_per_s", Measure::ArrivingPerSecond),
    ];
    measured(glassline, &arguments, &fields)
}

fn measured(glassline: &Path, arguments: &[&str], fields: &[(&str, Measure)]) -> Result<Figures> {
    let mut python = Command::new("python3");
    python.arg(script()).arg(glassline).args(arguments).stdin(Stdio::null());
    let output = python.output().context("python3 cannot be started")?;
    ensure!(output.status.success(), "{}", last_line(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).context("not one JSON object")?;
    let mut figures = Figures::default();
    for (field, measure) in fields {
        figures.put(*measure, found[field].as_f64());
    }
    Ok(figures)
}

fn last_line(stderr: &[u8]) -> String {
    let said = String::from_utf8_lossy(stderr);
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned()
}
