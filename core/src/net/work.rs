//! A count of the work that tests compare: places of tables looked at, frames and streams walked over.
//! The same run counts the same on every machine.

use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Counts work of this thread.
pub(crate) fn add(units: u64) {
    COUNT.with(|count| count.set(count.get() + units));
}

/// Returns how much work `f` did.
pub(crate) fn of(f: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    f();
    COUNT.with(Cell::get) - before
}
