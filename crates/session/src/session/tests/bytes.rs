//! Any bytes of a server, in any slicing.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_slicing_of_the_servers_bytes_gives_the_same_updates(
        cuts in proptest::collection::vec(0_usize..1_200, 0..30),
        tutorial in any::<bool>(),
    ) {
        let bytes = if tutorial {
            frames(&["bob", "hi", "*", "cyd joined", "", "", "二", "🙂\n"])
        } else {
            frames(&[
                WELCOME,
                r#"{"type":"joined","room":"lobby","names":["bob"],"count":1}"#,
                r#"{"type":"message","room":"lobby","seq":5,"from":"bob","text":"二 🙂"}"#,
                r#"{"type":"hologram"}"#,
                r#"{"type":"gap","room":"lobby","from":6,"to":9}"#,
                r#"{"type":"notice","text":"x"}"#,
                r#"{"type":"bye","text":"the server stops"}"#,
            ])
        };
        let choice = if tutorial { DialectChoice::Tutorial } else { DialectChoice::Event };
        let mut whole = TestClient::new(choice, None);
        whole.connect();
        whole.receive_bytes(&bytes);
        let mut sliced = TestClient::new(choice, None);
        sliced.connect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            sliced.receive_bytes(&bytes[pair[0]..pair[1]]);
        }
        prop_assert!(whole.updates.len() >= 4);
        prop_assert_eq!(whole.updates, sliced.updates);
    }

    #[test]
    fn no_bytes_of_a_server_make_a_session_panic(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
        tutorial in any::<bool>(),
    ) {
        let mut client = if tutorial { TestClient::tutorial() } else { TestClient::event() };
        for chunk in chunks {
            client.receive_bytes(&chunk);
            client.pass_ms(10);
        }
    }
}
