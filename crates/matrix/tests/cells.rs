//! Properties of the runs; their outcomes are compared with `docs/threats.md` by
//! `cargo xtask test matrix`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use glassline_matrix::schemes::{self, Noise, Unsealed};
use glassline_matrix::{Cell, Effort, LinkScheme, MemberKeys, Memory, Scheme, Secret, Selection, ServerKeys, Table};
use glassline_wire::layer::LayerStack;

fn row(schemes: &[Scheme], selection: &str, seed: u64) -> Vec<Cell> {
    let selection: Selection = selection.parse().unwrap();
    Table::run(schemes, &selection, Effort::Few, seed, |_| {}).cells().to_vec()
}

/// Clients and servers whose keys never fit, so that nothing passes.
#[derive(Debug)]
struct Dead(Noise);

impl LinkScheme for Dead {
    fn public(&self, _: &Secret) -> Vec<u8> {
        b"nobody has this key".to_vec()
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        self.0.client(keys, memory, random)
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        self.0.server(keys, random)
    }
}

#[test]
fn a_dead_conversation_stops_nothing_and_is_a_defect() {
    let dead = Scheme::new("dead", Arc::new(Dead(Noise::default())), Arc::new(Unsealed));
    for cell in row(&[dead.only(glassline_matrix::Adversary::Line)], "/", 1) {
        assert!(cell.result().is_err(), "{}", cell.to_text());
    }
}

#[test]
fn a_cell_runs_again_with_the_same_transcript() {
    let schemes: Vec<Scheme> = schemes::all().into_iter().filter(|scheme| scheme.name() != "tls").collect();
    for selection in ["eavesdrop/noise", "tamper/noise", "split-view/sealed", "equality/plain"] {
        let (first, again) = (row(&schemes, selection, 5), row(&schemes, selection, 5));
        assert_eq!(first.len(), 1, "{selection}");
        assert_eq!(first[0].transcript(), again[0].transcript(), "{selection}");
        assert_ne!(first[0].transcript(), row(&schemes, "sizes/noise", 5)[0].transcript());
    }
}

#[test]
fn outcomes_do_not_depend_on_the_seed() {
    let words = |seed| -> Vec<&'static str> { row(&schemes::all()[..3], "/", seed).iter().map(Cell::word).collect() };
    assert_eq!(words(1), words(2));
}

#[test]
fn a_page_has_a_transcript_for_each_cell_and_no_script() {
    let selection: Selection = "/plain".parse().unwrap();
    let table = Table::run(&schemes::all(), &selection, Effort::Few, 1, |_| {});
    let page = table.to_html();
    for cell in table.cells() {
        let anchor = format!("{}--plain", cell.attack().id());
        assert!(
            page.contains(&format!("href=\"#{anchor}\"")) && page.contains(&format!("id=\"{anchor}\"")),
            "{anchor}"
        );
    }
    assert!(!page.contains("<script") && !page.contains("://") && !page.contains("src="), "other files");
}

#[test]
fn a_selection_names_a_cell_a_row_or_a_column() {
    let count = |text: &str| row(&schemes::all()[..1], text, 1).len();
    assert_eq!(count("reorder/plain"), 1);
    assert_eq!(count("reorder/"), 1);
    assert_eq!(count("reorder/noise"), 0);
    assert!("reorder".parse::<Selection>().is_err());
}
