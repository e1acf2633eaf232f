//! The table of `main.rs` says what there is.

use std::path::Path;

/// The sources of a test binary, without the table itself.
fn sources(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    files
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"))
        .collect()
}

#[test]
fn every_row_is_in_the_table_and_every_test_it_names_exists() {
    let (simulator, sockets) = (sources("fault_matrix"), sources("fault_matrix_tls"));
    let table = include_str!("main.rs");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells[0] != "row")
        .collect();
    assert!(
        rows.iter()
            .map(|cells| cells[0])
            .eq((1..=52).map(|row| row.to_string()))
    );
    let (mut shown, mut excused) = (0, 0);
    for cells in rows {
        for (name, text) in [(cells[2], &simulator), (cells[3], &sockets)] {
            if name == "-" {
                assert!(cells[4].len() > 10, "row {} has no reason", cells[0]);
                excused += 1;
                continue;
            }
            let name = name.trim_matches('`');
            let of_the_row = format!("row_{:0>2}_", cells[0]);
            assert!(name.starts_with(&of_the_row), "{name} is not of row {}", cells[0]);
            assert!(text.contains(&format!("#[test]\nfn {name}()")), "no test {name}");
            shown += 1;
        }
    }
    assert_eq!((shown, excused), (104, 0));
}
