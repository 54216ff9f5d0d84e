//! The broken schemes fall to the attacks that they show, and their fixes end these; removing one
//! protection makes exactly the expected cells fall.

use std::sync::Arc;

use glassline_matrix::{Adversary, Attack, Effort, LinkScheme, Scheme, Table, schemes};

use crate::broken::BROKEN;
use crate::reference::{Part, Reference};

fn link(name: &str, link: Arc<dyn LinkScheme>) -> Scheme {
    Scheme::new(name, link, Arc::new(schemes::Unsealed))
}

fn is_on_the_line(attack: &Attack) -> bool {
    attack.adversary() == Adversary::Line
}

/// Ids of the attacks that succeed on one scheme.
fn succeeding(scheme: Scheme, is_wanted: impl Fn(&Attack) -> bool) -> Vec<&'static str> {
    let table = Table::run(&[scheme], is_wanted, Effort::Few, 7, |cell| {
        assert!(cell.result().is_ok(), "{} on {}: {:?}", cell.attack().id(), cell.scheme(), cell.result());
    });
    table.cells().iter().filter(|cell| cell.word() == "succeeds").map(|cell| cell.attack().id()).collect()
}

#[test]
fn each_broken_scheme_falls_and_its_fix_ends_that() {
    for broken in &BROKEN {
        let is_shown = |attack: &Attack| broken.holes.contains(&attack.id());
        assert_eq!(succeeding(link(broken.name, (broken.make)(false)), is_shown), broken.holes, "{}", broken.name);
        assert!(succeeding(link(broken.name, (broken.make)(true)), is_shown).is_empty(), "{} fixed", broken.name);
    }
}

#[test]
fn the_sound_example_loses_only_to_a_stolen_server_key() {
    let all = succeeding(link("reference", Arc::new(Reference { without: None })), is_on_the_line);
    assert_eq!(all, ["stolen-keys-active"]);
}

#[test]
fn without_one_protection_exactly_its_cells_fall() {
    let reading = ["eavesdrop", "equality", "impersonate-member", "stolen-keys-past", "stolen-keys-passive", "stolen-session"];
    let cases: [(Part, &[&str]); 7] = [
        (Part::Encryption, &reading),
        (Part::Authentication, &["tamper"]),
        (Part::Numbers, &["replay-within", "reorder", "drop"]),
        (Part::Directions, &["reflect"]),
        (Part::End, &["truncate"]),
        (Part::Proof, &["impersonate-server", "impersonate-member", "first-use", "kci"]),
        (Part::FreshKey, &["replay-across", "stolen-keys-past", "stolen-keys-passive", "stolen-session"]),
    ];
    for (part, expected) in cases {
        let scheme = link("reference", Arc::new(Reference { without: Some(part) }));
        let mut fallen = succeeding(scheme, is_on_the_line);
        fallen.retain(|id| *id != "stolen-keys-active");
        assert_eq!(fallen, expected, "without {part:?}");
    }
}
