//! The text format of Prometheus, 0.0.4.
//!
//! Written by hand: the format is three kinds of lines, the values are copies made for one answer,
//! and the usual library brings a registry of shared atomics of its own to be kept beside the
//! numbers that are there.

use std::fmt::{Display, Write};

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Text under construction, one family of samples at a time.
pub(crate) struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    pub(crate) fn new() -> Self {
        Self { text: String::with_capacity(8 * 1024), family: "" }
    }

    /// Opens a family; its samples follow.
    pub(crate) fn family(&mut self, family: &'static str, kind: &str, help: &str) -> &mut Self {
        self.family = family;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP {family} {help}\n# TYPE {family} {kind}\n");
        self
    }

    pub(crate) fn sample(&mut self, value: impl Display) -> &mut Self {
        let _ = writeln!(self.text, "{} {value}", self.family);
        self
    }

    /// Labels are constants of the program without characters to escape.
    pub(crate) fn labelled(&mut self, label: &str, word: &str, value: impl Display) -> &mut Self {
        let _ = writeln!(self.text, "{}{{{label}=\"{word}\"}} {value}", self.family);
        self
    }

    /// A histogram's bucket: how many were `bound` or less.
    pub(crate) fn bucket(&mut self, bound: &str, count: u64) {
        let _ = writeln!(self.text, "{}_bucket{{le=\"{bound}\"}} {count}", self.family);
    }

    pub(crate) fn sum_and_count(&mut self, sum: f64, count: u64) {
        let family = self.family;
        let _ = write!(self.text, "{family}_sum {sum}\n{family}_count {count}\n");
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, "gauge", help).sample(value);
    }

    pub(crate) fn counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, "counter", help).sample(value);
    }

    pub(crate) fn counters<'a>(
        &mut self,
        name: &'static str,
        help: &str,
        label: &str,
        counts: impl Iterator<Item = (&'a str, u64)>,
    ) {
        self.family(name, "counter", help);
        for (word, count) in counts {
            self.labelled(label, word, count);
        }
    }
}
