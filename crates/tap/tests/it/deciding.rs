//! Rules, decisions and hooks on a running relay.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use glassline_tap::relay::Observations;
use glassline_tap::{Decision, End, FrameId, Observation, Rule, RuleSet};

use crate::relay_fixture::{RelayFixture, rest, sent, wait_for};

const OPENING: &[u8] = b"GLASSLINE2";

fn rules(lines: &[&str]) -> Arc<RuleSet> {
    let rules: Vec<Rule> = lines.iter().map(|line| line.parse().unwrap()).collect();
    Arc::new(RuleSet::new(7, rules).unwrap())
}

fn fixture(lines: &[&str]) -> (RelayFixture, Observations) {
    let rules = rules(lines);
    let (observer, observations) = glassline_tap::relay::channel(1_000, 1 << 20);
    (RelayFixture::start(|options| options.observe(observer).apply(rules)), observations)
}

fn id(text: &str) -> FrameId {
    text.parse().unwrap()
}

fn frame(text: &str) -> Vec<u8> {
    let payload = format!(r#"{{"type":"send","room":"lobby","text":"{text}"}}"#);
    format!("{:<10}{payload}", payload.len()).into_bytes()
}

/// Reads exactly these bytes.
#[track_caller]
fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut arrived = vec![0; bytes.len()];
    stream.read_exact(&mut arrived).unwrap();
    assert_eq!(String::from_utf8_lossy(&arrived), String::from_utf8_lossy(bytes));
}

#[test]
fn a_held_frame_waits_for_its_answer() {
    let (fixture, observations) = fixture(&["hold to=server text~wait"]);
    let (mut client, mut server) = fixture.connect();
    assert_eq!(sent(&mut client, &mut server, OPENING), OPENING);
    client.write_all(&frame("wait")).unwrap();
    client.write_all(&frame("behind")).unwrap();
    let Observation::Asked(ask) = wait_for(&observations, |seen| matches!(seen, Observation::Asked(_))) else {
        unreachable!()
    };
    assert_eq!((ask.frame.number, &ask.frame.bytes), (2, &frame("wait")));
    // The other direction is not held.
    assert_eq!(sent(&mut server, &mut client, &frame("back")), frame("back"));
    fixture.handle.answer(id("1>2"), Decision::Replace(frame("other")));
    expect(&mut server, &[frame("other"), frame("behind")].concat());
    // An answer to nothing, and to nobody.
    fixture.handle.answer(id("1>2"), Decision::Drop);
    fixture.handle.answer(id("9>1"), Decision::Drop);
    assert_eq!(sent(&mut client, &mut server, &frame("on")), frame("on"));
}

#[test]
fn a_held_frame_passes_at_its_deadline() {
    let (fixture, _reports) = fixture(&["hold to=server timeout=50ms"]);
    let (mut client, mut server) = fixture.connect();
    assert_eq!(sent(&mut client, &mut server, OPENING), OPENING);
    assert_eq!(sent(&mut client, &mut server, &frame("late")), frame("late"));
}

#[test]
fn a_frame_passes_at_once_if_nobody_can_be_asked() {
    let rules = rules(&["hold to=server text~wait"]);
    let (observer, observations) = glassline_tap::relay::channel(1, 1 << 20);
    let relay_fixture = RelayFixture::start(|options| options.observe(observer).apply(rules));
    let (mut client, mut server) = relay_fixture.connect();
    // The opening takes the only place.
    assert_eq!(sent(&mut client, &mut server, OPENING), OPENING);
    assert_eq!(sent(&mut client, &mut server, &frame("wait")), frame("wait"));
    drop(client);
    let omitted = wait_for(&observations, |seen| matches!(seen, Observation::Omitted { .. }));
    // The frame, the question, and that it passed.
    assert_eq!(omitted, Observation::Omitted { observations: 3, frames: 1 });
}

#[test]
fn other_rules_hold_at_once() {
    let (fixture, _reports) = fixture(&["drop to=server text~secret"]);
    let (mut client, mut server) = fixture.connect();
    client.write_all(&[OPENING, &frame("secret"), &frame("one")].concat()).unwrap();
    expect(&mut server, &[OPENING, &frame("one")].concat());
    fixture.handle.set_rules(rules(&["edit to=server text~one set.text=two"]));
    // The rules are in force before the relay takes an answer to anything.
    fixture.handle.answer(id("1>9"), Decision::Pass);
    client.write_all(&[frame("secret"), frame("one")].concat()).unwrap();
    expect(&mut server, &frame("secret"));
    let mut edited = vec![0; frame("two").len()];
    server.read_exact(&mut edited).unwrap();
    assert!(String::from_utf8_lossy(&edited).contains(r#""text":"two""#));
    fixture.handle.set_rules(Arc::default());
}

#[test]
fn a_cut_ends_both_sides() {
    let (fixture, observations) = fixture(&["cut to=server text~end end=reset at=12"]);
    let (mut client, mut server) = fixture.connect();
    client.write_all(&[OPENING, &frame("one"), &frame("end")].concat()).unwrap();
    let (arrived, ended) = rest(&mut server);
    assert_eq!(arrived, [OPENING, &frame("one"), &frame("end")[..12]].concat());
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(rest(&mut client).1.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let is_end = |seen: &Observation| matches!(seen, Observation::Ended { end: End::Reset, by_tap: true, .. });
    wait_for(&observations, is_end);
    wait_for(&observations, |seen| matches!(seen, Observation::Closed { connection: 1, .. }));
}

#[test]
fn bytes_held_for_long_do_not_stop_the_others() {
    let (fixture, _reports) = fixture(&["stall to=server text~stand for=60m"]);
    let (mut client, mut server) = fixture.connect();
    let mut other = fixture.connect();
    assert_eq!(sent(&mut client, &mut server, OPENING), OPENING);
    client.write_all(&[frame("stand"), frame("still")].concat()).unwrap();
    assert_eq!(sent(&mut other.0, &mut other.1, OPENING), OPENING);
    assert_eq!(sent(&mut server, &mut client, &frame("back")), frame("back"));
    // Without the rule everything passes.
    fixture.handle.set_rules(Arc::default());
    expect(&mut server, &[frame("stand"), frame("still")].concat());
}

#[cfg(unix)]
#[test]
fn a_hook_decides() {
    let script = r#"while read -r line; do
        number=${line#*\"frame\":}; number=${number%%,*}
        case $line in *forbidden*) action=drop;; *) action=pass;; esac
        echo "{\"connection\":1,\"direction\":\"to_server\",\"frame\":$number,\"action\":\"$action\"}"
    done"#;
    let folder = glassline_testkit::Folder::new();
    let path = folder.write("hook.sh", script);
    let (fixture, _reports) = fixture(&[&format!("hook to=server command='sh {}' timeout=20s", path.display())]);
    let (mut client, mut server) = fixture.connect();
    client.write_all(&[OPENING, &frame("one"), &frame("forbidden"), &frame("two")].concat()).unwrap();
    expect(&mut server, &[OPENING, &frame("one"), &frame("two")].concat());
}

#[cfg(unix)]
#[test]
fn a_hook_that_hangs_is_bypassed() {
    let (fixture, observations) = fixture(&["hook to=server command='sleep 600' timeout=50ms"]);
    let (mut client, mut server) = fixture.connect();
    assert_eq!(sent(&mut client, &mut server, OPENING), OPENING);
    assert_eq!(sent(&mut client, &mut server, &frame("late")), frame("late"));
    let Observation::Problem { text, .. } = wait_for(&observations, |seen| matches!(seen, Observation::Problem { .. }))
    else {
        unreachable!()
    };
    assert!(text.contains("sleep") && text.contains("bypassed"), "{text}");
    for _ in 0..100 {
        assert_eq!(sent(&mut client, &mut server, &frame("on")), frame("on"));
    }
    fixture.stop();
}
