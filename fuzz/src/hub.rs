//! The hub: any order of logins, messages, commands, partial writes and departures; frames stay
//! whole and memory bounded.
#![no_main]

use std::net::Ipv4Addr;

use glassline_hub::{ConnectInfo, Hub, LoginOutcome, MemberId, NameHolder, Now, OperatorToken, Rules};
use glassline_wire::frame::Decoder;
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Hello, Send};
use glassline_wire::timestamp::Timestamp;
use libfuzzer_sys::fuzz_target;

const MEMBERS_MAX: usize = 6;
const TOKEN: &str = "correct-horse-battery";
const LOG_BYTES_MAX: usize = 64 << 10;

struct Peer {
    id: MemberId,
    decoder: Decoder,
}

fn receive(hub: &mut Hub, peer: &mut Peer, bytes_max: usize) {
    hub.skip_lost(peer.id);
    let bytes = hub.gather(peer.id).slices().concat();
    let sent = bytes.len().min(bytes_max);
    let mut input = &bytes[..sent];
    while peer.decoder.next(&mut input).expect("what the hub sends is framed").is_some() {}
    hub.advance(peer.id, sent);
}

fuzz_target!(|bytes: &[u8]| {
    let operator_token = OperatorToken::parse(TOKEN).ok();
    let rules = Rules { log_bytes_max: LOG_BYTES_MAX, operator_token, ..Rules::default() };
    let mut hub = Hub::new(rules);
    let mut peers: Vec<Peer> = Vec::new();
    let mut now_ms = 0;
    let mut rest = bytes;
    while let [operation, who, length, tail @ ..] = rest {
        let (argument, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        now_ms += u64::from(*who);
        let now = Now { monotonic_ms: now_ms, at: Timestamp::from_unix_ms(now_ms) };
        let text = String::from_utf8_lossy(argument);
        let index = usize::from(*who) % peers.len().max(1);
        let Some(id) = peers.get(index).map(|peer| peer.id).filter(|_| operation % 8 != 0) else {
            if peers.len() < MEMBERS_MAX {
                let connect_info = ConnectInfo {
                    connection: peers.len(),
                    token: 7,
                    address: Ipv4Addr::LOCALHOST.into(),
                    link: LinkFacts::PLAINTEXT,
                    now,
                };
                let entered = if operation & 8 == 0 {
                    hub.enter_tutorial(argument, connect_info).ok()
                } else {
                    let hello = Hello { name: text.into_owned(), ..Hello::default() };
                    match hub.enter_event(&hello, None, NameHolder::Unasked, connect_info) {
                        Ok(LoginOutcome::As(id)) => Some(id),
                        _ => None,
                    }
                };
                peers.extend(entered.map(|id| Peer { id, decoder: Decoder::event(1 << 20) }));
            }
            continue;
        };
        match operation % 8 {
            1 => {
                let reply = hub.say_text(id, &text, operation & 8 == 0, now);
                hub.reply(id, reply, None);
            }
            2 => {
                let send = Send {
                    room: "lobby".into(),
                    text: text.into_owned(),
                    id: MessageId(u128::from(*who)),
                    after: (operation & 8 == 0).then(|| u64::from(*length)),
                    action: false,
                    sealed: None,
                };
                let reply = hub.say(id, &send, Some("r".into()), now);
                hub.reply(id, reply, Some("r".into()));
            }
            3 => drop(hub.execute(id, &format!("/{text}"), now)),
            4 => receive(&mut hub, &mut peers[index], usize::from(*length) * 16),
            5 if operation & 8 == 0 => {
                let reply = hub.send_direct(id, &text, "psst", None, now);
                hub.reply(id, reply, None);
            }
            5 => {
                let away = (!argument.is_empty()).then_some(&*text);
                let text = hub.set_away(id, away, now).ok().and_then(|away| away.text).unwrap_or_default();
                assert!(!text.contains(char::is_control), "being away is one line");
                drop(hub.whois(&text, now));
                drop(hub.rooms_listed());
            }
            6 => drop(if operation & 8 == 0 { hub.join(id, &text, now) } else { hub.leave(id, &text, now) }),
            7 if operation & 8 == 0 => {
                if operation & 16 == 0 {
                    let reply = hub.operate(id, &format!("op {TOKEN}"), None, now);
                    hub.reply(id, reply, None);
                }
                let reply = hub.operate(id, &text, Some("r".into()), now);
                hub.reply(id, reply, Some("r".into()));
            }
            _ => {
                hub.depart(id, now);
                peers.remove(index);
            }
        }
        while let Some(disconnect) = hub.take_disconnect() {
            if let Some(at) = peers.iter().position(|peer| peer.id == disconnect.member) {
                hub.depart(disconnect.member, now);
                peers.remove(at);
            }
        }
        while hub.take_log_event().is_some() {}
        hub.tick(now);
        while let Some(ready) = hub.take_ready() {
            if let Some(peer) = peers.iter_mut().find(|peer| peer.id == ready) {
                receive(&mut hub, peer, usize::MAX);
            }
        }
        for _ in 0..*who {
            let Some(visited) = hub.next_in_round() else { break };
            if operation & 16 == 0
                && let Some(peer) = peers.iter_mut().find(|peer| peer.id == visited)
            {
                receive(&mut hub, peer, usize::MAX);
            }
        }
    }
    assert!(hub.len() == peers.len());
});
