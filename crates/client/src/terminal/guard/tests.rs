use super::*;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;

#[test]
#[ignore = "panics, in the terminal that the test below gives it"]
fn panics_with_the_terminal_taken() {
    let _guard = TerminalGuard::enter().expect("a terminal");
    panic!("on purpose");
}

#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    let pair = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
    let modes = || format!("{:?}", pair.master.get_termios().expect("a terminal has modes"));
    let modes_before = modes();
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this test"));
    command.args(["--ignored", "--exact", "terminal::guard::tests::panics_with_the_terminal_taken", "--nocapture"]);
    let mut child = pair.slave.spawn_command(command).expect("it starts");
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let mut written = String::new();
    let mut buffer = [0; 4096];
    // The last output; the terminal stays open on this side.
    while !written.contains("test result: FAILED") {
        let bytes = reader.read(&mut buffer).expect("it writes");
        assert_ne!(bytes, 0, "it ended early: {written}");
        written.push_str(&String::from_utf8_lossy(&buffer[..bytes]));
    }
    assert!(!child.wait().expect("it ends").success());
    assert_eq!(modes(), modes_before);
    let place = |part: &str| written.find(part).unwrap_or_else(|| panic!("no {part:?} in {written:?}"));
    let (taken, given_back, words) = (place("\u{1b}[?2004h"), place("\u{1b}[?2004l"), place("on purpose"));
    assert!(taken < given_back && given_back < words, "{written:?}");
}
