//! Another Rust library in the same program, as a static one: it uses what every such library uses of std.

use std::collections::HashMap;
use std::ffi::c_int;
use std::sync::Mutex;

static SEEN: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Counts how often it was called, and returns that; catches a panic of its own on the way.
#[unsafe(no_mangle)]
pub extern "C" fn other_count() -> c_int {
    let caught = std::panic::catch_unwind(|| {
        let text = format!("{:?}", std::env::args().collect::<Vec<_>>());
        let mut seen = SEEN.lock().unwrap();
        let count = seen.get_or_insert_default().entry(text).or_default();
        *count += 1;
        c_int::try_from(*count).unwrap()
    });
    assert!(std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).is_err());
    caught.unwrap_or(-1)
}
