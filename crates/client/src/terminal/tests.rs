use super::drawing::palette::Palette;
use super::*;
use crate::format::clock::LocalClock;
use crate::keyboard::event::{Code, Key, Paste, PasteEnd, TerminalEvent};
use crate::preferences::Preferences;
use glassline_session::{Config, DialectChoice, Entropy, Input, Output};
use glassline_wire::frame::put_frame;
use glassline_wire::timestamp::Timestamp;
use std::io::Write;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

struct Counting(u64);
impl Entropy for Counting {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);
impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics here").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn keys() -> RoomKeys {
    let (inbox, _) = std::sync::mpsc::sync_channel(1);
    RoomKeys::open(None, inbox).expect("no files")
}

fn pane() -> MessagePane {
    let clock = LocalClock::fixed(|| Timestamp::from_unix_ms(0));
    let preferences = Preferences { timestamps: Some(false), ..Preferences::default() };
    MessagePane::new(Formatter::with_clock("alice", clock), DisplaySettings::new(&preferences, true))
}

/// A terminal mode with a session that is up in the tutorial dialect, and the screen that they draw
/// on.
struct Table {
    terminal: Terminal,
    session: Session,
    emulator: vt100::Parser,
    drawn: Shared,
    draws: usize,
    sent: Vec<u8>,
    left: bool,
    now_ms: u64,
}

impl Table {
    fn config() -> Config {
        Config {
            address: "here:1234".into(),
            name: "alice".into(),
            dialect: DialectChoice::Tutorial,
            gives_up_after_ms: None,
            follows_people: true,
            context_messages_max: usize::MAX,
        }
    }

    fn new(columns: u16) -> Self {
        let config = Self::config();
        let size = |cells| NonZeroU16::new(cells).expect("not zero");
        let drawn = Shared::default();
        let mut session = Session::new(config, Box::new(Counting(0)), 0);
        session.handle(Input::Connected, 0);
        let mut table = Self {
            terminal: Terminal::new(
                pane(),
                Display::new(Box::new(drawn.clone()), (columns, 10), Palette::Full),
                keys(),
                WebPage::of(&JoinOptions { address: "192.0.2.7:1234".into(), ..JoinOptions::default() }),
            ),
            session,
            emulator: vt100::Parser::new(size(10), size(columns), 1_000),
            drawn,
            draws: 0,
            sent: Vec::new(),
            left: false,
            now_ms: 1_000,
        };
        table.settle();
        table.sent.clear();
        table
    }

    /// The same with an event dialect whose lobby holds so many people.
    fn with_people(people: usize) -> Self {
        let mut table = Self::new(120);
        let config = Config { dialect: DialectChoice::Event, ..Self::config() };
        table.session = Session::new(config, Box::new(Counting(0)), 0);
        table.session.handle(Input::Connected, 0);
        let welcome = format!(
            concat!(
                r#"{{"type":"welcome","name":"alice","token":"secret","server":"test/1","#,
                r#""limits":{{"name_chars":32,"name_bytes":64,"text_bytes":16384,"event_bytes":102400}},"#,
                r#""rooms":[{{"room":"lobby","seq":0,"count":{people}}}]}}"#
            ),
            people = people
        );
        let mut bytes = Vec::new();
        put_frame(&mut bytes, welcome.as_bytes());
        table.session.handle(Input::Bytes(&bytes), 0);
        table.settle();
        table.sent.clear();
        table
    }

    fn settle(&mut self) {
        self.session.handle(Input::Tick, self.now_ms);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(bytes) => {
                    self.sent.extend(bytes);
                    self.session.handle(Input::Written, self.now_ms);
                }
                Output::HalfClose => self.left = true,
                Output::Show(update) => self.terminal.show(update, self.now_ms).expect("memory takes it"),
                _ => {}
            }
        }
        self.terminal.refresh(&mut self.session, self.now_ms).expect("memory takes it");
        let bytes = std::mem::take(&mut *self.drawn.0.lock().expect("no test panics here"));
        self.draws += usize::from(!bytes.is_empty());
        self.emulator.process(&bytes);
    }

    fn event(&mut self, event: TerminalEvent) {
        self.now_ms += 20;
        let input = UserInput::Terminal(event);
        self.terminal.input(input, &mut self.session, self.now_ms).expect("taken");
        self.settle();
    }

    fn press(&mut self, code: Code) {
        self.event(TerminalEvent::Key(code.into()));
    }

    fn control(&mut self, c: char) {
        self.event(TerminalEvent::Key(Key::control(Code::Char(c))));
    }

    fn paste(&mut self, text: &str) {
        self.event(TerminalEvent::Paste(Paste { text: text.into(), end: PasteEnd::Whole, is_damaged: false }));
    }

    fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.press(Code::Char(c));
        }
    }

    fn receive(&mut self, from: &str, text: &str) {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, from.as_bytes());
        put_frame(&mut bytes, text.as_bytes());
        self.session.handle(Input::Bytes(&bytes), self.now_ms);
        self.settle();
    }

    fn screen(&self) -> String {
        self.emulator.screen().contents()
    }
}

#[test]
fn a_line_is_sent_by_enter_and_shown_above() {
    let mut table = Table::new(80);
    table.type_in("hi 漢");
    table.receive("bob", "hello");
    table.press(Code::Enter);
    assert_eq!(table.sent, b"6         hi \xe6\xbc\xa2");
    let screen = table.screen();
    assert!(screen.contains("bob > hello\nalice > hi 漢\n> \nalice in lobby · online · plaintext: anyone"), "{screen}");
}

#[test]
fn three_empty_enters_leave_and_any_other_key_counts_anew() {
    let mut table = Table::new(80);
    for key in "EEx<EE".chars() {
        table.press(match key {
            'E' => Code::Enter,
            '<' => Code::Backspace,
            c => Code::Char(c),
        });
    }
    assert!(!table.left && table.screen().contains("Enter once more to leave"));
    table.paste("\n\n\n");
    assert!(!table.left && table.sent.is_empty(), "a paste neither leaves nor sends");
    table.control('u');
    table.press(Code::Up);
    table.control('c');
    for _ in 0..3 {
        assert!(!table.left);
        table.press(Code::Enter);
    }
    assert!(table.left);
}

#[test]
fn a_paste_of_several_lines_is_one_message_and_waits_for_enter() {
    let mut table = Table::new(80);
    table.paste("one\r\n\r\n\r\n\r\ntwo\n");
    assert!(table.sent.is_empty());
    table.press(Code::Enter);
    assert_eq!(table.sent, b"10        one\n\n\n\ntwo");
}

#[test]
fn control_c_clears_then_asks_then_leaves() {
    let mut table = Table::new(80);
    table.type_in("x");
    table.control('c');
    table.control('c');
    assert!(!table.left && table.screen().contains("Ctrl-C again leaves"));
    table.type_in("y");
    table.control('c');
    table.control('c');
    assert!(!table.left);
    table.control('c');
    assert!(table.left);
}

#[test]
fn control_d_leaves_only_an_empty_line() {
    let mut table = Table::new(80);
    table.type_in("x");
    table.press(Code::Left);
    table.control('d');
    assert!(!table.left);
    table.control('d');
    assert!(table.left);
}

#[test]
fn a_wrong_command_is_reported_and_kept_in_the_history() {
    let mut table = Table::new(80);
    table.type_in("/dance");
    table.press(Code::Enter);
    assert!(table.sent.is_empty());
    assert!(
        table.screen().contains("there is no /dance") && !table.screen().contains("> /dance"),
        "{}",
        table.screen()
    );
    table.press(Code::Up);
    assert!(table.screen().contains("> /dance"), "{}", table.screen());
}

#[test]
fn a_flood_is_drawn_at_most_every_16_ms_and_loses_nothing() {
    let mut table = Table::new(80);
    table.settle();
    table.now_ms += 100;
    let before = table.draws;
    for number in 0..160 {
        if number % 10 == 0 {
            table.now_ms += 1;
        }
        table.receive("bob", &format!("number {number}"));
    }
    assert!((1..=2).contains(&(table.draws - before)), "{}", table.draws - before);
    table.now_ms += 33;
    table.settle();
    table.emulator.screen_mut().set_scrollback(1_000);
    let mut seen = std::collections::BTreeSet::new();
    for back in (0..=200).rev() {
        table.emulator.screen_mut().set_scrollback(back);
        seen.extend(table.screen().lines().filter(|line| line.starts_with("bob > ")).map(str::to_owned));
    }
    assert_eq!(seen.len(), 160);
}

#[test]
fn keys_are_drawn_before_messages_and_within_the_screens_rate() {
    let mut table = Table::new(80);
    table.now_ms += 100;
    table.receive("bob", "first");
    let drawn = table.draws;
    let settle_after = |table: &mut Table, ms: u64| {
        table.now_ms += ms;
        table.settle();
        table.draws
    };
    table.receive("bob", "second");
    assert_eq!(settle_after(&mut table, 32), drawn, "what others say waits");
    assert_eq!(settle_after(&mut table, 1), drawn + 1);
    table.now_ms -= 20;
    table.press(Code::Char('x'));
    assert_eq!(table.draws, drawn + 1, "not within a frame");
    assert_eq!(settle_after(&mut table, 16), drawn + 1);
    assert_eq!(settle_after(&mut table, 1), drawn + 2);
}

#[test]
fn twenty_columns_are_enough() {
    let mut table = Table::new(20);
    table.receive("bob", "hi");
    table.type_in("a sentence that does not fit");
    table.receive("bob", "neither does this one, 漢字 and all");
    let screen = table.screen();
    assert!(screen.contains("> a sentence that d\n  oes not fit\nalice in lobby"), "{screen}");
    table.press(Code::Enter);
    assert!(table.screen().contains("> \nalice in lobby"), "{}", table.screen());
}

#[test]
fn a_host_is_warned_first_that_control_z_stops_everybody() {
    let mut table = Table::new(120);
    let notice = "this stops the line for everybody; Ctrl-Z again stops";
    // Without a real terminal nothing is stopped.
    table.control('z');
    assert!(!table.screen().contains(notice));
    table.terminal.exit = ExitConfirmation::new(true);
    table.control('z');
    assert!(table.screen().contains(notice), "{}", table.screen());
    table.press(Code::Left);
    assert!(!table.screen().contains(notice));
    table.control('z');
    assert!(table.screen().contains(notice), "another key between them sets it back");
    table.control('z');
    assert!(!table.screen().contains(notice));
}

#[test]
fn a_host_of_others_is_warned_before_leaving() {
    let says = |table: &Table| String::from_utf8_lossy(&table.sent).contains("\"bye\"");
    let mut table = Table::with_people(3);
    table.terminal.exit = ExitConfirmation::new(true);
    table.control('d');
    assert!(table.screen().contains("2 others are here, and leaving closes the line for all; Ctrl-D again leaves"));
    table.press(Code::Left);
    table.control('d');
    assert!(!says(&table), "another key between them sets it back");
    table.type_in("/quit");
    table.press(Code::Enter);
    assert!(!says(&table) && table.screen().contains("; /quit again leaves"), "{}", table.screen());
    table.type_in("/bell");
    table.press(Code::Enter);
    table.type_in("/quit");
    table.press(Code::Enter);
    assert!(!says(&table), "another command between them sets it back");
    table.type_in("/quit");
    table.press(Code::Enter);
    assert!(says(&table), "{}", table.screen());
    for (people, hosts) in [(3, false), (1, true)] {
        let mut table = Table::with_people(people);
        table.terminal.exit = ExitConfirmation::new(hosts);
        table.control('d');
        assert!(says(&table), "nobody else is concerned");
    }
    let mut table = Table::with_people(2);
    table.terminal.exit = ExitConfirmation::new(true);
    table.control('d');
    table.control('d');
    assert!(says(&table));
}

/// A row of the block as a terminal shows it that has wrapped it anew for a narrower window.
#[test]
fn a_block_that_was_wrapped_anew_is_taken_away_whole() {
    let mut table = Table::new(60);
    table.terminal.display.set_reflows(true);
    table.receive("bob", "the last message");
    table.type_in(&"typed ".repeat(9));
    assert_eq!(table.screen().matches("> typed").count(), 1);
    // The emulator cuts rows; what a terminal would show is drawn in their place, with the cursor
    // where it would be.
    let typed = format!("> {}", "typed ".repeat(9));
    let rows: Vec<&str> = vec![&typed[..20], &typed[20..40], &typed[40..]];
    table.emulator =
        vt100::Parser::new(NonZeroU16::new(10).expect("not zero"), NonZeroU16::new(20).expect("not zero"), 9);
    table.emulator.process(format!("bob > the last\r\n{}", rows.join("\r\n")).as_bytes());
    table.event(TerminalEvent::Resized { columns: 20, rows: 10 });
    let screen = table.screen();
    assert!(screen.starts_with("bob > the last\n> typed typed") && screen.matches("> ").count() == 2, "{screen}");
}

#[test]
fn continuing_is_reported_once_and_soon_after_control_z() {
    let mut table = Table::new(80);
    table.terminal.resumed_at = Some(Instant::now());
    table.event(TerminalEvent::Resumed);
    assert!(table.terminal.resumed_at.is_none());
    // A Ctrl-Z that stopped nothing, long ago, does not hide what stops the process now: the block
    // is drawn anew below.
    let long_ago = Instant::now().checked_sub(std::time::Duration::from_secs(3)).expect("the clock runs");
    table.type_in("one\ntwo");
    table.terminal.resumed_at = Some(long_ago);
    assert_eq!(table.screen().matches("> one").count(), 1);
    table.event(TerminalEvent::Resumed);
    assert_eq!(table.screen().matches("> one").count(), 2, "{}", table.screen());
}

#[test]
fn a_reply_goes_to_whom_it_was_begun_for() {
    let mut table = Table::new(80);
    table.receive("*", "nobody else is here yet");
    table.receive("bob→you", "what is the code?");
    table.type_in("/reply it is 7");
    assert!(table.screen().contains("reply to bob\n> /reply it is 7"), "{}", table.screen());
    table.receive("mallory→you", "hey");
    table.event(TerminalEvent::FocusGained);
    assert!(table.screen().contains("this goes to bob, but mallory has written"), "{}", table.screen());
    table.press(Code::Enter);
    assert!(table.sent.is_empty() && table.screen().contains("Enter again sends it to bob"), "{}", table.screen());
    table.press(Code::Enter);
    assert_eq!(table.sent, b"16        /msg bob it is 7");
    table.sent.clear();
    table.type_in("/r yes");
    assert!(table.screen().contains("reply to mallory\n"), "the next one is begun anew: {}", table.screen());
    table.receive("*", "mallory left");
    table.press(Code::Enter);
    assert!(table.sent.is_empty(), "the name may be somebody else's");
    table.control('u');
    table.type_in("/rooms");
    assert!(!table.screen().contains("reply to"), "{}", table.screen());
}

#[test]
fn a_reply_that_is_begun_keeps_its_target_in_another_room() {
    let mut table = Table::new(80);
    table.receive("*", "nobody else is here yet");
    table.receive("bob→you", "x");
    table.type_in("/reply yes");
    table.terminal.show(Update::CurrentRoom(Some("den".into())).into(), table.now_ms).expect("shown");
    table.receive("mallory→you", "hey");
    table.terminal.show(Update::CurrentRoom(Some("lobby".into())).into(), table.now_ms).expect("shown");
    table.event(TerminalEvent::FocusGained);
    assert!(table.screen().contains("> /msg bob yes\n"), "{}", table.screen());
}

#[test]
fn names_are_completed_in_natural_order() {
    let mut table = Table::with_people(1);
    let joined = br#"{"type":"joined","room":"lobby","names":["student-10","student-2"],"count":2}"#;
    let mut bytes = Vec::new();
    put_frame(&mut bytes, joined);
    table.session.handle(Input::Bytes(&bytes), table.now_ms);
    table.settle();
    table.type_in("stu");
    table.press(Code::Tab);
    assert!(table.screen().contains("[student-2] student-10"), "{}", table.screen());
}

#[test]
fn going_to_the_room_on_the_screen_is_answered() {
    let mut table = Table::with_people(1);
    for spelling in ["lobby", "#Lobby"] {
        table.type_in(&format!("/join {spelling}"));
        table.press(Code::Enter);
        assert!(table.screen().contains("you are in lobby already"), "{}", table.screen());
        table.press(Code::Escape);
    }
    table.type_in("/join den");
    table.press(Code::Enter);
    assert!(!table.screen().contains("already"), "{}", table.screen());
}
