//! The broken schemes fall to the attacks that they show, and their fixes end these; removing one
//! protection makes exactly the expected cells fall.

use std::collections::BTreeMap;
use std::sync::Arc;

use glassline_matrix::{Adversary, Effort, LinkScheme, Scheme, Selection, Table, schemes};

use crate::broken::BROKEN;
use crate::reference::{Part, Reference};
use crate::sabotage::Sabotage;

const SEED: u64 = 7;

fn link(name: &str, link: Arc<dyn LinkScheme>) -> Scheme {
    Scheme::new(name, link, Arc::new(schemes::Unsealed)).only(Adversary::Line)
}

/// Ids of the attacks that succeed on one scheme, of the whole table or of one row.
fn succeeding(scheme: Scheme, selection: &str) -> Vec<&'static str> {
    let selection: Selection = selection.parse().unwrap();
    let table = Table::run(&[scheme], &selection, Effort::Few, SEED, |cell| {
        assert!(cell.result().is_ok(), "{}: {:?}", cell.replay(), cell.result());
    });
    assert!(!table.cells().is_empty());
    table.cells().iter().filter(|cell| cell.word() == "succeeds").map(|cell| cell.attack().id()).collect()
}

/// Ids of the attacks that succeed on a scheme and do not on the whole one, on which these do.
fn fallen(whole: &[&str], scheme: Scheme) -> Vec<&'static str> {
    succeeding(scheme, "/").into_iter().filter(|id| !whole.contains(id)).collect()
}

#[test]
fn each_broken_scheme_falls_and_its_fix_ends_that() {
    for broken in &BROKEN {
        for hole in broken.holes {
            let row = format!("{hole}/");
            assert_eq!(succeeding(link(broken.name, (broken.make)(false)), &row), [*hole], "{}", broken.name);
            assert!(succeeding(link(broken.name, (broken.make)(true)), &row).is_empty(), "{} fixed", broken.name);
        }
    }
}

#[test]
fn the_sound_example_loses_only_to_stolen_secrets() {
    let reference = link("reference", Arc::new(Reference { without: None }));
    assert_eq!(succeeding(reference, "/"), ["stolen-keys-active", "stolen-session"]);
}

#[test]
fn without_one_part_exactly_its_cells_of_the_example_fall() {
    let cases: [(Part, &[&str]); 7] = [
        (
            Part::Encryption,
            &[
                "eavesdrop",
                "equality",
                "impersonate-member",
                "stolen-keys-past",
                "stolen-keys-passive",
                "stolen-session-others",
            ],
        ),
        (Part::Authentication, &["tamper"]),
        (Part::Numbers, &["replay-within", "reorder", "drop"]),
        (Part::Directions, &["reflect"]),
        (Part::End, &["tamper", "truncate"]),
        (Part::Proof, &["impersonate-server", "impersonate-member", "first-use", "kci"]),
        (Part::FreshKey, &["replay-across", "stolen-keys-past", "stolen-keys-passive", "stolen-session-others"]),
    ];
    let whole = succeeding(link("reference", Arc::new(Reference { without: None })), "/");
    for (part, expected) in cases {
        let sabotaged = link("reference", Arc::new(Reference { without: Some(part) }));
        assert_eq!(fallen(&whole, sabotaged), expected, "without {part:?}");
    }
}

/// Asserts which attacks succeed on a scheme without one protection, in addition to those on the whole.
fn assert_fallen(cases: &[(Sabotage, &[&str])]) {
    let bases = schemes::all().into_iter().filter(|scheme| cases.iter().any(|(of, _)| of.base() == scheme.name()));
    let whole: BTreeMap<String, Vec<&str>> =
        bases.map(|scheme| (scheme.name().to_owned(), succeeding(scheme, "/"))).collect();
    for (sabotage, expected) in cases {
        assert_eq!(fallen(&whole[sabotage.base()], sabotage.scheme()), *expected, "without {sabotage:?}");
    }
}

#[test]
fn without_a_protection_of_a_link_exactly_its_cells_fall() {
    assert_fallen(&[
        (Sabotage::TlsPin, &["impersonate-server", "impersonate-member", "kci"]),
        (Sabotage::TlsEnd, &["tamper", "truncate"]),
        (Sabotage::TlsStrict, &["reflect", "downgrade"]),
        (Sabotage::NoisePin, &["impersonate-server", "impersonate-member", "kci"]),
        (Sabotage::NoiseEnd, &["tamper", "truncate"]),
        (Sabotage::NoiseStrict, &["reflect", "downgrade"]),
    ]);
}

#[test]
fn without_a_protection_of_the_seal_exactly_its_cells_fall() {
    assert_fallen(&[
        (Sabotage::SealPin, &["swap-key"]),
        (Sabotage::SealOrder, &["server-reorders", "server-drops", "server-replays"]),
        (Sabotage::SealView, &["split-view"]),
        (Sabotage::SealName, &["misattribute"]),
        (Sabotage::SealSender, &["swap-key", "misattribute", "forge-member"]),
        (Sabotage::SealMemory, &["stolen-session", "server-rewrites", "claims-unsealed"]),
        (Sabotage::SealEpoch, &["splice-room"]),
        (Sabotage::SealRoom, &["splice-room"]),
    ]);
}

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// Ids of the attacks that succeed on a program of the folder of examples.
fn succeeding_on(program: &str) -> Vec<&'static str> {
    let scheme = glassline_matrix::program::scheme(&std::path::Path::new(PYTHON).join(program)).unwrap();
    succeeding(scheme, "/")
}

#[test]
fn the_page_leads_to_a_scheme_of_less_than_100_lines() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemes.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```python\n").skip(1).filter_map(|rest| rest.split_once("\n```")).map(|(block, _)| block).collect();
    let read = |name: &str| std::fs::read_to_string(format!("{PYTHON}/{name}")).unwrap();
    assert_eq!(blocks[0].trim(), read("empty.py").trim());
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    };
    let scheme = read("own_key.py");
    assert_eq!(lines(&blocks[1..].join("\n")), lines(&scheme));
    assert!(lines(&scheme).len() < 100, "{} lines", lines(&scheme).len());
}

#[test]
fn the_scheme_of_the_page_loses_only_to_stolen_secrets() {
    assert_eq!(succeeding_on("own_key.py"), ["stolen-keys-active", "stolen-session"]);
}

#[test]
fn the_empty_scheme_of_the_page_is_as_weak_as_plain() {
    let plain = schemes::all().into_iter().find(|scheme| scheme.name() == "plain").unwrap().only(Adversary::Line);
    assert_eq!(succeeding_on("empty.py"), succeeding(plain, "/"));
}
