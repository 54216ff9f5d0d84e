//! Cells of the program's own schemes.

use glassline_matrix::{Effort, Table, schemes};

#[test]
fn print_all() {
    let start = std::time::Instant::now();
    let table = Table::run(
        &schemes::all(),
        |_| true,
        Effort::Few,
        1,
        |cell| {
            if cell.scheme() == "plain" {
                return;
            }
            println!("{:?} {} {}: {:?}", start.elapsed(), cell.attack().id(), cell.scheme(), cell.result());
            if cell.scheme() != "sealed over tls" && cell.scheme() != "sealed over noise" {
                for line in cell.transcript().lines().iter().take(8) {
                    println!("      {line}");
                }
            }
        },
    );
    println!("{}", table.to_markdown());
    assert!(!table.cells().is_empty());
}
