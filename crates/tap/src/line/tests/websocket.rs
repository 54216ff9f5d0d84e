//! Frames within a WebSocket: read, changed, and put into messages again.

use glassline_wire::websocket::{FrameHeader, Opcode};
use proptest::prelude::*;

use super::*;
use crate::rules::Content;

const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// A WebSocket frame as a browser or a server sends it.
fn carrier(direction: Direction, is_final: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mask = (direction == UP).then_some([0x37, 0xfa, 0x21, 0x3d]);
    let header = FrameHeader { is_final, opcode, mask, payload_bytes: payload.len() as u64 };
    let key = mask.unwrap_or_default();
    let masked = payload.iter().zip(key.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    header.encode().as_ref().iter().copied().chain(masked).collect()
}

/// Content in messages of these lengths, every second one in two fragments with a ping between them.
fn messages(direction: Direction, content: &[u8], lengths: &[usize]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), content);
    for (index, length) in lengths.iter().cycle().enumerate() {
        if rest.is_empty() {
            break;
        }
        let (message, after) = rest.split_at((*length).min(rest.len()));
        if index % 2 == 0 {
            bytes.extend(carrier(direction, true, Opcode::Binary, message));
        } else {
            let (first, last) = message.split_at(message.len() / 2);
            bytes.extend(carrier(direction, false, Opcode::Binary, first));
            bytes.extend(carrier(direction, true, Opcode::Ping, b"there?"));
            bytes.extend(carrier(direction, true, Opcode::Continuation, last));
        }
        rest = after;
    }
    bytes
}

/// A session of the event dialect within a WebSocket, each step in messages of these lengths.
pub(super) fn session(lengths: &[usize]) -> Vec<(Direction, Vec<u8>)> {
    let mut script = vec![(UP, REQUEST.to_vec()), (DOWN, RESPONSE.to_vec())];
    for (direction, content) in event_session() {
        script.push((direction, messages(direction, &content, lengths)));
    }
    for direction in Direction::BOTH {
        script.push((direction, carrier(direction, true, Opcode::Close, b"\x03\xe8bye")));
    }
    script
}

/// Reads as the receivers of both directions do: the frames, and whether all of the rest was readable.
fn read(to_server: &[u8], to_client: &[u8]) -> (Vec<Vec<u8>>, Vec<FrameKind>) {
    let (mut splitter, mut frames) = (Splitter::new(1), Vec::new());
    let (request, response) = (&to_server[..REQUEST.len()], &to_client[..RESPONSE.len()]);
    splitter.receive(UP, request, 0, |frame| frames.push(frame));
    splitter.receive(DOWN, response, 0, |frame| frames.push(frame));
    splitter.receive(UP, &to_server[REQUEST.len()..], 0, |frame| frames.push(frame));
    splitter.receive(DOWN, &to_client[RESPONSE.len()..], 0, |frame| frames.push(frame));
    for direction in Direction::BOTH {
        assert!(!splitter.is_within_message(direction), "a message has no end");
        frames.extend(splitter.end(direction, 0));
    }
    let (others, content): (Vec<_>, Vec<_>) = frames
        .into_iter()
        .partition(|frame| matches!(frame.kind, FrameKind::Http | FrameKind::Control(_) | FrameKind::Raw(_)));
    let others = others.into_iter().map(|frame| frame.kind).filter(|kind| *kind != FrameKind::Control(Control::Ping));
    (content.into_iter().map(|frame| frame.bytes).collect(), others.collect())
}

const OTHERS: [FrameKind; 4] =
    [FrameKind::Http, FrameKind::Http, FrameKind::Control(Control::Close), FrameKind::Control(Control::Close)];

/// Frames of the session without a WebSocket, those of the client first.
fn plain() -> Vec<Vec<u8>> {
    let script = event_session();
    let mut frames = Vec::new();
    for direction in Direction::BOTH {
        let mut splitter = Splitter::new(1);
        splitter.receive(UP, &sent(&script, UP), 0, |frame| frames.extend((direction == UP).then_some(frame.bytes)));
        splitter.receive(DOWN, &sent(&script, DOWN), 0, |frame| {
            frames.extend((direction == DOWN).then_some(frame.bytes));
        });
    }
    frames
}

#[test]
fn without_rules_every_byte_passes_and_frames_are_seen() {
    let script = session(&[7, 300, 40]);
    let fixture = run(1, vec![], &script);
    assert_eq!((&fixture.to_server, &fixture.to_client), (&sent(&script, UP), &sent(&script, DOWN)));
    assert_eq!(read(&fixture.to_server, &fixture.to_client), (plain(), OTHERS.to_vec()));
}

#[test]
fn a_rule_changes_a_frame_within_a_message() {
    for lengths in [&[500][..], &[10, 3]] {
        let matcher = Matcher { text_contains: Some("secret 3".into()), ..up() };
        let edit = Edit::Replace { field: "text".into(), old: "secret".into(), new: "a much longer secret".into() };
        let injected =
            crate::rules::Injection { content: Content::Payload(b"{}".to_vec()), backwards: true, before: false };
        let rules =
            vec![Rule::new(matcher.clone(), Action::Edit(vec![edit])), Rule::new(matcher, Action::Inject(injected))];
        let fixture = run(1, rules, &session(lengths));
        let (frames, others) = read(&fixture.to_server, &fixture.to_client);
        assert_eq!(others, OTHERS, "{lengths:?}");
        let changed: Vec<_> = frames.iter().filter(|frame| !plain().contains(frame)).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(String::from_utf8_lossy(changed[0]).contains("a much longer secret 3"));
        assert_eq!(changed[1], &frame("{}"), "to its sender");
    }
}

#[test]
fn a_rule_for_every_frame_leaves_the_heads_alone() {
    let fixture = run(1, vec![Rule::new(Matcher::default(), Action::Drop)], &session(&[500]));
    assert_eq!(fixture.to_client, RESPONSE);
    let opening = [REQUEST, &crate::websocket::message(UP, b"GLASSLINE2")].concat();
    assert_eq!(fixture.to_server, opening);
}

#[test]
fn bytes_that_are_no_websocket_pass_as_they_came() {
    for rules in [vec![], vec![Rule::new(Matcher { kind: Some("x".into()), ..up() }, Action::Drop)]] {
        let text = carrier(UP, true, Opcode::Text, b"hello");
        let script = [(UP, REQUEST.to_vec()), (DOWN, RESPONSE.to_vec()), (UP, text.clone()), (UP, b"more".to_vec())];
        let fixture = run(1, rules, &script);
        assert_eq!(fixture.to_server, [REQUEST, &text, b"more"].concat());
    }
}

#[test]
fn a_refused_upgrade_leaves_http() {
    let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let page = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    let mut kinds = Vec::new();
    let mut splitter = Splitter::new(1);
    for (direction, bytes) in [(UP, REQUEST), (DOWN, refused), (UP, page)] {
        splitter.receive(direction, bytes, 0, |frame| kinds.push((direction, frame.kind, frame.dialect)));
    }
    let body = FrameKind::Raw(crate::frame::RawReason::Opaque);
    let expected = [(UP, FrameKind::Http), (DOWN, FrameKind::Http), (DOWN, body), (UP, FrameKind::Http)];
    assert_eq!(kinds, expected.map(|(direction, kind)| (direction, kind, Dialect::Http)));
}

proptest! {
    #[test]
    fn rules_may_come_and_go_at_any_byte(
        lengths in proptest::collection::vec(1_usize..120, 1..6),
        cuts in proptest::collection::vec(1_usize..60, 1..20),
        changes in proptest::collection::vec(0_usize..200, 0..4),
        begins_with_rules in any::<bool>(),
    ) {
        let never = || vec![Rule::new(Matcher { text: Some("never said".into()), ..Matcher::default() }, Action::Drop)];
        let mut has_rules = begins_with_rules;
        let mut fixture = Fixture::new(1, if has_rules { never() } else { vec![] });
        let mut index = 0;
        let mut sizes = cuts.iter().cycle();
        for (direction, bytes) in session(&lengths) {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                if changes.contains(&index) {
                    has_rules = !has_rules;
                    fixture.set_rules(if has_rules { never() } else { vec![] });
                }
                index += 1;
                let (slice, after) = rest.split_at(rest.len().min(*sizes.next().expect("endless")));
                fixture.send(direction, slice);
                rest = after;
            }
        }
        let fixture = fixture.finish();
        let (frames, others) = read(&fixture.to_server, &fixture.to_client);
        prop_assert_eq!(frames, plain());
        prop_assert_eq!(others, OTHERS.to_vec());
    }
}
