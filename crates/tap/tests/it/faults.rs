//! Each fault over real sockets, between two scripted ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use glassline_tap::faults::Pace;
use glassline_tap::relay::channel;
use glassline_tap::rules::{Action, Content, Edit, Injection, Matcher, Postponement, Rule, RuleSet};
use glassline_tap::{Direction, End, Observation};
use glassline_testkit::frame::frame;

use crate::relay_fixture::{RelayFixture, wait_for};

fn actions() -> Vec<Action> {
    // The longest time only counts where no later frames come, which the end of a stream ends.
    let postponement = Postponement { frames: 2, at_most_us: 60_000_000 };
    let notice = Content::Payload(br#"{"type":"notice","text":"hi"}"#.to_vec());
    let inject = |backwards| Action::Inject(Injection { content: notice.clone(), backwards, before: false });
    vec![
        Action::Drop,
        Action::Delay { delay_us: 500, jitter_us: 2_000 },
        Action::Duplicate { copies: 2 },
        Action::Reorder(postponement),
        Action::Replay(postponement),
        Action::Cut { end: End::Finished, after_bytes: 4 },
        Action::Cut { end: End::Reset, after_bytes: 12 },
        Action::Stall { duration_us: 20_000, both_directions: true },
        Action::Slice(Pace { slice_bytes: 16, pause_us: 100 }),
        Action::Throttle { bytes_per_s: 20_000 },
        Action::FlipBit { bit: None },
        Action::Edit(vec![Edit::Set { field: "text".into(), value: "other words".into() }]),
        Action::Send(Content::Raw(b"raw".to_vec())),
        inject(false),
        inject(true),
        Action::Impersonate { name: "carol".into(), text: Some("never said".into()) },
        Action::Downgrade,
        Action::Hold { timeout_us: 5_000 },
        // It never answers, and is bypassed.
        #[cfg(unix)]
        Action::Hook { command: vec!["sleep".into(), "60".into()], timeout_us: 5_000 },
    ]
}

/// Everything that a client or a server of this dialect sends.
fn script(direction: Direction, is_event: bool) -> Vec<u8> {
    let texts = (0..20).map(|index| format!("words {index}"));
    let frames: Vec<Vec<u8>> = match (direction, is_event) {
        (Direction::ToServer, true) => [b"GLASSLINE2".to_vec(), frame(br#"{"type":"hello","name":"bob"}"#)]
            .into_iter()
            .chain(texts.map(|text| frame(format!(r#"{{"type":"send","room":"lobby","text":"{text}"}}"#).as_bytes())))
            .collect(),
        (Direction::ToClient, true) => {
            let message = |text| format!(r#"{{"type":"message","room":"lobby","from":"alice","text":"{text}"}}"#);
            texts.map(|text| frame(message(text).as_bytes())).collect()
        }
        (Direction::ToServer, false) => {
            std::iter::once(frame(b"bob")).chain(texts.map(|text| frame(text.as_bytes()))).collect()
        }
        (Direction::ToClient, false) => texts.flat_map(|text| [frame(b"alice"), frame(text.as_bytes())]).collect(),
    };
    frames.concat()
}

/// Returns what arrives up to the end of the stream or its reset.
fn arrived(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
    }
    bytes
}

/// Lets the client say everything before the server does; returns what arrived at the server and at
/// the client.
fn run(seed: u64, action: &Action, probability: f64, is_event: bool) -> (Vec<u8>, Vec<u8>) {
    let rule = Rule::new(Matcher::default(), action.clone()).with_probability(probability);
    let rules = Arc::new(RuleSet::new(seed, vec![rule]).unwrap());
    let fixture = RelayFixture::start(|options| options.apply(rules));
    let (mut client, mut server) = fixture.connect();
    let say = |from: &mut TcpStream, to: &mut TcpStream, direction| {
        // A rule may have ended the connection.
        let _ = from.write_all(&script(direction, is_event)).and_then(|()| from.shutdown(Shutdown::Write));
        arrived(to)
    };
    let to_server = say(&mut client, &mut server, Direction::ToServer);
    let to_client = say(&mut server, &mut client, Direction::ToClient);
    fixture.stop();
    (to_server, to_client)
}

#[test]
fn one_seed_gives_the_same_bytes_on_both_sides() {
    for is_event in [true, false] {
        for action in actions() {
            for seed in [1, 2] {
                let (first, second) = (run(seed, &action, 0.3, is_event), run(seed, &action, 0.3, is_event));
                let lengths = |run: &(Vec<u8>, Vec<u8>)| (run.0.len(), run.1.len());
                assert_eq!(lengths(&first), lengths(&second), "{action:?} with seed {seed}");
                assert!(first == second, "{action:?} with seed {seed}");
            }
        }
    }
}

#[test]
fn faults_of_time_alone_change_no_byte() {
    for action in actions() {
        let keeps_bytes = matches!(
            action,
            Action::Delay { .. }
                | Action::Stall { .. }
                | Action::Slice(_)
                | Action::Throttle { .. }
                | Action::Hold { .. }
                | Action::Hook { .. }
        );
        let unchanged = (script(Direction::ToServer, true), script(Direction::ToClient, true));
        // If every frame waits for others to pass first, none is overtaken.
        let probability = if matches!(action, Action::Reorder(_)) { 0.5 } else { 1.0 };
        assert_eq!(run(3, &action, probability, true) == unchanged, keeps_bytes, "{action:?}");
    }
}

#[test]
fn what_is_held_passes_when_the_tap_stops() {
    let wait = Action::Delay { delay_us: 3_600_000_000, jitter_us: 0 };
    for action in [Action::Hold { timeout_us: 3_600_000_000 }, wait] {
        let rules = Arc::new(RuleSet::new(1, vec![Rule::new(Matcher::default(), action)]).unwrap());
        let (observer, observations) = channel(1_000, 1 << 20);
        let fixture = RelayFixture::start(|options| options.apply(rules).observe(observer));
        let (mut client, mut server) = fixture.connect();
        client.write_all(&frame(b"bob")).unwrap();
        wait_for(&observations, |observation| matches!(observation, Observation::Arrived(..)));
        fixture.stop();
        assert_eq!(arrived(&mut server), frame(b"bob"));
    }
}
