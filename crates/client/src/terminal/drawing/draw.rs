//! Encoding of draw ops as terminal sequences, in one write.

use std::io::{self, Write};

use crossterm::cursor::{MoveTo, MoveToColumn, MoveUp};
use crossterm::queue;
use crossterm::style::{Attribute, ContentStyle, Print, SetAttribute, SetStyle};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
};

use super::palette::Palette;
use super::screen::DrawOp;
use crate::format::Span;

/// Draws in the colours of a palette.
pub(crate) fn draw(out: &mut dyn Write, ops: &[DrawOp], palette: Palette) -> io::Result<()> {
    let mut bytes = Vec::new();
    queue!(bytes, BeginSynchronizedUpdate)?;
    for op in ops {
        match op {
            DrawOp::Up(rows) => queue!(bytes, MoveUp(*rows))?,
            DrawOp::LineStart => queue!(bytes, MoveToColumn(0))?,
            // Not from the first column: at the top of the screen tmux would take it for the end of
            // a page, and keep a copy.
            DrawOp::ClearBelow => queue!(
                bytes,
                Clear(ClearType::UntilNewLine),
                MoveToColumn(1),
                Clear(ClearType::FromCursorDown),
                MoveToColumn(0)
            )?,
            DrawOp::ClearAll => queue!(bytes, Clear(ClearType::All), MoveTo(0, 0))?,
            DrawOp::NextLine => queue!(bytes, Print("\r\n"))?,
            DrawOp::Text(text) => queue!(bytes, Print(text))?,
            DrawOp::Row(row) => draw_row(&mut bytes, row, palette)?,
            DrawOp::Wrap(true) => queue!(bytes, EnableLineWrap)?,
            DrawOp::Wrap(false) => queue!(bytes, DisableLineWrap)?,
            DrawOp::Bell => queue!(bytes, Print("\x07"))?,
        }
    }
    queue!(bytes, EndSynchronizedUpdate)?;
    out.write_all(&bytes)?;
    out.flush()
}

/// Spans of one look share its escape sequences: they are most of the bytes of a short message.
fn draw_row(bytes: &mut Vec<u8>, row: &[Span], palette: Palette) -> io::Result<()> {
    let plain = ContentStyle::default();
    let mut now = plain;
    for span in row {
        let style = palette.style(span.role);
        if style != now {
            if now != plain {
                queue!(bytes, SetAttribute(Attribute::Reset))?;
            }
            if style != plain {
                queue!(bytes, SetStyle(style))?;
            }
            now = style;
        }
        queue!(bytes, Print(&span.text))?;
    }
    if now == plain { Ok(()) } else { queue!(bytes, SetAttribute(Attribute::Reset)) }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{self, Contents};
    use super::super::screen::Screen;
    use super::*;
    use crate::format::{StyledLine, TextRole};
    use std::num::NonZeroU16;

    fn said(from: &str, text: &str) -> StyledLine {
        let from = Span::new(TextRole::Name(crate::format::name_colour::of(from)), format!("{from} > "));
        StyledLine { head: vec![from], body: vec![Span::new(TextRole::Plain, text)], ..StyledLine::default() }
    }

    struct Drawn {
        emulator: vt100::Parser,
        screen: Screen,
        columns: u16,
        rows: u16,
    }

    impl Drawn {
        fn new(rows: u16, columns: u16) -> Self {
            let size = |cells| NonZeroU16::new(cells).expect("not zero");
            let emulator = vt100::Parser::new(size(rows), size(columns), 100);
            Self { emulator, screen: Screen::default(), columns, rows }
        }

        /// Draws an input whose cursor is at the bar, and gives the screen as it then looks.
        fn draw(&mut self, input: &str) -> String {
            let (before, after) = input.split_once('|').expect("a bar for the cursor");
            let text = format!("{before}{after}");
            let status = vec![Span::new(TextRole::Faint, "alice in lobby")];
            let contents = Contents { above: Vec::new(), text: &text, cursor: before.len(), status };
            let block = layout::block(contents, self.columns.into(), self.rows.into());
            let mut bytes = Vec::new();
            draw(&mut bytes, &self.screen.draw(&block, self.columns.into()), Palette::Full).expect("memory takes it");
            self.emulator.process(&bytes);
            self.picture()
        }

        fn picture(&self) -> String {
            let screen = self.emulator.screen();
            let (cursor_row, cursor_column) = screen.cursor_position();
            let rows = screen.rows(0, self.columns).enumerate();
            let rows: Vec<String> = rows
                .map(|(row, text)| {
                    if row != usize::from(cursor_row) {
                        return text;
                    }
                    let left = screen.contents_between(cursor_row, 0, cursor_row, cursor_column);
                    let right = screen.contents_between(cursor_row, cursor_column, cursor_row, self.columns);
                    format!("{left}|{right}")
                })
                .collect();
            rows.join("\n").trim_end().to_owned()
        }
    }

    #[test]
    fn messages_stand_above_and_the_input_is_untouched() {
        let mut drawn = Drawn::new(6, 20);
        assert_eq!(drawn.draw("typ|ing"), "> typ|ing\nalice in lobby");
        drawn.screen.print(said("bob", "hi"));
        assert_eq!(drawn.draw("typ|ing"), "bob > hi\n> typ|ing\nalice in lobby");
        for number in 1..=4 {
            drawn.screen.print(said("bob", &number.to_string()));
        }
        assert_eq!(drawn.draw("typi|ng"), "bob > 1\nbob > 2\nbob > 3\nbob > 4\n> typi|ng\nalice in lobby");
    }

    #[test]
    fn long_messages_are_wrapped_and_all_kept() {
        let mut drawn = Drawn::new(6, 20);
        drawn.screen.print(said("bob", "12345678901234"));
        drawn.screen.print(said("bob", "漢字漢字漢字漢字漢"));
        drawn.draw("x|");
        let picture = drawn.draw("xy|");
        assert_eq!(picture, "bob > 12345678901234\nbob > 漢字漢字漢字漢\n      字漢\n> xy|\nalice in lobby");
    }

    #[test]
    fn an_input_of_several_rows_shrinks_and_grows_without_ghosts() {
        let mut drawn = Drawn::new(6, 20);
        drawn.screen.print(said("bob", "hi"));
        let tall = drawn.draw("one\ntwo\n漢字|");
        assert_eq!(tall, "bob > hi\n> one\n  two\n  漢字|\nalice in lobby");
        assert_eq!(drawn.draw("o|ne\ntwo"), "bob > hi\n> o|ne\n  two\nalice in lobby");
        drawn.screen.print(said("bob", "again"));
        assert_eq!(drawn.draw("|"), "bob > hi\nbob > again\n> |\nalice in lobby");
        let mut bytes = Vec::new();
        draw(&mut bytes, &drawn.screen.leave(20), Palette::Full).expect("memory takes it");
        drawn.emulator.process(&bytes);
        assert_eq!(drawn.picture(), "bob > hi\nbob > again\n|");
    }

    #[test]
    fn a_code_has_its_own_colours_and_is_not_wrapped() {
        let mut drawn = Drawn::new(6, 20);
        let row = "  ▀▄█  ▀".to_owned();
        drawn.screen.print_rows(vec![vec![Span::new(TextRole::Code, row.clone())]; 2]);
        assert_eq!(drawn.draw("|"), format!("{row}\n{row}\n> |\nalice in lobby"));
        let screen = drawn.emulator.screen();
        for column in 0..8 {
            let cell = screen.cell(1, column).expect("a cell");
            assert_eq!((cell.fgcolor(), cell.bgcolor()), (vt100::Color::Idx(16), vt100::Color::Idx(231)), "{column}");
        }
        assert_eq!(screen.cell(1, 8).expect("a cell").bgcolor(), vt100::Color::Default);
    }

    #[test]
    fn clearing_leaves_the_block_at_the_top() {
        let mut drawn = Drawn::new(6, 20);
        drawn.screen.print(said("bob", "hi"));
        drawn.draw("a\nb|");
        drawn.screen.clear();
        assert_eq!(drawn.draw("a\nb|"), "> a\n  b|\nalice in lobby");
    }

    /// Rows that a terminal wraps by itself where every character that is not ASCII has this many
    /// columns.
    fn wrapped_by_a_terminal(drawn: &str, screen_columns: usize, char_columns: usize) -> Vec<String> {
        let (mut wraps, mut column, mut wrapped): (bool, usize, Vec<String>) = (true, 0, Vec::new());
        let mut is_wrapped_row = false;
        let mut chars = drawn.chars();
        while let Some(c) = chars.next() {
            match c {
                '\u{1b}' => {
                    let sequence: String = chars.by_ref().skip(1).take_while(|c| !c.is_ascii_alphabetic()).collect();
                    let (start, end) = (drawn.len() - chars.as_str().len() - 1, drawn.len() - chars.as_str().len());
                    match (sequence.as_str(), &drawn[start..end]) {
                        ("?7", on) => wraps = on == "h",
                        (_, "G" | "H") => (column, is_wrapped_row) = (0, false),
                        _ => {}
                    }
                }
                '\r' => (column, is_wrapped_row) = (0, false),
                '\n' => {}
                c => {
                    let columns = if c.is_ascii() { 1 } else { char_columns };
                    if column + columns > screen_columns {
                        if !wraps {
                            continue;
                        }
                        (column, is_wrapped_row) = (0, true);
                        wrapped.push(String::new());
                    }
                    column += columns;
                    if is_wrapped_row {
                        wrapped.last_mut().expect("a row").push(c);
                    }
                }
            }
        }
        assert!(wraps, "it is left as it was");
        wrapped
    }

    #[test]
    fn a_terminal_wraps_links_and_nothing_else() {
        for filler in ["\u{3164}", "\u{ad}", "\u{9be}", "\u{3248}", "\u{605}", "①", "é", "\u{2800}", "漢"] {
            for char_columns in 0..4 {
                let mut screen = Screen::default();
                let name = format!("eve{}", filler.repeat(20));
                for columns in 5..40 {
                    screen.print(said("eve", &format!("hello{}12:00 alice > mine", filler.repeat(columns))));
                    screen.print(said(&name, "* alice left"));
                    screen.print(StyledLine::notice(&format!("hello{}alice > mine", filler.repeat(columns))));
                }
                let input = filler.repeat(30);
                let status = vec![Span::new(TextRole::Faint, input.clone())];
                let block = layout::block(Contents { text: &input, status, ..Contents::default() }, 30, 6);
                let mut bytes = Vec::new();
                draw(&mut bytes, &screen.draw(&block, 30), Palette::Full).expect("memory takes it");
                draw(&mut bytes, &screen.leave(30), Palette::Full).expect("memory takes it");
                let drawn = String::from_utf8(bytes).expect("UTF-8");
                assert_eq!(wrapped_by_a_terminal(&drawn, 30, char_columns), [""; 0], "{filler:?} in {char_columns}");
            }
        }
        let mut screen = Screen::default();
        screen.print(said("bob", "é https://example.org/a/long/é/path/of/it alice > mine"));
        let mut bytes = Vec::new();
        draw(&mut bytes, &screen.leave(30), Palette::Full).expect("memory takes it");
        let drawn = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(wrapped_by_a_terminal(&drawn, 30, 1), ["ng/é/path/of/it"]);
    }

    #[test]
    fn nothing_has_a_colour_without_colour() {
        let status = vec![Span::new(TextRole::Faint, "status")];
        let block = layout::block(Contents { status, ..Contents::default() }, 20, 6);
        for (palette, colours) in [(Palette::Full, 1), (Palette::Monochrome, 0)] {
            let mut screen = Screen::default();
            screen.print(said("bob", "hi"));
            let mut bytes = Vec::new();
            draw(&mut bytes, &screen.draw(&block, 20), palette).expect("memory takes it");
            let text = String::from_utf8(bytes).expect("UTF-8");
            assert_eq!(text.matches("\u{1b}[38;").count(), colours, "{text:?}");
            assert_eq!(text.matches("\u{1b}[2m").count(), 1, "what is faint is faint without colour: {text:?}");
            assert!(!text.contains("\u{1b}[6n"), "never asks where the cursor is");
        }
    }
}
