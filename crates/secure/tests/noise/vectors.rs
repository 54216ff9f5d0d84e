//! The conversation in `spec/vectors/noise.json`, which another implementation has made.

use std::fs;
use std::sync::Arc;

use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseServer, REKEY_RECORDS};
use glassline_secure::{Identity, NoRandomness, Random};
use glassline_wire::hex;
use glassline_wire::layer::{LayerFactory, LayerStack, LayerState};
use serde_json::Value;

use crate::pair::{Trust, output, receive};

/// The static key, then the ephemeral key.
#[derive(Debug)]
struct Keys(Vec<Vec<u8>>);

impl Random for Keys {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        bytes.copy_from_slice(&self.0.pop().ok_or_else(|| NoRandomness("asked too often".to_owned()))?);
        Ok(())
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value["hex"].as_str().expect("bytes as hex")).expect("hex")
}

fn keys(side: &Value) -> (Identity, Keys) {
    let seed = bytes(&side["identity"]).try_into().expect("32 bytes");
    (Identity::from_seed(&seed), Keys(vec![bytes(&side["ephemeral"]), bytes(&side["static"])]))
}

/// Takes the output of `from`, which must be `expected`, to the other side.
fn pass(from: &mut LayerStack, to: &mut LayerStack, expected: &[u8], what: &str) -> Vec<u8> {
    let sent = output(from);
    assert_eq!(sent, expected, "{what}");
    receive(to, &sent).expect("honest bytes")
}

#[test]
fn a_conversation_has_the_bytes_of_its_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/noise.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).expect("the vectors")).expect("JSON");
    let vector = &file["conversation"];
    let (client_keys, server_keys) = (keys(&vector["client"]), keys(&vector["server"]));
    let offer = bytes(&vector["offer"]);
    let server_name = String::from_utf8(offer[12..].to_vec()).expect("UTF-8");
    let identity = Some(Arc::new(client_keys.0));
    let options = NoiseClientOptions { server_name, identity, trust: Arc::<Trust>::default() };
    let mut client = NoiseClient::with_random(&options, client_keys.1).expect("keys").layers();
    let mut server = NoiseServer::with_random(&server_keys.0, server_keys.1).expect("keys").layers();

    let opening = [offer, bytes(&vector["message_1"])].concat();
    pass(&mut client, &mut server, &opening, "the opening");
    pass(&mut server, &mut client, &bytes(&vector["message_2"]), "message 2");
    pass(&mut client, &mut server, &bytes(&vector["message_3"]), "message 3");
    let peers = [client.facts().peer, server.facts().peer];
    assert_eq!(peers, [Some(server_keys.0.public()), options.identity.map(|identity| identity.public())]);

    let filler = vector["unlisted"].as_str().expect("a text");
    let mut next = [0, 0];
    for record in vector["records"].as_array().expect("a list") {
        let is_client = record["from"] == "client";
        let (from, to) = if is_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let next = &mut next[usize::from(is_client)];
        let number = record["number"].as_u64().expect("a number");
        while *next < number {
            from.send(&[filler.as_bytes()]);
            assert_eq!(receive(to, &output(from)), Ok(filler.as_bytes().to_vec()));
            *next += 1;
        }
        let plaintext = record["plaintext"].as_str().expect("a text").as_bytes();
        if plaintext.is_empty() {
            from.close();
        } else {
            assert_eq!(from.send(&[plaintext]), plaintext.len());
        }
        assert_eq!(pass(from, to, &bytes(&record["bytes"]), &record.to_string()), plaintext);
        *next += 1;
    }
    assert!(next[1] > 2 * REKEY_RECORDS, "the vectors include rekeys");
    assert_eq!((client.state(), server.state()), (LayerState::PeerClosed, LayerState::PeerClosed));
}
