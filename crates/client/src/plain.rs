//! Lines in, lines out: for pipes, for terminals that cannot redraw, and for screen readers
//! (`--linear`).

mod sealing;

use std::io;

use glassline_session::{Command, Ending, Session, SlashExecutor, Update};
use glassline_wire::envelope::Envelope;

use crate::commands::{ParsedLine, concealed, is_reply, parse_line};
use crate::display_settings::DisplaySettings;
use crate::format::catch_up::CatchUp;
use crate::format::messages::Formatter;
use crate::format::reply::{ReplyDraft, ReplyError};
use crate::format::{LineKind, Span, StyledLine, TextRole, attention};
use crate::inbox::UserInput;
use crate::keyboard::event::{NOT_UTF8, TerminalEvent};
use crate::line_input::LineInput;
use crate::line_output::LineOutput;
use crate::line_splitter::InputLine;
use crate::link::OpenedLink;
use crate::room_log::RoomLog;
use crate::sealed::{KeyWait, RoomKeys, SealDialogue};
use crate::terminal::editing::passphrase::PassphrasePrompt;
use crate::terminal::exit::closes_for;
use crate::typing::line::KeyOutcome;
use crate::typing::terminal::EchoTerminal;
use crate::undelivered::Undelivered;
use crate::view::View;
use crate::web_page::{PageAnswer, WebPage};

/// Number of empty lines in a row that leave, as in the tutorial's client.
const EMPTY_LINES_TO_LEAVE: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainMode {
    /// A person types the input: empty lines count, and each line is used at once.
    pub(crate) typed: bool,
    /// Notices of the client go to the same stream as the conversation.
    pub(crate) notices_on_stdout: bool,
    /// This process is the server, too.
    pub(crate) hosts: bool,
}

pub(crate) struct Plain {
    mode: PlainMode,
    formatter: Formatter,
    /// Target of the next `/reply`.
    reply: ReplyDraft,
    settings: DisplaySettings,
    catch_up: CatchUp,
    log: Option<RoomLog>,
    key_wait: KeyWait,
    dialogue: SealDialogue,
    /// A passphrase is asked for: the keys of the terminal are its answer.
    asking: Option<PassphrasePrompt>,
    line_input: LineInput,
    output: LineOutput,
    web_page: WebPage,
    /// The terminal, where the client reads its keys and echoes them.
    terminal: Option<EchoTerminal>,
    /// The user was warned of bytes that are not UTF-8 in this line.
    warned_not_utf8: bool,
    /// The host was warned that leaving ends the chat of others.
    warned_of_others: bool,
    empty_lines: u8,
    undelivered: Undelivered,
    finished: bool,
}

impl Plain {
    pub(crate) fn new(
        mode: PlainMode,
        formatter: Formatter,
        settings: DisplaySettings,
        line_input: LineInput,
        output: LineOutput,
        keys: RoomKeys,
        web_page: WebPage,
    ) -> Self {
        Self {
            mode,
            formatter,
            reply: ReplyDraft::to(None),
            settings,
            catch_up: CatchUp::default(),
            log: None,
            key_wait: KeyWait::new(keys.clone()),
            dialogue: SealDialogue::new(keys),
            asking: None,
            line_input,
            output,
            web_page,
            terminal: None,
            warned_not_utf8: false,
            warned_of_others: false,
            empty_lines: 0,
            undelivered: Undelivered::default(),
            finished: false,
        }
    }

    fn awaits_key(&mut self, session: &Session, now_ms: u64) -> bool {
        self.key_wait.must_wait(|| self.line_input.first().and_then(|_| session.status(now_ms).room), now_ms)
    }

    /// Writes messages to this log too.
    pub(crate) fn logging_to(self, log: Option<RoomLog>) -> Self {
        Self { log, ..self }
    }

    /// Reads the keys of a terminal in place of lines.
    pub(crate) fn typed_at(self, terminal: EchoTerminal) -> Self {
        Self { terminal: Some(terminal), ..self }
    }

    pub(crate) fn print_notice(&mut self, words: &str) -> io::Result<()> {
        self.output.notice(&StyledLine::notice(words))
    }

    /// Returns a line with its time where times are shown.
    fn timed(&self, line: &StyledLine) -> StyledLine {
        let clock = self.formatter.clock();
        let at = || line.at.unwrap_or_else(|| clock.now());
        let time = match line.kind {
            LineKind::Now => self.settings.timestamps.then(|| clock.time(at())),
            // There are no marks between days, so the date is needed.
            LineKind::Earlier => line.at.map(|at| clock.minute(at)),
            LineKind::Dated | LineKind::Mark => None,
        };
        let Some(time) = time else { return line.clone() };
        let before = Span::new(TextRole::Faint, format!("{time} {}", line.place()));
        let head = std::iter::once(before).chain(line.head.iter().cloned());
        StyledLine { room: None, head: head.collect(), ..line.clone() }
    }

    /// Writes lines of the conversation; marks are notices.
    fn print_conversation(&mut self, lines: &[StyledLine]) -> io::Result<()> {
        for line in lines {
            match line.mark_text() {
                Some(words) => self.print_notice(&words)?,
                None => self.output.line(&self.timed(line))?,
            }
        }
        Ok(())
    }

    fn print_timed_notices(&mut self, lines: &[StyledLine]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.output.notice(&self.timed(line)))
    }

    fn print_warning(&mut self, warning: Option<String>) -> io::Result<()> {
        warning.map_or(Ok(()), |warning| self.output.notice(&StyledLine::warning(&warning)))
    }

    fn is_next_wanted(&self, session: &Session) -> bool {
        let Some(first) = self.line_input.first() else { return false };
        let takes = if self.mode.typed { session.has_capacity() } else { session.takes_commands() };
        // Whether the server has commands is known in a moment.
        let undecided = session.slash_executor() == SlashExecutor::Undecided
            && matches!(first, InputLine::Text(text) if text.starts_with('/'));
        takes && !undecided || is_over(session)
    }

    fn use_line(&mut self, line: InputLine, session: &mut Session, now_ms: u64) -> io::Result<()> {
        if session.is_leaving() {
            if !line.is_blank() {
                self.undelivered.came_too_late();
            }
            return Ok(());
        }
        let text = match line {
            InputLine::Text(text) => text,
            InputLine::TooLong { bytes } => {
                let limit = session.text_bytes_max();
                return self.not_sent(&format!("a line of {bytes} bytes; the limit is {limit}"));
            }
            InputLine::NotUtf8 => return self.not_sent("a line that is not UTF-8"),
        };
        if text.is_empty() {
            self.use_empty_line(session, now_ms);
            return Ok(());
        }
        self.empty_lines = 0;
        if self.mode.typed && !is_reply(&text) {
            self.bind_reply();
        }
        let meaning = parse_line(&text, session.slash_executor());
        let leaves = meaning == Ok(ParsedLine::Session(Command::Leave));
        if leaves && self.is_warning_due(session) {
            return self.print_notice(&closes_for(session.others(), "/quit again"));
        }
        self.warned_of_others = false;
        if meaning != Ok(ParsedLine::Unseal) {
            self.dialogue.cancel_unseal();
        }
        match meaning {
            Ok(ParsedLine::Session(command)) => match session.command(command, now_ms) {
                Ok(()) => Ok(()),
                Err(error) => self.not_sent(&error.to_string()),
            },
            Ok(ParsedLine::Reply(text)) => self.send_reply(text, session, now_ms),
            Ok(ParsedLine::Help(blocks)) => blocks.iter().try_for_each(|block| self.print_notice(block)),
            Ok(ParsedLine::Keys) => self.print_notice("Enter sends; there are more keys in the terminal mode only"),
            Ok(ParsedLine::Seal) => self.ask_passphrase(session, now_ms),
            Ok(ParsedLine::Unseal) => self.unseal(session, now_ms),
            Ok(ParsedLine::Clear) => Ok(()),
            Ok(ParsedLine::Qr(number)) => self.show_page_address(number),
            Ok(ParsedLine::More(number)) => {
                let shown = self.output.rest(number)?;
                shown.or_else(|wrong| self.print_notice(&wrong))
            }
            Ok(setting) => {
                let notice = self.settings.change(&setting);
                notice.map_or(Ok(()), |notice| self.print_notice(&notice))
            }
            Err(wrong) => self.not_sent(&wrong),
        }
    }

    /// Shows the address of the server's web page, with its code where notices go to a terminal.
    fn show_page_address(&mut self, number: Option<usize>) -> io::Result<()> {
        let PageAnswer { words, code, url } = self.web_page.answer(number, self.output.canvas());
        words.iter().try_for_each(|words| self.print_notice(words))?;
        self.output.code(&code)?;
        url.iter().try_for_each(|url| self.print_notice(url))
    }

    fn bind_reply(&mut self) {
        self.reply = ReplyDraft::to(self.formatter.reply_peer());
    }

    fn send_reply(&mut self, text: String, session: &mut Session, now_ms: u64) -> io::Result<()> {
        // A person began to type after the line before; a program has read the message that it
        // answers.
        let latest = self.formatter.reply_peer().filter(|_| self.mode.typed);
        match self.reply.decide(latest) {
            Ok(target) => {
                let done = session.command(target.command(text), now_ms);
                if self.mode.typed {
                    self.bind_reply();
                }
                done.or_else(|error| self.not_sent(&error.to_string()))
            }
            Err(ReplyError::NoRecipient(words)) => self.not_sent(&words),
            Err(ReplyError::Confirm(why)) if self.mode.typed => self.not_sent(&format!(
                "{why}; the same line again sends it all the same, /msg NAME TEXT to somebody else"
            )),
            Err(ReplyError::Confirm(why)) => {
                // A program that repeats a line does not confirm it.
                self.bind_reply();
                self.not_sent(&format!("{why}; /msg NAME TEXT writes to whoever has the name"))
            }
        }
    }

    fn use_empty_line(&mut self, session: &mut Session, now_ms: u64) {
        self.empty_lines = self.empty_lines.saturating_add(1);
        if self.mode.typed && self.empty_lines == EMPTY_LINES_TO_LEAVE {
            // Rejected only when leaving already.
            let _ = session.command(Command::Leave, now_ms);
        }
    }

    /// Returns true the first time that a host with guests wants to leave.
    fn is_warning_due(&mut self, session: &Session) -> bool {
        let hosts_others = self.mode.typed && self.mode.hosts && session.others() > 0;
        hosts_others && !std::mem::replace(&mut self.warned_of_others, true)
    }

    fn end_typing(&mut self) -> io::Result<()> {
        let typed = self.output.end_typing()?;
        if !typed.trim().is_empty() {
            self.print_notice(&format!("not sent: {}", concealed(&typed, 0).0))?;
        }
        self.output.flush()
    }

    fn typed(&mut self, event: TerminalEvent, session: &Session, now_ms: u64) -> io::Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        if event == TerminalEvent::Resumed {
            terminal.take_again()?;
            return self.output.show_typed_again();
        }
        if let Some(prompt) = self.asking.take() {
            return self.answer(prompt, event);
        }
        match self.output.press(event, now_ms)? {
            KeyOutcome::Line(line) => {
                self.warned_not_utf8 = false;
                self.line_input.add(vec![line]);
            }
            KeyOutcome::End if self.is_warning_due(session) => {
                self.print_notice(&closes_for(session.others(), "Ctrl-D again"))?;
            }
            KeyOutcome::End => self.line_input.end(),
            KeyOutcome::Suspend => return self.suspend(),
            KeyOutcome::NotUtf8 if self.warned_not_utf8 => {}
            KeyOutcome::NotUtf8 => {
                self.warned_not_utf8 = true;
                self.print_notice(NOT_UTF8)?;
            }
            KeyOutcome::Nothing => {}
        }
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.output.flush()?;
        self.terminal.as_ref().map_or(Ok(()), EchoTerminal::suspend)
    }

    fn not_sent(&mut self, why: &str) -> io::Result<()> {
        self.undelivered.rejected();
        self.print_notice(&format!("not sent: {why}"))
    }
}

/// Returns whether input is read only to be counted.
fn is_over(session: &Session) -> bool {
    session.is_leaving() && !session.has_ended()
}

impl View for Plain {
    fn link_opened(&mut self, link: &OpenedLink) -> io::Result<()> {
        link.notice().map_or(Ok(()), |words| self.print_notice(&words))
    }

    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()> {
        match input {
            UserInput::Lines(lines) => {
                if !self.mode.typed {
                    // These lines were written before later messages arrived.
                    self.bind_reply();
                }
                self.line_input.add(lines);
            }
            UserInput::End => self.line_input.end(),
            UserInput::Terminal(event) => return self.typed(event, session, now_ms),
            UserInput::Failed(_) | UserInput::EditorClosed => {}
        }
        Ok(())
    }

    fn show(&mut self, update: Envelope<Update>, _now_ms: u64) -> io::Result<()> {
        let (update, is_answer) = (update.content, update.reference.is_some());
        self.formatter.follow_people(&update);
        self.reply.follow(&update);
        let Some(update) = self.settings.filter(update) else { return Ok(()) };
        let warning = self.log.as_mut().and_then(|log| log.note(&update, &self.formatter).err());
        self.print_warning(warning)?;
        let lines = self.formatter.lines(&update);
        self.catch_up.follow(&update);
        // Neither end is a pipe.
        let rings = self.mode.typed
            && self.mode.notices_on_stdout
            && self.settings.rings(attention::of(&update, self.formatter.me(), &lines))
            && self.catch_up.may_ring(&update);
        self.formatter.follow(&update);
        if self.mode.typed && self.reply.address().is_none() {
            self.bind_reply();
        }
        match update {
            Update::Received(_) | Update::HistoryPage { .. } => {
                self.print_conversation(&lines)?;
                if rings { self.output.ring() } else { Ok(()) }
            }
            // The sender has seen it already.
            Update::Sent { .. } => Ok(()),
            Update::Rejected { rejection, text } => {
                if text.is_some() || is_answer {
                    self.undelivered.rejected_as(rejection.code);
                }
                self.print_timed_notices(&lines)
            }
            Update::Notice(_) | Update::CurrentRoom(_) => self.print_timed_notices(&lines),
        }
    }

    fn refresh(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()> {
        while !self.awaits_key(session, now_ms)
            && self.is_next_wanted(session)
            && let Some(line) = self.line_input.take_first()
        {
            self.use_line(line, session, now_ms)?;
        }
        if self.line_input.is_over() && !self.finished {
            self.finished = true;
            // Rejected only when leaving already.
            let _ = session.command(Command::Finish, now_ms);
        }
        let warning = self.log.as_mut().and_then(|log| log.flush().err());
        self.print_warning(warning)?;
        if session.has_ended() {
            self.undelivered.stay_unacknowledged(session.unacknowledged());
        }
        if let Some(terminal) = self.terminal.as_ref().filter(|_| self.line_input.first().is_none()) {
            terminal.read_more();
        }
        self.output.release_due(now_ms)?;
        self.output.flush()
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        [self.output.release_due_ms(), self.key_wait.due_ms()].into_iter().flatten().min()
    }

    fn ended(&mut self, ending: Ending) -> Ending {
        // Fails only if the output is gone.
        let _ = self.end_typing();
        // A person sees the notices.
        if self.mode.typed {
            return ending;
        }
        self.undelivered.ending(ending, &self.line_input, "for the reasons that stand above")
    }
}
