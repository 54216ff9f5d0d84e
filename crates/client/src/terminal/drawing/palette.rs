//! Colours and attributes of the parts of a line.

use crossterm::style::{Attribute, Color, ContentStyle, Stylize};

use crate::format::TextRole;
use crate::format::name_colour::{NAME_COLOURS, NameColour};

/// Colours of the 256 that can be read on black and on white, for names: no pure blue, no yellow,
/// no white.
const NAMES: [u8; NAME_COLOURS] = [28, 30, 32, 64, 67, 99, 127, 130, 133, 161, 166, 169];
/// The same where a terminal has only the basic ones.
const BASIC_NAMES: [Color; 4] = [Color::DarkRed, Color::DarkGreen, Color::DarkMagenta, Color::DarkCyan];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// None at all: `NO_COLOR`, or the user's setting. Emphasis is bold.
    Monochrome,
    /// The eight that every terminal has.
    Basic,
    Full,
}

impl Palette {
    /// The palette of a terminal that calls itself so.
    pub(crate) fn of_terminal(term: &str, has_true_colour: bool) -> Self {
        if has_true_colour || term.contains("256color") { Self::Full } else { Self::Basic }
    }

    /// Number of colours for names.
    pub(crate) fn name_colours(self) -> usize {
        match self {
            Self::Monochrome | Self::Full => NAME_COLOURS,
            Self::Basic => BASIC_NAMES.len(),
        }
    }

    pub(crate) fn style(self, role: TextRole) -> ContentStyle {
        let plain = ContentStyle::new();
        match role {
            TextRole::Plain => plain,
            TextRole::Faint => plain.attribute(Attribute::Dim),
            TextRole::Name(colour) => self.name(colour).map_or(plain, |colour| plain.with(colour)),
            TextRole::Calling => plain.attribute(Attribute::Bold).attribute(Attribute::Reverse),
            TextRole::Mention => plain.attribute(Attribute::Bold),
            TextRole::Found => plain.attribute(Attribute::Bold).attribute(Attribute::Underlined),
            TextRole::Warning => match self {
                Self::Monochrome => plain.attribute(Attribute::Bold),
                Self::Basic | Self::Full => plain.with(Color::DarkRed),
            },
            // Both colours, whatever those of the terminal are. Themes change only the first sixteen.
            TextRole::Code => match self {
                Self::Monochrome => plain,
                Self::Basic => plain.with(Color::Black).on(Color::White),
                Self::Full => plain.with(Color::AnsiValue(16)).on(Color::AnsiValue(231)),
            },
        }
    }

    fn name(self, NameColour(colour): NameColour) -> Option<Color> {
        let colour = usize::from(colour);
        match self {
            Self::Monochrome => None,
            Self::Basic => BASIC_NAMES.get(colour % BASIC_NAMES.len()).copied(),
            Self::Full => NAMES.get(colour).map(|&index| Color::AnsiValue(index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Relative luminance of one of the 256 colours, as WCAG 2 defines it.
    fn luminance(index: u8) -> f64 {
        let (red, green, blue) = if index >= 232 {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        } else {
            let cube = index - 16;
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        };
        let linear = |level: u8| {
            let part = f64::from(level) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    #[test]
    fn names_can_be_read_on_black_and_on_white() {
        for index in NAMES {
            let luminance = luminance(index);
            let (on_white, on_black) = (1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05);
            assert!(on_white >= 3.0 && on_black >= 3.0, "{index}: {on_white:.2} on white, {on_black:.2} on black");
        }
        assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), NAME_COLOURS);
    }

    #[test]
    fn without_colour_nothing_has_one_and_calls_still_stand_out() {
        for role in [
            TextRole::Plain,
            TextRole::Faint,
            TextRole::Name(NameColour(3)),
            TextRole::Calling,
            TextRole::Mention,
            TextRole::Warning,
            TextRole::Code,
        ] {
            let style = Palette::Monochrome.style(role);
            assert!(style.foreground_color.is_none() && style.background_color.is_none());
        }
        assert_ne!(Palette::Monochrome.style(TextRole::Calling), Palette::Monochrome.style(TextRole::Plain));
        assert_eq!(Palette::of_terminal("xterm", false), Palette::Basic);
        assert_eq!(Palette::of_terminal("tmux-256color", false), Palette::Full);
        assert_eq!(Palette::of_terminal("xterm", true), Palette::Full);
    }
}
