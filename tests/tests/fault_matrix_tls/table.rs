//! `docs/fault-matrix.md` says what there is.

use std::collections::BTreeSet;
use std::path::Path;

/// The sources of a test binary.
fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"))
        .collect()
}

/// The names of tests in a cell of the table.
fn tests(cell: &str) -> Vec<&str> {
    cell.split('`').filter(|word| word.starts_with("row")).collect()
}

/// The rows of a first cell: `7`, or `6–10`.
fn numbers(cell: &str) -> std::ops::RangeInclusive<u32> {
    let (first, last) = cell.split_once('–').unwrap_or((cell, cell));
    first.parse().expect("a row")..=last.parse().expect("a row")
}

#[test]
fn every_row_is_in_the_table_and_every_test_it_names_exists() {
    let (simulator, sockets) = (sources("fault_matrix"), sources("fault_matrix_tls"));
    let document = include_str!("../../../docs/fault-matrix.md");
    let table = document
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells[0].starts_with(|first: char| first.is_ascii_digit()));
    let (mut in_simulator, mut over_sockets) = (BTreeSet::new(), BTreeSet::new());
    for cells in table {
        assert_eq!(cells.len(), 5, "{cells:?}");
        let there = tests(cells[3]);
        // A cell that begins so names the simulator's tests again.
        let again = match cells[4].starts_with("the same") {
            true => there.clone(),
            false => Vec::new(),
        };
        let here = [again, tests(cells[4].split(" (").next().unwrap_or_default())].concat();
        for (names, text, shown) in [
            (&there, &simulator, &mut in_simulator),
            (&here, &sockets, &mut over_sockets),
        ] {
            for name in names {
                assert!(text.contains(&format!("#[test]\nfn {name}()")), "no test {name}");
                let number: u32 = name[4..6].parse().expect("row_NN_");
                assert!(
                    numbers(cells[0]).contains(&number),
                    "{name} is not of row {}",
                    cells[0]
                );
                shown.insert(number);
            }
        }
    }
    // Every row is shown at both stages.
    let all: BTreeSet<u32> = (1..=52).collect();
    assert_eq!((in_simulator, over_sockets), (all.clone(), all));
}
