//! Targets of figures, and rows of a page that compare a figure with its target.

use std::fmt::Write as _;

use crate::stats::Spread;

/// Titles of the table whose rows [`put_row`] appends.
pub const TITLES: &str = "| what | median | by round | wanted | reached |\n| --- | --- | --- | --- | --- |\n";

/// Target of a figure.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
    /// None: the figure is reported. The text stands in the target's place.
    Reported(&'static str),
}

impl Target {
    /// Returns the target as text; `show` formats its bound.
    pub fn text(self, show: impl Fn(f64) -> String) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", show(bound)),
            Self::AtMost(bound) => format!("≤ {}", show(bound)),
            Self::Below(bound) => format!("< {}", show(bound)),
            Self::Reported(text) => text.to_owned(),
        }
    }

    /// Returns whether a value reaches the target, as text.
    pub fn reached(self, value: f64) -> &'static str {
        let is_reached = match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
            Self::Reported("") => return "",
            Self::Reported(_) => return "–",
        };
        if is_reached { "yes" } else { "no" }
    }
}

/// Returns a bound with its unit, to two decimals at most.
pub fn bound_with(unit: &str) -> impl Fn(f64) -> String {
    move |bound| format!("{}{unit}", (bound * 100.0).round() / 100.0)
}

/// Appends the row of a figure, in this unit; `None` was not measured.
pub fn put_row(page: &mut String, what: &str, figure: Option<Spread>, target: Target, unit: &str) {
    let wanted = target.text(bound_with(unit));
    // Writing to a String cannot fail.
    let _ = match figure {
        Some(Spread { median, min, max }) => {
            let reached = target.reached(median);
            writeln!(page, "| {what} | {median:.2}{unit} | {min:.2}–{max:.2} | {wanted} | {reached} |")
        }
        None => writeln!(page, "| {what} | not measured | – | {wanted} | – |"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: Option<Spread>, target: Target, unit: &str) -> String {
        let mut page = String::new();
        put_row(&mut page, "what", figure, target, unit);
        page
    }

    #[test]
    fn a_row_compares_the_median_with_the_target() {
        let figure = Some(Spread { median: 2.0, min: 1.0, max: 3.0 });
        for (target, cells) in [
            (Target::AtLeast(2.0), "≥ 2 MiB | yes"),
            (Target::AtLeast(2.5), "≥ 2.5 MiB | no"),
            (Target::AtMost(2.0), "≤ 2 MiB | yes"),
            (Target::AtMost(1.0 / 0.6), "≤ 1.67 MiB | no"),
            (Target::Below(2.0), "< 2 MiB | no"),
            (Target::Reported("(≤ 500)"), "(≤ 500) | –"),
            (Target::Reported(""), " | "),
        ] {
            assert_eq!(row(figure, target, " MiB"), format!("| what | 2.00 MiB | 1.00–3.00 | {cells} |\n"));
        }
        assert_eq!(row(None, Target::AtLeast(0.5), ""), "| what | not measured | – | ≥ 0.5 | – |\n");
    }
}
