//! Colours. What they say is also said by signs and letters, for terminals and eyes without them.

use ratatui::style::{Color, Modifier, Style};

/// Colours of consecutive fields.
const FIELDS: [Color; 6] = [Color::Cyan, Color::Green, Color::Yellow, Color::Magenta, Color::Blue, Color::Red];

/// Styles, in colour or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    has_colour: bool,
}

impl Palette {
    /// In colour, unless `NO_COLOR` is set to anything.
    pub(super) fn from_environment() -> Self {
        Self { has_colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
    }

    fn coloured(self, colour: Color) -> Style {
        if self.has_colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Frames to the server.
    pub(super) fn to_server(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Frames to the client.
    pub(super) fn to_client(self) -> Style {
        self.coloured(Color::Green)
    }

    /// Observations that are no frames.
    pub(super) fn note(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// Problems, which the user must know.
    pub(super) fn problem(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Headings and the title.
    pub(super) fn heading(self) -> Style {
        self.coloured(Color::Blue).add_modifier(Modifier::BOLD)
    }

    /// The field in this place.
    pub(super) fn field(self, place: usize) -> Style {
        self.coloured(FIELDS[place % FIELDS.len()])
    }
}

/// Returns the letter of the field in this place.
pub(super) fn letter(place: usize) -> char {
    let letters = ('a'..='z').chain('A'..='Z');
    letters.cycle().nth(place % 52).unwrap_or('*')
}
