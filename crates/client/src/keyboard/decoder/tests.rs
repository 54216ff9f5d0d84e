use super::super::bracketed::PASTE_BYTES_MAX;
use super::super::event::{Paste, PasteEnd};
use super::*;
use proptest::prelude::*;

fn decoded(slices: &[&[u8]]) -> Vec<TerminalEvent> {
    let mut decoder = KeyDecoder::default();
    let mut events = Vec::new();
    for slice in slices {
        decoder.take(slice, 0, &mut events);
    }
    events
}

/// The events, and those that time adds to them.
fn decoded_after(bytes: &[u8], passed_ms: u64) -> Vec<TerminalEvent> {
    let mut decoder = KeyDecoder::default();
    let mut events = Vec::new();
    decoder.take(bytes, 1_000, &mut events);
    decoder.time_passed(1_000 + passed_ms, &mut events);
    events
}

fn key(code: Code) -> TerminalEvent {
    TerminalEvent::Key(code.into())
}

fn paste(text: &str, end: PasteEnd) -> TerminalEvent {
    TerminalEvent::Paste(Paste { text: text.to_owned(), end, is_damaged: text.contains(char::REPLACEMENT_CHARACTER) })
}

#[test]
fn keys_are_read_in_the_encodings_that_terminals_use() {
    let alt = |code| TerminalEvent::Key(Key::alt(code));
    let control = |code| TerminalEvent::Key(Key::control(code));
    let shift = |code: Code| TerminalEvent::Key(Key { shift: true, ..code.into() });
    for (bytes, event) in [
        ("a", key(Code::Char('a'))),
        ("漢", key(Code::Char('漢'))),
        ("\r", key(Code::Enter)),
        ("\n", control(Code::Char('j'))),
        ("\t", key(Code::Tab)),
        ("\x1b[Z", shift(Code::Tab)),
        ("\x7f", key(Code::Backspace)),
        ("\x1f", control(Code::Char('7'))),
        ("\x1b\x1f", TerminalEvent::Key(Key { alt: true, ..Key::control(Code::Char('7')) })),
        ("\x1b[A", key(Code::Up)),
        ("\x1bOA", key(Code::Up)),
        ("\x1b[1;3A", alt(Code::Up)),
        ("\x1b\x1b[A", alt(Code::Up)),
        ("\x1b\x1bOB", alt(Code::Down)),
        ("\x1b[1;5H", control(Code::Home)),
        ("\x1b[4~", key(Code::End)),
        ("\x1b[3~", key(Code::Delete)),
        ("\x1b/", alt(Code::Char('/'))),
        ("\x1b_", alt(Code::Char('_'))),
        ("\x1b5", alt(Code::Char('5'))),
        ("\x1bä", alt(Code::Char('ä'))),
        ("\x1b\r", alt(Code::Enter)),
        ("\x1b[27u", key(Code::Escape)),
        ("\x1b[I", TerminalEvent::FocusGained),
        ("\x1b[O", TerminalEvent::FocusLost),
    ] {
        assert_eq!(decoded(&[bytes.as_bytes()]), [event], "{bytes:?}");
    }
}

#[test]
fn what_is_no_key_types_nothing_and_the_key_behind_it_is_one() {
    for garbage in [
        "\x1b[?1;2c",
        "\x1b[5;10R",
        "\x1b[<0;0;0M",
        "\x1b[0;0;0M",
        "\x1b[32;0;0M",
        "\x1b[Mabc",
        "\x1b[[A",
        "\x1b[15~",
        "\x1bOz",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
        "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        "\x1bP1+r544e\x1b\\",
        "\x1b[201~",
        "\x1b[1\x18",
        "\x1b[97;9u",
        "\x1b[3u",
    ] {
        let mut events = decoded(&[garbage.as_bytes(), b"x"]);
        events.retain(|event| !matches!(event, TerminalEvent::Key(Key { control: true, .. })));
        assert_eq!(events, [key(Code::Char('x'))], "{garbage:?}");
    }
    let long = format!("\x1b[{}~x", "1;".repeat(5_000));
    assert_eq!(decoded(&[long.as_bytes()]), [key(Code::Char('x'))]);
    let long_delete = format!("\x1b[{}3~x", "0".repeat(SEQUENCE_BYTES_MAX));
    assert_eq!(decoded(&[long_delete.as_bytes()]), [key(Code::Char('x'))]);
    for invalid in [&b"\xff"[..], b"\x80", b"\xc0\x80", b"\xe6\xbc", b"\xf5", b"\xed\xa0\x80", b"\x1b\xff"] {
        let mut events = decoded(&[invalid, b"x"]);
        assert_eq!(events.pop(), Some(key(Code::Char('x'))), "{invalid:?}");
        assert!(
            !events.is_empty() && events.iter().all(|event| *event == TerminalEvent::NotUtf8),
            "{invalid:?} is reported"
        );
    }
    let mut events = Vec::new();
    let mut decoder = KeyDecoder::default();
    decoder.take(b"\xe6\xbc", 0, &mut events);
    decoder.time_passed(1_000, &mut events);
    assert_eq!(events, [TerminalEvent::NotUtf8], "a character that does not go on");
}

#[test]
fn keys_of_rxvt_putty_and_an_application_keypad() {
    let control = |code| TerminalEvent::Key(Key::control(code));
    let shift = |code: Code| TerminalEvent::Key(Key { shift: true, ..code.into() });
    for (bytes, event) in [
        ("\x1bOa", control(Code::Up)),
        ("\x1bOb", control(Code::Down)),
        ("\x1bOc", control(Code::Right)),
        ("\x1bOd", control(Code::Left)),
        ("\x1b[d", shift(Code::Left)),
        ("\x1b[7~", key(Code::Home)),
        ("\x1b[8~", key(Code::End)),
        ("\x1b[1~", key(Code::Home)),
        ("\x1b[4~", key(Code::End)),
        ("\x1b[7^", control(Code::Home)),
        ("\x1b[8^", control(Code::End)),
        ("\x1b[3^", control(Code::Delete)),
        ("\x1b[7$", shift(Code::Home)),
        ("\x1b[5D", control(Code::Left)),
        ("\x1bO5C", control(Code::Right)),
        ("\x1b\x1bOd", TerminalEvent::Key(Key { alt: true, ..Key::control(Code::Left) })),
        ("\x1bOw", key(Code::End)),
        ("\x1bOM", key(Code::Enter)),
        ("\x1bOX", key(Code::Char('='))),
    ] {
        assert_eq!(decoded(&[bytes.as_bytes(), b"x"]), [event, key(Code::Char('x'))], "{bytes:?}");
    }
    let keypad: String = (b'j'..=b'y').flat_map(|sign| ['\x1b', 'O', char::from(sign)]).collect();
    let typed: Vec<TerminalEvent> = "*+,-./0123456789".chars().map(|c| key(Code::Char(c))).collect();
    assert_eq!(decoded(&[keypad.as_bytes()]), typed);
}

#[test]
fn an_interrupt_is_never_part_of_garbage() {
    for start in ["\x1b[", "\x1b[1;", "\x1bO", "\x1b]0;", "\x1bP", "\x1b[M", "\x1b[["] {
        let events = decoded(&[start.as_bytes(), b"\x03"]);
        assert_eq!(events, [TerminalEvent::Key(Key::control(Code::Char('c')))], "{start:?}");
    }
}

#[test]
fn a_lone_escape_is_the_key_after_fifty_milliseconds() {
    assert_eq!(decoded_after(b"\x1b", 49), []);
    assert_eq!(decoded_after(b"\x1b", 50), [key(Code::Escape)]);
    assert_eq!(decoded_after(b"\x1b\x1b", 50), [key(Code::Escape), key(Code::Escape)]);
    assert_eq!(decoded(&[b"\x1b\x1b\x1b[A"]), [key(Code::Escape), TerminalEvent::Key(Key::alt(Code::Up))]);
    assert_eq!(decoded(&[b"\x1b\x1bb"]), [key(Code::Escape), TerminalEvent::Key(Key::alt(Code::Char('b')))]);
}

#[test]
fn an_unfinished_sequence_is_dropped_after_100_ms() {
    for start in ["\x1b[", "\x1b[1;", "\x1bO", "\x1b]0;", "\x1bPx", "\x1b[M"] {
        let mut decoder = KeyDecoder::default();
        let mut events = Vec::new();
        decoder.take(start.as_bytes(), 1_000, &mut events);
        assert_eq!(decoder.deadline_ms(), Some(1_100), "{start:?}");
        decoder.time_passed(1_099, &mut events);
        decoder.time_passed(1_100, &mut events);
        assert_eq!(decoder.deadline_ms(), None);
        decoder.take(b"x", 1_101, &mut events);
        assert_eq!(events, [key(Code::Char('x'))], "{start:?}");
    }
}

#[test]
fn a_paste_is_one_event_whatever_stands_in_it() {
    let events = decoded(&[b"a\x1b[200~one\r\x1b[20\x1b\x1b[201\x1b[A\x03\x1b[200~two\x1b[201~b"]);
    let text = "one\r\x1b[20\x1b\x1b[201\x1b[A\x03\x1b[200~two";
    assert_eq!(events, [key(Code::Char('a')), paste(text, PasteEnd::Whole), key(Code::Char('b'))]);
    assert_eq!(decoded(&[b"\x1b[200~\x1b[20\x1b[201~"]), [paste("\x1b[20", PasteEnd::Whole)]);
    assert_eq!(decoded(&[b"\x1b[200~\xffx\x1b[201~"]), [paste("\u{fffd}x", PasteEnd::Whole)]);
}

#[test]
fn an_endless_paste_is_abandoned_2_s_after_its_last_byte() {
    let mut decoder = KeyDecoder::default();
    let mut events = Vec::new();
    decoder.take(b"\x1b[200~one", 0, &mut events);
    decoder.take("\rtwo漢".as_bytes().split_last().expect("bytes").1, 1_500, &mut events);
    decoder.time_passed(3_499, &mut events);
    assert_eq!(events, []);
    decoder.time_passed(3_500, &mut events);
    decoder.take(b"x", 3_501, &mut events);
    decoder.time_passed(3_600, &mut events);
    assert_eq!(events, [paste("one\rtwo", PasteEnd::Unfinished)]);
    decoder.time_passed(3_601, &mut events);
    decoder.take(b"yz", 3_602, &mut events);
    assert_eq!(events[1..], ['x', 'y', 'z'].map(|c| key(Code::Char(c))));
}

/// Returns the events of this input, each at its time, after a paste that was given up two seconds
/// after it began.
fn after_a_paste_given_up(coming: &[(u64, &[u8])]) -> Vec<TerminalEvent> {
    let mut decoder = KeyDecoder::default();
    let mut events = Vec::new();
    decoder.take(b"\x1b[200~one", 0, &mut events);
    decoder.time_passed(2_000, &mut events);
    for &(at_ms, bytes) in coming {
        decoder.time_passed(at_ms, &mut events);
        decoder.take(bytes, at_ms, &mut events);
    }
    decoder.time_passed(1_000_000, &mut events);
    assert_eq!(events.remove(0), paste("one", PasteEnd::Unfinished));
    events
}

#[test]
fn the_rest_of_a_paste_that_paused_sends_nothing() {
    let whole = |text: &str| paste(text, PasteEnd::Whole);
    let unfinished = |text: &str| paste(text, PasteEnd::Unfinished);
    let x = key(Code::Char('x'));
    // Its end closes it, and what follows is typed.
    assert_eq!(after_a_paste_given_up(&[(9_000, b"\rtwo\r\x1b[201~x")]), [whole("\rtwo\r"), x.clone()]);
    assert_eq!(
        after_a_paste_given_up(&[(9_000, b"\r"), (9_099, b"two\r\x1b[20"), (9_100, b"1~x")]),
        [whole("\rtwo\r"), x.clone()]
    );
    assert_eq!(after_a_paste_given_up(&[(9_000, b"\x1b[201~x\r")]), [x.clone(), key(Code::Enter)]);
    // Without an end, what comes at once is one paste, also after another pause.
    assert_eq!(
        after_a_paste_given_up(&[(2_001, b"\rtwo"), (2_050, b"\r"), (2_300, b"three\r")]),
        [unfinished("\rtwo\r"), unfinished("three\r")]
    );
    // The window is no key.
    assert_eq!(
        after_a_paste_given_up(&[(2_001, b"\x1b[O"), (2_500, b"\x1b[I\rtwo\x1b[201~")]),
        [TerminalEvent::FocusLost, TerminalEvent::FocusGained, whole("\rtwo")]
    );
    // The next paste is one of its own.
    assert_eq!(after_a_paste_given_up(&[(2_001, b"\x1b[200~two\x1b[201~x")]), [whole("two"), x]);
}

#[test]
fn whose_paste_never_ends_has_the_keys_back() {
    let typed = |c| key(Code::Char(c));
    // A key by itself is one, and so is every key after it.
    assert_eq!(
        after_a_paste_given_up(&[(2_001, b"\r"), (2_101, b"x\r")]),
        [key(Code::Enter), typed('x'), key(Code::Enter)]
    );
    assert_eq!(after_a_paste_given_up(&[(2_001, "漢".as_bytes()), (2_101, b"\r")]), [typed('漢'), key(Code::Enter)]);
    // What is no text does not wait.
    let control_c = TerminalEvent::Key(Key::control(Code::Char('c')));
    for (bytes, event) in [
        (&b"\x03"[..], control_c),
        (b"\x7f", key(Code::Backspace)),
        (b"\x1b[A", key(Code::Up)),
        (b"\x1b", key(Code::Escape)),
    ] {
        let mut decoder = KeyDecoder::default();
        let mut events = Vec::new();
        decoder.take(b"\x1b[200~one", 0, &mut events);
        decoder.time_passed(2_000, &mut events);
        decoder.take(bytes, 2_001, &mut events);
        decoder.time_passed(2_051, &mut events);
        decoder.take(b"x\r", 2_052, &mut events);
        assert_eq!(events[1..], [event, typed('x'), key(Code::Enter)], "{bytes:?}");
    }
}

#[test]
fn a_paste_that_is_too_long_is_cut_and_its_rest_types_nothing() {
    let mut input = b"\x1b[200~".to_vec();
    input.resize(input.len() + PASTE_BYTES_MAX - 1, b'a');
    input.extend("漢 and more\rof it".as_bytes());
    input.extend(b"\x1b[201~x");
    let events = decoded(&[&input]);
    let [TerminalEvent::Paste(paste), last] = &events[..] else { panic!("two events") };
    assert_eq!((paste.text.len(), paste.end), (PASTE_BYTES_MAX - 1, PasteEnd::TooLong));
    assert_eq!(*last, key(Code::Char('x')));
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        proptest::sample::select(vec![
            "\x1b",
            "\x1b[",
            "\x1bO",
            "\x1b[200~",
            "\x1b[201~",
            "[",
            "1;5",
            "~",
            "u",
            "M",
            "m",
            "<",
            "0;0",
            "漢",
            "\x1b]",
            "\x1bP",
            "\x1b\\",
            "A",
            ":",
            "?",
            "255;256;99999999999",
        ])
        .prop_map(|part| part.as_bytes().to_vec()),
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_slicing_gives_the_same_events(input in soup(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let slices: Vec<&[u8]> = cuts.windows(2).map(|cut| &input[cut[0]..cut[1]]).collect();
        prop_assert_eq!(decoded(&slices), decoded(&[&input]));
    }

    #[test]
    fn time_always_ends_what_has_begun(input in soup()) {
        let mut decoder = KeyDecoder::default();
        let mut events = Vec::new();
        decoder.take(&input, 0, &mut events);
        decoder.time_passed(PASTE_TIMEOUT_MS, &mut events);
        prop_assert_eq!(decoder.deadline_ms(), None);
        events.clear();
        decoder.take(b"x", PASTE_TIMEOUT_MS, &mut events);
        decoder.time_passed(PASTE_TIMEOUT_MS + BURST_PAUSE_MS, &mut events);
        prop_assert_eq!(decoder.deadline_ms(), None);
        prop_assert_eq!(events, [key(Code::Char('x'))]);
    }
}
