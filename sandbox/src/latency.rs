//! How long a service takes to answer: a distribution for each service, drawn with a seed.

use crate::fault::{SERVICES, known};
use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// No answer is held back longer than this, whatever the distribution's tail says.
const LONGEST_MS: f64 = 600_000.0;

/// A distribution of delays, in milliseconds.
///
/// As text (on the command line): `fixed:20`, `uniform:5,50`, `exponential:20`,
/// `normal:20,5`, `log-normal:20,0.5`; in JSON `{"kind": "log_normal", "median_ms": 20, "sigma": 0.5}`.
/// What a distribution gives below 0 is 0, and above ten minutes ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Fixed {
        /// The delay.
        ms: f64,
    },
    /// Anything between two bounds, equally likely.
    Uniform {
        /// The shortest delay.
        min_ms: f64,
        /// The longest delay.
        max_ms: f64,
    },
    /// Many short delays, few long ones: arrivals of a Poisson process.
    Exponential {
        /// The mean.
        mean_ms: f64,
    },
    /// The bell curve.
    Normal {
        /// The mean.
        mean_ms: f64,
        /// The standard deviation.
        deviation_ms: f64,
    },
    /// The logarithm is normal: a median and a long tail, as networks have them.
    LogNormal {
        /// Half the delays are shorter.
        median_ms: f64,
        /// The standard deviation of the logarithm: 0.5 is mild (the 99th percentile is three
        /// times the median), 1 is wild (ten times).
        sigma: f64,
    },
}

impl Latency {
    /// The parameters are finite and not negative, and bounds are in their order.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let (first, second) = match *self {
            Self::Fixed { ms } => (ms, 0.0),
            Self::Uniform { min_ms, max_ms } if min_ms > max_ms => {
                return Err(format!("{min_ms} to {max_ms} is no range"));
            }
            Self::Uniform { min_ms, max_ms } => (min_ms, max_ms),
            Self::Exponential { mean_ms } => (mean_ms, 0.0),
            Self::Normal {
                mean_ms,
                deviation_ms,
            } => (mean_ms, deviation_ms),
            Self::LogNormal { median_ms, sigma } => (median_ms, sigma),
        };
        let good = |value: f64| value.is_finite() && value >= 0.0;
        if good(first) && good(second) {
            return Ok(());
        }
        Err("a latency's parameters are finite and not negative".to_owned())
    }

    /// The next delay.
    pub(crate) fn draw(&self, random: &mut Random) -> Duration {
        let ms = match *self {
            Self::Fixed { ms } => ms,
            Self::Uniform { min_ms, max_ms } => min_ms + random.unit() * (max_ms - min_ms),
            Self::Exponential { mean_ms } => -(1.0 - random.unit()).ln() * mean_ms,
            Self::Normal {
                mean_ms,
                deviation_ms,
            } => mean_ms + random.normal() * deviation_ms,
            Self::LogNormal { median_ms, sigma } => median_ms * (sigma * random.normal()).exp(),
        };
        // Also takes care of NaN, which no checked distribution gives.
        let ms = if ms > 0.0 { ms.min(LONGEST_MS) } else { 0.0 };
        Duration::from_secs_f64(ms / 1000.0)
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not fixed:MS, uniform:MIN,MAX, exponential:MEAN, normal:MEAN,DEVIATION \
                 or log-normal:MEDIAN,SIGMA"
            )
        };
        let (kind, numbers) = text.split_once(':').ok_or_else(wrong)?;
        let numbers: Vec<f64> = numbers
            .split(',')
            .map(|number| number.trim().parse().map_err(|_| wrong()))
            .collect::<Result<_, _>>()?;
        let latency = match (kind, numbers.as_slice()) {
            ("fixed", &[ms]) => Self::Fixed { ms },
            ("uniform", &[min_ms, max_ms]) => Self::Uniform { min_ms, max_ms },
            ("exponential", &[mean_ms]) => Self::Exponential { mean_ms },
            ("normal", &[mean_ms, deviation_ms]) => Self::Normal {
                mean_ms,
                deviation_ms,
            },
            ("log-normal", &[median_ms, sigma]) => Self::LogNormal { median_ms, sigma },
            _ => return Err(wrong()),
        };
        latency.check()?;
        Ok(latency)
    }
}

/// The services' latencies, each with its own stream of chance.
#[derive(Debug)]
pub(crate) struct Latencies {
    seed: u64,
    services: BTreeMap<&'static str, (Latency, Random)>,
}

impl Latencies {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            services: BTreeMap::new(),
        }
    }

    /// Sets the latency of a service (of all, when `service` is `None`) from now on; its stream of
    /// chance begins anew.
    pub(crate) fn set(&mut self, service: Option<&str>, latency: Option<Latency>) -> Result<(), String> {
        let services = match service {
            Some(name) => vec![known(name)?],
            None => SERVICES.to_vec(),
        };
        if let Some(latency) = latency {
            latency.check()?;
        }
        for service in services {
            match latency {
                Some(latency) => {
                    let random = Random::new(self.seed, service);
                    self.services.insert(service, (latency, random));
                }
                None => drop(self.services.remove(service)),
            }
        }
        Ok(())
    }

    /// All streams of chance begin anew.
    pub(crate) fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
        for (service, (_, random)) in &mut self.services {
            *random = Random::new(seed, service);
        }
    }

    pub(crate) fn draw(&mut self, service: &str) -> Duration {
        match self.services.get_mut(service) {
            Some((latency, random)) => latency.draw(random),
            None => Duration::ZERO,
        }
    }

    pub(crate) fn list(&self) -> BTreeMap<&'static str, Latency> {
        let pairs = self.services.iter();
        pairs
            .map(|(service, (latency, _))| (*service, *latency))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorted draws, in milliseconds.
    fn draws(text: &str, count: usize) -> Vec<f64> {
        let latency: Latency = text.parse().expect(text);
        let mut random = Random::new(1, text);
        let mut all: Vec<f64> = (0..count)
            .map(|_| latency.draw(&mut random).as_secs_f64() * 1000.0)
            .collect();
        all.sort_by(f64::total_cmp);
        all
    }

    fn close(value: f64, to: f64) -> bool {
        (value / to - 1.0).abs() < 0.05
    }

    #[test]
    fn distributions_have_their_mean_and_quantiles() {
        let count = 20_000;
        let mean = |all: &[f64]| all.iter().sum::<f64>() / 20_000.0;
        let at = |all: &[f64], percent: usize| all[count * percent / 100];
        let fixed = draws("fixed:20", count);
        assert!(fixed[0] == 20.0 && fixed[count - 1] == 20.0);
        let uniform = draws("uniform:10,50", count);
        assert!(uniform[0] >= 10.0 && uniform[count - 1] < 50.0);
        assert!(close(at(&uniform, 25), 20.0) && close(at(&uniform, 75), 40.0));
        let exponential = draws("exponential:20", count);
        // Quantiles of the exponential distribution: -ln(1 - q) times the mean.
        assert!(close(mean(&exponential), 20.0) && close(at(&exponential, 95), 59.91));
        let normal = draws("normal:100,10", count);
        assert!(close(mean(&normal), 100.0) && close(at(&normal, 84), 109.94));
        let log_normal = draws("log-normal:20,0.5", count);
        // e to the power of 0.5 times the normal quantiles 0, 1.645 and 2.326.
        assert!(close(at(&log_normal, 50), 20.0));
        assert!(close(at(&log_normal, 95), 45.52));
        assert!(close(at(&log_normal, 99), 63.99));
    }

    #[test]
    fn a_tail_is_cut_and_nothing_is_negative() {
        let normal = draws("normal:1,1000", 1000);
        assert!(normal[0] == 0.0 && normal[999] > 1000.0);
        let wild = draws("log-normal:500000,5", 1000);
        assert!(wild[999] == LONGEST_MS);
    }

    #[test]
    fn nonsense_is_no_latency() {
        for text in [
            "",
            "20",
            "fixed",
            "fixed:",
            "fixed:x",
            "fixed:-1",
            "fixed:nan",
            "fixed:inf",
            "fixed:1,2",
            "uniform:5",
            "uniform:9,5",
            "uniform:-1,5",
            "log_normal:1,1",
            "pareto:1,2",
        ] {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
        assert!(
            Latency::LogNormal {
                median_ms: 1.0,
                sigma: f64::NAN
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn a_seed_gives_the_same_delays_again_and_services_do_not_disturb_each_other() {
        let uniform: Latency = "uniform:0,100".parse().expect("a latency");
        let mut alone = Latencies::new(5);
        alone.set(Some("apns"), Some(uniform)).expect("set");
        let wanted: Vec<_> = (0..10).map(|_| alone.draw("apns")).collect();
        let mut both = Latencies::new(5);
        both.set(Some("apns"), Some(uniform)).expect("set");
        both.set(Some("fcm"), Some(uniform)).expect("set");
        let seen: Vec<_> = (0..10)
            .map(|_| {
                let _ = both.draw("fcm");
                both.draw("apns")
            })
            .collect();
        assert_eq!(seen, wanted);
        both.set_seed(6);
        assert_ne!(both.draw("apns"), wanted[0]);
        both.set_seed(5);
        assert_eq!(both.draw("apns"), wanted[0]);
        both.set(Some("apns"), None).expect("set");
        assert_eq!(both.draw("apns"), Duration::ZERO);
        both.set(None, Some(uniform)).expect("set");
        assert_eq!(both.list().len(), SERVICES.len());
        assert!(both.set(Some("apn"), Some(uniform)).is_err());
    }
}
