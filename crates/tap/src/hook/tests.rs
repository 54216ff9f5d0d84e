#![cfg(unix)]

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::frame::{Dialect, Direction, Frame, FrameKind};
use crate::line::Decider;
use crate::meaning::Meaning;

/// Longest wait for a process; what takes longer has failed.
const WAIT_MAX: Duration = Duration::from_secs(20);
const DEADLINE_US: u64 = 1_000;

/// One hook in a shell.
struct Fixture {
    hooks: Hooks,
    command: Vec<String>,
    said: Receiver<(Vec<String>, Said)>,
}

impl Fixture {
    fn new(script: &str) -> Self {
        let (sender, said) = channel();
        let new_listener = move || -> Listener {
            let sender = sender.clone();
            Box::new(move |command, said| sender.send((command.to_vec(), said)).is_ok())
        };
        let command: Vec<String> = ["sh", "-c", script].map(str::to_owned).into();
        let mut hooks = Hooks::new(new_listener);
        hooks.set([&command].into_iter()).unwrap();
        Self { hooks, command, said }
    }

    fn ask(&mut self, number: u64) -> Consequences {
        self.hooks.ask(&self.command, &mut ask(number, &self.command), 0)
    }

    /// Takes in the next thing that the process says.
    fn receive(&mut self) -> Consequences {
        let (command, said) = self.said.recv_timeout(WAIT_MAX).expect("the hook says something");
        self.hooks.said(&command, said)
    }
}

fn ask(number: u64, command: &[String]) -> Ask {
    let frame = Frame {
        connection: 1,
        direction: Direction::ToServer,
        number,
        offset: 0,
        at_us: 0,
        dialect: Dialect::Event,
        in_websocket: false,
        kind: FrameKind::Payload,
        bytes: b"2         hi".to_vec(),
    };
    let decider = Decider::Hook(command.to_vec());
    Ask { frame, meaning: Meaning::default(), rule: "hook-1".into(), decider, deadline_us: DEADLINE_US }
}

fn id(number: u64) -> FrameId {
    FrameId { connection: 1, direction: Direction::ToServer, number }
}

fn answer(frame: u64, rest: &str) -> String {
    format!(r#"echo '{{"connection":1,"direction":"to_server","frame":{frame},{rest}}}';"#)
}

#[test]
fn a_hook_is_asked_and_decides() {
    let script = format!(
        r#"read -r line; case "$line" in *'"frame":7,'*'"raw":"32202020'*) {} ;; *) echo "$line";; esac; cat >/dev/null"#,
        answer(7, r#""action":"drop""#).trim_end_matches(';')
    );
    let mut fixture = Fixture::new(&script);
    assert_eq!(fixture.ask(7), Consequences::default());
    assert_eq!(fixture.hooks.due_us(), Some(FIRST_ANSWER_US));
    assert_eq!(fixture.receive().decisions, [(id(7), Decision::Drop)]);
    assert_eq!(fixture.hooks.due_us(), None);
    // It runs now, so the time of its rule is enough.
    assert_eq!(fixture.ask(8), Consequences::default());
    assert_eq!(fixture.hooks.due_us(), Some(DEADLINE_US));
}

#[test]
fn a_hook_that_hangs_is_bypassed_until_it_answers() {
    let script = format!(
        "read line; read line; {}{} cat >/dev/null",
        answer(1, r#""action":"drop""#),
        answer(2, r#""action":"drop""#)
    );
    let mut fixture = Fixture::new(&script);
    assert_eq!(fixture.ask(1), Consequences::default());
    assert_eq!(fixture.hooks.pass_deadlines(FIRST_ANSWER_US - 1), Consequences::default());
    let missed = fixture.hooks.pass_deadlines(FIRST_ANSWER_US);
    assert!(missed.problems[0].contains("frame 1 of connection 1 has passed"), "{missed:?}");
    assert_eq!(fixture.hooks.due_us(), None);
    // Nothing is asked now, so that the frames behind do not wait as well.
    assert_eq!(fixture.ask(2), Consequences::unasked());
    drop(fixture);

    let mut fixture = Fixture::new(&script);
    for number in [1, 2] {
        assert_eq!(fixture.ask(number), Consequences::default());
    }
    assert_eq!(fixture.hooks.pass_deadlines(FIRST_ANSWER_US).problems.len(), 1);
    // Late answers decide nothing; after the last one it is asked again.
    assert_eq!(fixture.receive(), Consequences::default());
    let last = fixture.receive();
    assert!(last.decisions.is_empty() && last.problems[0].contains("answers again"), "{last:?}");
    assert_eq!(fixture.ask(3), Consequences::default());
}

#[test]
fn a_hook_that_ends_is_reported_with_its_stderr() {
    let mut fixture = Fixture::new("read line; printf 'no such \\033[31mluck\\n' >&2; exit 3");
    assert_eq!(fixture.ask(1), Consequences::default());
    let ended = fixture.receive();
    assert_eq!(ended.decisions, [(id(1), Decision::Pass)]);
    let problem = &ended.problems[0];
    assert!(problem.contains("exit status: 3") && problem.contains("no such \u{fffd}[31mluck"), "{problem}");
    assert_eq!(fixture.ask(2), Consequences::unasked());
}

#[test]
fn nonsense_and_unasked_answers_decide_nothing() {
    let script = format!(
        "read line; echo what; echo what; {} {} cat >/dev/null",
        answer(9, r#""action":"drop""#),
        answer(1, r#""action":"pass""#)
    );
    let mut fixture = Fixture::new(&script);
    assert_eq!(fixture.ask(1), Consequences::default());
    assert!(fixture.receive().problems[0].contains("is no answer"));
    assert_eq!(fixture.receive(), Consequences::default());
    assert_eq!(fixture.receive(), Consequences::default());
    assert_eq!(fixture.receive().decisions, [(id(1), Decision::Pass)]);
}

#[test]
fn a_hook_that_reads_nothing_does_not_block() {
    let mut fixture = Fixture::new("exec sleep 600");
    let asked = (1..=10_000).map(|number| fixture.ask(number)).position(|asked| !asked.problems.is_empty());
    assert!(asked.is_some_and(|asked| asked <= OPEN_QUESTIONS_MAX), "{asked:?}");
    assert_eq!(fixture.ask(0), Consequences::unasked());
}

#[test]
fn processes_end_with_their_hooks() {
    // One that ignores the end of its stdin, and has started another.
    let mut fixture = Fixture::new("sleep 600 & echo $! $$; wait");
    let (_, Said::Malformed(_)) = fixture.said.recv_timeout(WAIT_MAX).unwrap() else { panic!("it has started") };
    fixture.hooks.set(std::iter::empty()).unwrap();
    // Its stdout is closed once all of its processes are gone.
    assert!(matches!(fixture.said.recv_timeout(WAIT_MAX).unwrap().1, Said::End));
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let mut fixture = Fixture::new("cat >/dev/null");
    let missing = vec!["/no/such/program".to_owned()];
    let error = fixture.hooks.set([&missing].into_iter()).unwrap_err().to_string();
    assert!(error.contains("/no/such/program"), "{error}");
    assert_eq!(fixture.hooks.ask(&missing, &mut ask(1, &missing), 0), Consequences::unasked());
}
