//! Lines in, lines out: for pipes, for terminals that cannot redraw, and for screen readers (`--linear`).

use std::io;

use glassline_wire::envelope::Envelope;

use crate::commands::{Meaning, concealed, interpret, is_reply};
use crate::ending::Ending;
use crate::inbox::UserInput;
use crate::keyboard::event::{NOT_UTF8, TerminalEvent};
use crate::line_output::LineOutput;
use crate::lines::Line;
use crate::lines_in::LinesIn;
use crate::room_log::RoomLog;
use crate::session::Session;
use crate::session::update::{Command, SlashCommands, Update};
use crate::telling::catching_up::CatchingUp;
use crate::telling::correspondent::{Reply, Unsent};
use crate::telling::settings::Settings;
use crate::telling::wording::Reader;
use crate::telling::{Kind, Line as Told, Role, Span, attention};
use crate::terminal::exits::closes_for;
use crate::typing::line::Typed;
use crate::typing::terminal::TypingTerminal;
use crate::undelivered::Undelivered;
use crate::view::View;

/// So many empty lines in a row leave, as in the tutorial's client.
const EMPTY_LINES_TO_LEAVE: u8 = 3;

/// Party at the other end of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// A person types the input: empty lines count, and what is typed is taken at once.
    pub(crate) typed: bool,
    /// The client's own words go where the conversation goes.
    pub(crate) words_on_stdout: bool,
    /// This process is the server, too.
    pub(crate) hosts: bool,
}

/// The mode.
pub(crate) struct Plain {
    manner: Manner,
    reader: Reader,
    /// Target of the next `/reply`.
    reply: Reply,
    settings: Settings,
    catching_up: CatchingUp,
    log: Option<RoomLog>,
    lines_in: LinesIn,
    output: LineOutput,
    /// The terminal, where the client reads its keys and echoes them.
    terminal: Option<TypingTerminal>,
    /// The user has been told of bytes that are no text in this line.
    told_not_utf8: bool,
    /// Whoever hosts has been told for whom leaving closes the line.
    told_of_others: bool,
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
        output: LineOutput,
    ) -> Self {
        Self {
            manner,
            reader,
            reply: Reply::to(None),
            settings,
            catching_up: CatchingUp::default(),
            log,
            lines_in,
            output,
            terminal: None,
            told_not_utf8: false,
            told_of_others: false,
            empty_lines: 0,
            undelivered: Undelivered::default(),
            finished: false,
        }
    }

    /// Reads the keys of a terminal in place of lines.
    pub(crate) fn typed_at(self, terminal: TypingTerminal) -> Self {
        Self { terminal: Some(terminal), ..self }
    }

    /// The client's own words.
    pub(crate) fn tell(&mut self, words: &str) -> io::Result<()> {
        self.output.words(&Told::notice(words))
    }

    /// A line with its time where times are shown.
    fn timed(&self, line: &Told) -> Told {
        let clock = &self.reader.clock;
        let at = || line.at.unwrap_or_else(|| clock.now());
        let time = match line.kind {
            Kind::Now => self.settings.timestamps.then(|| clock.time(at())),
            // There are no marks between days.
            Kind::Earlier => line.at.map(|at| clock.minute(at)),
            Kind::Dated | Kind::Mark => None,
        };
        let Some(time) = time else { return line.clone() };
        let before = Span::new(Role::Faint, format!("{time} {}", line.place()));
        let head = std::iter::once(before).chain(line.head.iter().cloned());
        Told { room: None, head: head.collect(), ..line.clone() }
    }

    /// Writes the server's lines: marks are the client's own words.
    fn tell_heard(&mut self, told: &[Told]) -> io::Result<()> {
        for line in told {
            match line.mark_words() {
                Some(words) => self.tell(&words)?,
                None => self.output.line(&self.timed(line))?,
            }
        }
        Ok(())
    }

    /// Writes lines of the client's own.
    fn tell_timed(&mut self, told: &[Told]) -> io::Result<()> {
        told.iter().try_for_each(|line| self.output.words(&self.timed(line)))
    }

    /// Somebody sits there: not a pipe at either end.
    fn is_for_a_person(&self) -> bool {
        self.manner.typed && self.manner.words_on_stdout
    }

    fn tell_trouble(&mut self, trouble: Option<String>) -> io::Result<()> {
        trouble.map_or(Ok(()), |trouble| self.output.words(&Told::warning(&trouble)))
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
        if self.manner.typed && !is_reply(&text) {
            self.bind_reply();
        }
        let meaning = interpret(&text, session.slash_commands());
        let leaves = meaning == Ok(Meaning::Do(Command::Leave));
        if leaves && self.is_to_tell_of_others(session) {
            return self.tell(&closes_for(session.others(), "/quit again"));
        }
        self.told_of_others = false;
        match meaning {
            Ok(Meaning::Do(command)) => match session.command(command, now_ms) {
                Ok(()) => Ok(()),
                Err(declined) => self.not_sent(&declined.to_string()),
            },
            Ok(Meaning::Reply(text)) => self.send_reply(text, session, now_ms),
            Ok(Meaning::Help(blocks)) => blocks.iter().try_for_each(|block| self.tell(block)),
            Ok(Meaning::Keys) => self.tell("Enter sends; there are more keys in the terminal mode only"),
            Ok(Meaning::Clear) => Ok(()),
            Ok(Meaning::More(number)) => {
                let shown = self.output.rest(number)?;
                shown.or_else(|wrong| self.tell(&wrong))
            }
            Ok(setting) => {
                let told = self.settings.change(&setting);
                told.map_or(Ok(()), |told| self.tell(&told))
            }
            Err(wrong) => self.not_sent(&wrong),
        }
    }

    /// A reply goes to whoever wrote last by now.
    fn bind_reply(&mut self) {
        self.reply = Reply::to(self.reader.correspondent.as_ref());
    }

    fn send_reply(&mut self, text: String, session: &mut Session, now_ms: u64) -> io::Result<()> {
        // Whoever types has begun after the line before; a program has read what it answers.
        let latest = self.reader.correspondent.as_ref().filter(|_| self.manner.typed);
        match self.reply.decide(latest) {
            Ok(target) => {
                let done = session.command(target.command(text), now_ms);
                if self.manner.typed {
                    self.bind_reply();
                }
                done.or_else(|declined| self.not_sent(&declined.to_string()))
            }
            Err(Unsent::Nobody(words)) => self.not_sent(&words),
            Err(Unsent::Ask(why)) if self.manner.typed => self.not_sent(&format!(
                "{why}; the same line again sends it all the same, /msg NAME TEXT to somebody else"
            )),
            Err(Unsent::Ask(why)) => {
                // No second line of a program is a confirmation.
                self.bind_reply();
                self.not_sent(&format!("{why}; /msg NAME TEXT writes to whoever has the name"))
            }
        }
    }

    fn use_empty_line(&mut self, session: &mut Session, now_ms: u64) {
        self.empty_lines = self.empty_lines.saturating_add(1);
        if self.manner.typed && self.empty_lines == EMPTY_LINES_TO_LEAVE {
            // Declined only when leaving already.
            let _ = session.command(Command::Leave, now_ms);
        }
    }

    /// Returns true the first time that somebody who hosts others wants to leave.
    fn is_to_tell_of_others(&mut self, session: &Session) -> bool {
        let hosts_others = self.manner.typed && self.manner.hosts && session.others() > 0;
        hosts_others && !std::mem::replace(&mut self.told_of_others, true)
    }

    /// Tells what was typed and not finished.
    fn end_typing(&mut self) -> io::Result<()> {
        let typed = self.output.end_typing()?;
        if !typed.trim().is_empty() {
            self.tell(&format!("not sent: {}", concealed(&typed, 0).0))?;
        }
        self.output.flush()
    }

    /// Something happened at the terminal.
    fn typed(&mut self, event: TerminalEvent, session: &Session, now_ms: u64) -> io::Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        if event == TerminalEvent::Resumed {
            terminal.take_again()?;
            return self.output.show_typed_again();
        }
        match self.output.press(event, now_ms)? {
            Typed::Line(line) => {
                self.told_not_utf8 = false;
                self.lines_in.add(vec![line]);
            }
            Typed::End if self.is_to_tell_of_others(session) => {
                self.tell(&closes_for(session.others(), "Ctrl-D again"))?;
            }
            Typed::End => self.lines_in.end(),
            Typed::Suspend => {
                self.output.flush()?;
                return self.terminal.as_ref().map_or(Ok(()), TypingTerminal::suspend);
            }
            Typed::NotUtf8 if self.told_not_utf8 => {}
            Typed::NotUtf8 => {
                self.told_not_utf8 = true;
                self.tell(NOT_UTF8)?;
            }
            Typed::Nothing => {}
        }
        Ok(())
    }

    fn not_sent(&mut self, why: &str) -> io::Result<()> {
        self.undelivered.refused();
        self.tell(&format!("not sent: {why}"))
    }
}

/// Returns whether input comes too late, and is read only to be counted.
fn is_over(session: &Session) -> bool {
    session.is_leaving() && !session.has_ended()
}

impl View for Plain {
    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Lines(lines) => {
                if !self.manner.typed {
                    // What is told from now on came too late to be answered by these.
                    self.bind_reply();
                }
                self.lines_in.add(lines);
            }
            UserInput::End => self.lines_in.end(),
            UserInput::Terminal(event) => return self.typed(event, session, now_ms),
            UserInput::Failed(_) | UserInput::EditorClosed => {}
        }
        Ok(())
    }

    fn show(&mut self, update: Envelope<Update>, _now_ms: u64) -> io::Result<()> {
        let (update, is_answer) = (update.content, update.reference.is_some());
        self.reader.follow_people(&update);
        self.reply.follow(&update);
        let Some(update) = self.settings.filter(update) else { return Ok(()) };
        let trouble = self.log.as_mut().and_then(|log| log.note(&update, &self.reader).err());
        self.tell_trouble(trouble)?;
        let told = self.reader.lines(&update);
        self.catching_up.follow(&update);
        let rings = self.is_for_a_person()
            && self.settings.rings(attention::of(&update, &self.reader.me, &told))
            && self.catching_up.may_ring(&update);
        self.reader.follow(&update);
        if self.manner.typed && self.reply.address().is_none() {
            self.bind_reply();
        }
        match update {
            Update::Heard(_) | Update::Past { .. } => {
                self.tell_heard(&told)?;
                if rings { self.output.ring() } else { Ok(()) }
            }
            // The sender has seen it already.
            Update::Said { .. } => Ok(()),
            Update::Refused { rejection, text } => {
                if text.is_some() || is_answer {
                    self.undelivered.refused_as(rejection.code);
                }
                self.tell_timed(&told)
            }
            Update::Notice(_) | Update::Room(_) => self.tell_timed(&told),
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
        if let Some(terminal) = self.terminal.as_ref().filter(|_| self.lines_in.first().is_none()) {
            terminal.read_more();
        }
        self.output.release_due(now_ms)?;
        self.output.flush()
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.output.release_due_ms()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        // Who types sees it; a screen that is gone shows nothing.
        let _ = self.end_typing();
        // Who types sees what becomes of it.
        if self.manner.typed {
            return ending;
        }
        self.undelivered.ending(ending, &self.lines_in, "for the reasons that stand above")
    }
}
