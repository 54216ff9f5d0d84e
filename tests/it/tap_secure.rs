//! `glassline tap` on secure links: in the middle of them, and beside them with a key log.

use glassline_secure::Identity;
use glassline_wire::link::LinkKind;
use serde_json::json;

use crate::harness::{EventClient, LinkClient, ServerProcess, Tutorial};
use crate::tap::Tap;

const SECURE: [(LinkKind, &str); 2] = [(LinkKind::Tls, "TLS"), (LinkKind::Noise, "Noise")];

#[test]
fn an_intercepting_tap_reads_and_changes_what_is_said() {
    let server = ServerProcess::serve(&["--history", "none"]);
    let rule = r#"edit to=server text~noon replace.text="noon=>midnight""#;
    let tap = Tap::start(server.address, &["--json", "--intercept", "--rule", rule]);
    let identity = Identity::from_seed(&[9; 32]);
    let mut seen = Vec::new();
    for (link, scheme) in SECURE {
        let client = LinkClient::new(link, Some(&identity));
        let mut eve = EventClient::join_over(client.connect(tap.address), &format!("eve-{link}"));
        let mut tom = Tutorial::join_over(client.connect(tap.address), &format!("tom-{link}"));
        eve.say("meet me at noon");
        tom.expect_message(&format!("eve-{link}"), "meet me at midnight");
        tap.observe(|seen| seen["observation"] == "intercepted" && seen["link"] == link.as_str());
        let said = tap.observe(|seen| seen["content"]["text"] == "meet me at noon");
        assert_eq!((&said["speaker"], &said["dialect"]), (&json!(format!("eve-{link}")), &json!("event")));
        // The server knows the key of the tap as that of the member.
        eve.send(&json!({"type": "whois", "name": format!("eve-{link}")}));
        let whois = std::iter::repeat_with(|| eve.event()).find(|event| event["type"] == "whois").expect("found");
        assert_eq!(whois["link"], link.as_str());
        assert!(whois["key"].as_str().is_some_and(|key| key.len() == 64), "{whois}");
        seen.push((scheme, client.seen_key().expect("a handshake"), whois["key"].clone()));
    }
    assert_eq!(seen[0].2, seen[1].2, "one identity for both schemes");
    let (ended, _) = tap.interrupt();
    for (scheme, key, _) in seen {
        let shown = format!("key that {scheme} clients are shown, made for this run: {key}");
        assert!(ended.stderr.contains(&shown), "{shown}: {ended:?}");
    }
}

#[test]
fn a_recording_without_its_secrets_is_complete_and_says_so() {
    let server = ServerProcess::serve(&["--history", "none"]);
    let tap = Tap::start(server.address, &["--json", "--record", "tls.pcapng", "--key-log", "keys"]);
    let mut eve = EventClient::join_over(LinkClient::new(LinkKind::Tls, None).connect(tap.address), "eve");
    eve.barrier();
    let problem = tap.observe(|seen| seen["observation"] == "problem");
    let text = problem["text"].as_str().expect("words");
    assert!(text.starts_with("connection 1 stays encrypted in the recording"), "{text}");
    let (ended, home) = tap.interrupt();
    assert!(ended.stderr.contains("tls.pcapng: 1 connection") && ended.stderr.contains("complete"), "{ended:?}");
    assert!(home.join("tls.pcapng").exists());
}
