//! What a monitoring system reads: counts and latencies as plain numbers, and as OpenMetrics text.

use std::fmt::Write;
use std::time::Duration;

use super::latency::{Histogram, Latencies};
use super::stats::Stats;
use crate::error::{Error, ErrorKind};
use crate::service::Kind;

/// The counts and latencies of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// The service that the session sends to.
    pub service: Kind,
    /// How many messages are where.
    pub stats: Stats,
    /// How long messages took.
    pub latencies: Latencies,
}

/// The labels that the text has of its own.
const OWN_LABELS: [&str; 5] = ["service", "outcome", "place", "phase", "le"];

impl Metrics {
    /// Returns the counts of a session that has sent nothing.
    pub fn new(service: Kind) -> Self {
        Self {
            service,
            stats: Stats::default(),
            latencies: Latencies::default(),
        }
    }

    /// Returns the text for a scraper of several sessions, in the form of OpenMetrics 1.0
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`), which Prometheus reads. Each session has labels that tell it
    /// from the others of its service, for example `[("app", "com.example.app")]`.
    ///
    /// The families are `pushcore_messages_total` by `outcome`, `pushcore_messages_requeued_total`, `pushcore_messages_present` by
    /// `place` (`queued`, `open`, `held`) and the histogram `pushcore_latency_seconds` by `phase` (`queue`, `wire`, `whole`). There is
    /// no token and no text of a peer in it.
    ///
    /// ```
    /// use pushcore::service::Kind;
    /// use pushcore::session::Metrics;
    ///
    /// # fn main() -> Result<(), pushcore::Error> {
    /// let text = Metrics::open_metrics(&[(&[("app", "com.example.app")], Metrics::new(Kind::Apns))])?;
    /// assert!(text.contains(r#"pushcore_messages_total{service="apns",app="com.example.app",outcome="accepted"} 0"#));
    /// assert!(text.ends_with("# EOF\n"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidValue` for a label whose name is none in OpenMetrics (letters, digits and `_`, not a digit first), or which the text has
    /// of its own: `service`, `outcome`, `place`, `phase`, `le`.
    pub fn open_metrics(sessions: &[(&[(&str, &str)], Metrics)]) -> Result<String, Error> {
        let mut all = Vec::with_capacity(sessions.len());
        for (labels, metrics) in sessions {
            all.push((written(metrics.service, labels)?, metrics));
        }
        let mut out = String::new();
        family(
            &mut out,
            "pushcore_messages",
            "counter",
            "",
            "Messages that have ended, by their end.",
        );
        for (labels, metrics) in &all {
            for (outcome, count) in ends(&metrics.stats) {
                line(
                    &mut out,
                    "pushcore_messages_total",
                    labels,
                    ("outcome", outcome),
                    count,
                );
            }
        }
        let help = "Attempts of messages that failed and were made again.";
        family(&mut out, "pushcore_messages_requeued", "counter", "", help);
        for (labels, metrics) in &all {
            let count = metrics.stats.requeued;
            // Writing to a string does not fail.
            let _ = writeln!(out, "pushcore_messages_requeued_total{{{labels}}} {count}");
        }
        let help = "Messages that have not ended, by the place where they are.";
        family(&mut out, "pushcore_messages_present", "gauge", "", help);
        for (labels, metrics) in &all {
            let Stats {
                queued, open, held, ..
            } = metrics.stats;
            for (place, count) in [("queued", queued), ("open", open), ("held", held)] {
                line(
                    &mut out,
                    "pushcore_messages_present",
                    labels,
                    ("place", place),
                    count,
                );
            }
        }
        let help = "How long messages took: waiting for a stream, on it, and in all.";
        family(&mut out, "pushcore_latency_seconds", "histogram", "seconds", help);
        for (labels, metrics) in &all {
            for (phase, histogram) in metrics.latencies.list() {
                write_histogram(&mut out, labels, phase, histogram);
            }
        }
        out.push_str("# EOF\n");
        Ok(out)
    }
}

/// The ends of messages and how many had each.
fn ends(stats: &Stats) -> [(&'static str, u64); 10] {
    [
        ("accepted", stats.accepted),
        ("token_gone", stats.token_gone),
        ("token_mismatch", stats.token_mismatch),
        ("retry_later", stats.retry_later),
        ("fix_credentials", stats.fix_credentials),
        ("rejected", stats.rejected),
        ("not_sent", stats.not_sent),
        ("unknown", stats.unknown),
        ("expired", stats.expired),
        ("cancelled", stats.cancelled),
    ]
}

fn family(out: &mut String, name: &str, kind: &str, unit: &str, help: &str) {
    let _ = writeln!(out, "# TYPE {name} {kind}");
    if !unit.is_empty() {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    let _ = writeln!(out, "# HELP {name} {help}");
}

fn line(out: &mut String, name: &str, labels: &str, (label, value): (&str, &str), count: u64) {
    let _ = writeln!(out, "{name}{{{labels},{label}=\"{value}\"}} {count}");
}

fn write_histogram(out: &mut String, labels: &str, phase: &str, histogram: &Histogram) {
    let name = "pushcore_latency_seconds";
    let mut total = 0;
    for (bound, count) in histogram.steps() {
        total += count;
        let bound = bound.map_or_else(|| "+Inf".to_owned(), seconds);
        let _ = writeln!(
            out,
            "{name}_bucket{{{labels},phase=\"{phase}\",le=\"{bound}\"}} {total}"
        );
    }
    let _ = writeln!(out, "{name}_count{{{labels},phase=\"{phase}\"}} {total}");
    let sum = seconds(histogram.sum());
    let _ = writeln!(out, "{name}_sum{{{labels},phase=\"{phase}\"}} {sum}");
}

/// A number with a point, as OpenMetrics wants its bounds.
fn seconds(duration: Duration) -> String {
    format!("{:?}", duration.as_secs_f64())
}

/// The labels as they are written, the service first.
fn written(service: Kind, labels: &[(&str, &str)]) -> Result<String, Error> {
    let mut out = format!("service=\"{service}\"");
    for (name, value) in labels {
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') || OWN_LABELS.contains(name) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "not a name for a label of one's own",
            ));
        }
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = write!(out, ",{name}=\"{value}\"");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_whole_and_end_with_the_word() {
        let mut apns = Metrics::new(Kind::Apns);
        apns.stats.accepted = 7;
        apns.stats.open = 2;
        apns.latencies.wire.record(Duration::from_millis(3));
        apns.latencies.wire.record(Duration::from_secs(90));
        let fcm = Metrics::new(Kind::Fcm);
        let text = Metrics::open_metrics(&[(&[("app", "a\"b\\c\nd")], apns), (&[("app", "x")], fcm)])
            .expect("labels");
        let apns = r#"service="apns",app="a\"b\\c\nd""#;
        for expected in [
            format!("pushcore_messages_total{{{apns},outcome=\"accepted\"}} 7"),
            format!("pushcore_messages_present{{{apns},place=\"open\"}} 2"),
            format!("pushcore_latency_seconds_bucket{{{apns},phase=\"wire\",le=\"0.0025\"}} 0"),
            format!("pushcore_latency_seconds_bucket{{{apns},phase=\"wire\",le=\"0.005\"}} 1"),
            format!("pushcore_latency_seconds_bucket{{{apns},phase=\"wire\",le=\"60.0\"}} 1"),
            format!("pushcore_latency_seconds_bucket{{{apns},phase=\"wire\",le=\"+Inf\"}} 2"),
            format!("pushcore_latency_seconds_count{{{apns},phase=\"wire\"}} 2"),
            format!("pushcore_latency_seconds_sum{{{apns},phase=\"wire\"}} 90.003"),
            "pushcore_messages_total{service=\"fcm\",app=\"x\",outcome=\"accepted\"} 0".to_owned(),
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected}\n{text}");
        }
        // One head for a family, before all of its lines.
        let mut heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        assert_eq!(heads.len(), 4);
        heads.dedup();
        assert_eq!(heads.len(), 4);
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn labels_that_are_none_are_refused() {
        for name in ["", "1a", "a-b", "le", "service", "ä"] {
            let labels: &[(&str, &str)] = &[(name, "x")];
            let error = Metrics::open_metrics(&[(labels, Metrics::new(Kind::Adm))]);
            assert_eq!(error.expect_err(name).kind(), ErrorKind::InvalidValue);
        }
    }
}
