//! The cases, as the file has them.

use serde_json::{Map, Value};

const FILE: &str = include_str!("../../drivers/cases.json");

/// The keys that a case may have.
const KEYS: [&str; 16] = [
    "name",
    "row",
    "what",
    "service",
    "size",
    "options",
    "server",
    "connections",
    "second",
    "lookups",
    "proxy",
    "steps",
    "expect",
    "lenient",
    "lacks",
    "early",
];

/// The drivers that play the suite. Another language adds its own.
pub const DRIVERS: [&str; 8] = [
    "rust", "tokio", "python", "asyncio", "uvloop", "c", "kotlin", "swift",
];

/// One case of the suite.
#[derive(Clone, Debug)]
pub struct Case(Map<String, Value>);

impl Case {
    /// Its name.
    pub fn name(&self) -> &str {
        self.0["name"].as_str().expect("a name")
    }

    /// The reason why the driver of this name cannot play it; `None` where it has to.
    pub fn lacks(&self, driver: &str) -> Option<&str> {
        self.get("lacks")?.get(driver)?.as_str()
    }

    /// The value of this key, where the case has one.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        debug_assert!(KEYS.contains(&key), "{key}");
        self.0.get(key)
    }

    fn read(value: &Value, defaults: &Map<String, Value>) -> Self {
        let mut fields = value.as_object().expect("a case").clone();
        for key in fields.keys() {
            assert!(KEYS.contains(&key.as_str()), "no case has `{key}`: {value}");
        }
        let mut options = defaults.clone();
        if let Some(own) = fields.get("options").and_then(Value::as_object) {
            options.extend(own.clone());
        }
        fields.insert("options".to_owned(), options.into());
        Self(fields)
    }
}

/// All of them, in the file's order.
///
/// # Panics
/// Where the file is not what it ought to be.
pub fn cases() -> Vec<Case> {
    let file: Value = serde_json::from_str(FILE).expect("JSON");
    let defaults = file["options"].as_object().expect("options");
    let cases: Vec<Case> = file["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| Case::read(case, defaults))
        .collect();
    for (nth, case) in cases.iter().enumerate() {
        let again = cases[..nth].iter().any(|other| other.name() == case.name());
        assert!(!again, "two cases are called {}", case.name());
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of the fault matrix is a case here, or the file says where else it is shown.
    #[test]
    fn every_row_is_here_or_elsewhere() {
        let file: Value = serde_json::from_str(FILE).expect("JSON");
        let cases = cases();
        let has = |row: u64| cases.iter().any(|case| case.get("row") == Some(&row.into()));
        for row in 1..=52 {
            let elsewhere = file["elsewhere"].get(row.to_string());
            assert_ne!(has(row), elsewhere.is_some_and(Value::is_string), "row {row}");
        }
    }

    /// Whoever lacks a case says why, and is a driver that there is.
    #[test]
    fn lacks_are_of_drivers_and_have_reasons() {
        for case in &cases() {
            for (driver, reason) in case.get("lacks").and_then(Value::as_object).into_iter().flatten() {
                assert!(DRIVERS.contains(&driver.as_str()), "{}: {driver}", case.name());
                assert!(
                    reason.as_str().is_some_and(|reason| reason.len() > 20),
                    "{}: {reason}",
                    case.name()
                );
            }
        }
    }
}
