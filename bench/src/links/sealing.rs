//! Sealing and opening, beside a bare signature and its strict verification.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::pinning::{MEASURED_CORE, on_core};
use crate::results::{Figures, Measure};

/// Half of a sealed message's way, as the measuring program names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Half {
    Sealing,
    Opening,
}

impl Half {
    /// Runs the program that measures it, an example of the crate that seals: this one knows nothing
    /// of that crate.
    pub fn measure(self) -> Result<Figures> {
        let program = std::env::current_exe()?.with_file_name("examples").join("seal_cost");
        ensure!(program.is_file(), "not built: cargo build --release -p glassline-secure --example seal_cost");
        let mut command = on_core(MEASURED_CORE, program.as_os_str());
        let output = command.arg(self.into_str()).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "seal_cost ended with {}", output.status);
        self.figures(&text).with_context(|| format!("seal_cost says: {text}"))
    }

    /// Reads a line such as `sealing 90.12 us, bare 81.30 us`.
    fn figures(self, text: &str) -> Option<Figures> {
        let line = text.lines().find_map(|line| line.strip_prefix(self.into_str()))?;
        let mut micros = line.split(' ').filter_map(|word| word.parse::<f64>().ok());
        let (whole, bare) = (micros.next()?, micros.next()?);
        Some(Figures::from([
            (Measure::MedianMicros, whole),
            (Measure::BareMedianMicros, bare),
            (Measure::BareRatio, whole / bare),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_read() {
        let text = "sealing 90.00 us, bare 60.00 us\nopening 120.00 us, bare 80.00 us\n";
        let figures = Half::Opening.figures(text).unwrap();
        let expected = [Measure::MedianMicros, Measure::BareMedianMicros, Measure::BareRatio].map(|of| figures.of(of));
        assert_eq!(expected, [Some(120.0), Some(80.0), Some(1.5)]);
        assert!(Half::Sealing.figures("opening 120.00 us, bare 80.00 us").is_none());
        assert!(Half::Sealing.figures("sealing 120.00 us").is_none());
    }
}
