//! `--pure` (T9): exactly the tutorial's behaviour, without its crashes.

use glassline_server::Config;

use crate::harness::{Server, Tutorial, Wire, frame};

#[test]
fn a_pure_server_relays_untouched_and_has_no_words_of_its_own() {
    let server = Server::with(Config { pure: true, ..Config::default() });
    let mut alice = Wire::enter_pure(server.address, "alice");
    let mut namesake = Wire::connect(server.address);
    let texts: [&[u8]; 5] = [b"hi", b"/help", b"\x1b]52;c;aGk=\x07", b"\xff\xfe", b""];
    namesake.send([frame("alice"), texts.map(frame).concat()].concat());
    for text in texts {
        assert_eq!(alice.payload().as_deref(), Ok(b"alice".as_slice()));
        assert_eq!(alice.payload().as_deref(), Ok(text));
    }
    namesake.send("/exit");
    assert_eq!(namesake.rest(), b"");
    let mut third = Wire::connect(server.address);
    third.send([frame("third"), frame("after")].concat());
    assert_eq!(alice.payload().as_deref(), Ok(b"third".as_slice()), "nobody's coming or going is announced");
}

#[test]
fn a_pure_server_refuses_without_a_word() {
    let server = Server::with(Config { pure: true, ..Config::default() });
    for opening in [b"GLASSLINE2".as_slice(), b"-5        ", b"9999999999", b"GET / HTTP/1.1\r\n\r\n", b"GLASSNOISE"] {
        let mut peer = Tutorial::connect(server.address);
        peer.send_bytes(opening);
        assert_eq!(peer.expect_closed(), []);
    }
}
