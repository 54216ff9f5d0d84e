//! Cells of the program's own schemes.

use glassline_matrix::{Effort, Table, schemes};

#[test]
fn print_all() {
    let table = Table::run(&schemes::all(), |_| true, Effort::Few, 1, |cell| {
        println!("{} {}: {:?}", cell.attack().id(), cell.scheme(), cell.result());
        for line in cell.transcript().lines().iter().take(12) {
            println!("      {line}");
        }
    });
    assert!(!table.cells().is_empty());
}
