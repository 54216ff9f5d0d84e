//! Rules as they are written: any text is a rule file and lines, or gives a reason.
#![no_main]

use glassline_tap::{Rule, RuleFile, RuleSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match RuleFile::parse(text) {
        Ok(file) => drop(RuleSet::new(file.seed.unwrap_or_default(), file.rules)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for line in text.lines() {
        if let Err(error) = line.parse::<Rule>() {
            assert!(!error.to_string().is_empty());
        }
    }
});
