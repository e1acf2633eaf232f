//! What a number of a case may be.

use serde_json::Value;

/// An exact number, or a range with both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    least: f64,
    most: f64,
}

impl Bounds {
    /// The bounds of `7` or `[3, 7]`.
    pub(super) fn read(value: &Value) -> Self {
        if let Some(number) = value.as_f64() {
            return Self {
                least: number,
                most: number,
            };
        }
        let ends = value.as_array().filter(|ends| ends.len() == 2);
        let end = |nth: usize| ends.and_then(|ends| ends[nth].as_f64());
        match (end(0), end(1)) {
            (Some(least), Some(most)) => Self { least, most },
            _ => panic!("neither a number nor two of them: {value}"),
        }
    }

    /// Whether `number` is within them.
    pub(super) fn hold(self, number: f64) -> bool {
        (self.least..=self.most).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Bounds;

    #[test]
    fn numbers_and_ranges() {
        assert!(Bounds::read(&json!(7)).hold(7.0));
        assert!(!Bounds::read(&json!(7)).hold(8.0));
        let range = Bounds::read(&json!([3, 7.5]));
        assert_eq!(
            [2.9, 3.0, 7.5, 7.6].map(|number| range.hold(number)),
            [false, true, true, false]
        );
    }
}
