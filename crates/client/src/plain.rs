//! Lines in, lines out: for pipes, for terminals that cannot redraw, and for screen readers (`--linear`).

use std::io::{self, Write};

use crate::commands::{Meaning, interpret};
use crate::diagnostics;
use crate::ending::Ending;
use crate::inbox::UserInput;
use crate::lines::Line;
use crate::lines_in::LinesIn;
use crate::room_log::RoomLog;
use crate::session::Session;
use crate::session::update::{Command, SlashCommands, Update};
use crate::telling::catching_up::CatchingUp;
use crate::telling::settings::Settings;
use crate::telling::wording::Reader;
use crate::telling::{Kind, Line as Told, attention};
use crate::undelivered::Undelivered;
use crate::view::View;

/// So many empty lines in a row leave, as in the tutorial's client.
const EMPTY_LINES_TO_LEAVE: u8 = 3;
const BELL: &[u8] = b"\x07";

/// Who is at the other end of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// A person types the input: empty lines count, and what is typed is taken at once.
    pub(crate) typed: bool,
    /// The client's own words go where the conversation goes.
    pub(crate) words_on_stdout: bool,
}

/// The mode.
pub(crate) struct Plain {
    manner: Manner,
    reader: Reader,
    settings: Settings,
    catching_up: CatchingUp,
    log: Option<RoomLog>,
    lines_in: LinesIn,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    empty_lines: u8,
    undelivered: Undelivered,
    finished: bool,
}

impl Plain {
    pub(crate) fn new(
        manner: Manner,
        reader: Reader,
        settings: Settings,
        log: Option<RoomLog>,
        lines_in: LinesIn,
        out: Box<dyn Write>,
        err: Box<dyn Write>,
    ) -> Self {
        Self {
            manner,
            reader,
            settings,
            catching_up: CatchingUp::default(),
            log,
            lines_in,
            out,
            err,
            empty_lines: 0,
            undelivered: Undelivered::default(),
            finished: false,
        }
    }

    /// The client's own words.
    pub(crate) fn tell(&mut self, lines: &[String]) -> io::Result<()> {
        if self.manner.words_on_stdout {
            return lines.iter().try_for_each(|line| writeln!(self.out, "{line}"));
        }
        diagnostics::tell(&mut self.out, &mut self.err, lines)
    }

    /// The rows of a line, the first with its time where times are shown.
    fn timed(&self, line: &Told) -> Vec<String> {
        let mut rows = line.plain();
        let clock = &self.reader.clock;
        let at = || line.at.unwrap_or_else(|| clock.now());
        let time = match line.kind {
            Kind::Now => self.settings.timestamps.then(|| clock.time(at())),
            // There are no marks between days.
            Kind::Earlier => line.at.map(|at| clock.minute(at)),
            Kind::Dated | Kind::Mark => None,
        };
        if let (Some(first), Some(time)) = (rows.first_mut(), time) {
            *first = format!("{time} {first}");
        }
        rows
    }

    /// What the server has said: marks are the client's own words.
    fn tell_heard(&mut self, told: &[Told]) -> io::Result<()> {
        for line in told {
            if let Some(words) = line.mark_words() {
                self.tell(&Told::notice(&words).plain())?;
                continue;
            }
            for row in self.timed(line) {
                writeln!(self.out, "{row}")?;
            }
        }
        Ok(())
    }

    fn rows(&self, told: &[Told]) -> Vec<String> {
        told.iter().flat_map(|line| self.timed(line)).collect()
    }

    /// Somebody sits there: not a pipe at either end.
    fn is_for_a_person(&self) -> bool {
        self.manner.typed && self.manner.words_on_stdout
    }

    fn tell_trouble(&mut self, trouble: Option<String>) -> io::Result<()> {
        trouble.map_or(Ok(()), |trouble| self.tell(&Told::warning(&trouble).plain()))
    }

    fn is_next_wanted(&self, session: &Session) -> bool {
        let Some(first) = self.lines_in.first() else { return false };
        let takes = if self.manner.typed { session.has_room() } else { session.takes_commands() };
        // Whether a slash is the server's business is known in a moment.
        let undecided = session.slash_commands() == SlashCommands::Undecided
            && matches!(first, Line::Text(text) if text.starts_with('/'));
        takes && !undecided || is_over(session)
    }

    fn use_line(&mut self, line: Line, session: &mut Session, now_ms: u64) -> io::Result<()> {
        if session.is_leaving() {
            if !line.is_blank() {
                self.undelivered.came_too_late();
            }
            return Ok(());
        }
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong { bytes } => {
                let limit = session.text_bytes_max();
                return self.not_sent(&format!("a line of {bytes} bytes; the limit is {limit}"));
            }
            Line::NotUtf8 => return self.not_sent("a line that is not UTF-8"),
        };
        if text.is_empty() {
            self.use_empty_line(session, now_ms);
            return Ok(());
        }
        self.empty_lines = 0;
        match interpret(&text, session.slash_commands()) {
            Ok(Meaning::Do(command)) => match session.command(command, now_ms) {
                Ok(()) => Ok(()),
                Err(declined) => self.not_sent(&declined.to_string()),
            },
            Ok(Meaning::Reply(text)) => {
                let done = self.reader.reply(text).map(|command| session.command(command, now_ms));
                match done {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(declined)) => self.not_sent(&declined.to_string()),
                    Err(wrong) => self.not_sent(&wrong),
                }
            }
            Ok(Meaning::Help(lines)) => self.tell(&Told::notice(&lines.join("\n")).plain()),
            Ok(Meaning::Keys) => {
                self.tell(&["* Enter sends; there are more keys in the terminal mode only".to_owned()])
            }
            Ok(Meaning::Clear) => Ok(()),
            Ok(setting) => {
                let told = self.settings.change(&setting);
                self.tell(&told.map(|told| Told::notice(&told).plain()).unwrap_or_default())
            }
            Err(wrong) => self.not_sent(&wrong),
        }
    }

    fn use_empty_line(&mut self, session: &mut Session, now_ms: u64) {
        self.empty_lines = self.empty_lines.saturating_add(1);
        if self.manner.typed && self.empty_lines == EMPTY_LINES_TO_LEAVE {
            // Declined only when leaving already.
            let _ = session.command(Command::Leave, now_ms);
        }
    }

    fn not_sent(&mut self, why: &str) -> io::Result<()> {
        self.undelivered.refused();
        self.tell(&[format!("* not sent: {why}")])
    }
}

/// What comes now comes too late, and is read to be counted.
fn is_over(session: &Session) -> bool {
    session.is_leaving() && !session.has_ended()
}

impl View for Plain {
    fn input(&mut self, input: UserInput, _session: &mut Session, _now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Lines(lines) => self.lines_in.add(lines),
            UserInput::End => self.lines_in.end(),
            UserInput::Failed(_) | UserInput::Terminal(_) | UserInput::EditorClosed => {}
        }
        Ok(())
    }

    fn show(&mut self, update: Update, _now_ms: u64) -> io::Result<()> {
        let Some(update) = self.settings.filter(update) else { return Ok(()) };
        let trouble = self.log.as_mut().and_then(|log| log.note(&update, &self.reader).err());
        self.tell_trouble(trouble)?;
        let told = self.reader.lines(&update);
        self.catching_up.follow(&update);
        let rings = self.is_for_a_person()
            && self.settings.rings(attention::of(&update, &self.reader.me, &told))
            && self.catching_up.may_ring(&update);
        self.reader.follow(&update);
        match update {
            Update::Heard(_) | Update::Past { .. } => {
                self.tell_heard(&told)?;
                if rings { self.out.write_all(BELL) } else { Ok(()) }
            }
            // The sender has seen it already.
            Update::Said { .. } => Ok(()),
            Update::Refused { refusal, text } => {
                if text.is_some() || refusal.reference.is_some() {
                    self.undelivered.refused_as(refusal.code);
                }
                self.tell(&self.rows(&told))
            }
            Update::Notice(_) | Update::Room(_) => self.tell(&self.rows(&told)),
        }
    }

    fn settle(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        while self.is_next_wanted(session)
            && let Some(line) = self.lines_in.take_first()
        {
            self.use_line(line, session, now_ms)?;
        }
        if self.lines_in.is_over() && !self.finished {
            self.finished = true;
            // Declined only when leaving already.
            let _ = session.command(Command::Finish, now_ms);
        }
        let trouble = self.log.as_mut().and_then(|log| log.flush().err());
        self.tell_trouble(trouble)?;
        if session.has_ended() {
            self.undelivered.stay_unacknowledged(session.unacknowledged());
        }
        let _ = self.err.flush();
        self.out.flush()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        // Who types sees what becomes of it.
        if self.manner.typed {
            return ending;
        }
        self.undelivered.ending(ending, &self.lines_in, "for the reasons that stand above")
    }
}
