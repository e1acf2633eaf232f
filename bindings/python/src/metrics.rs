//! Counts and latencies for a monitoring system, as plain numbers and as OpenMetrics text.

use std::collections::BTreeMap;

use pushcore::session::{Histogram, Metrics};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::client::stats;
use crate::errors::OrRaise;
use crate::session::Session;

/// The counts and latencies of a client at one moment.
#[pyclass(frozen, module = "pushcore", name = "Metrics")]
pub(crate) struct PyMetrics(pub(crate) Metrics);

#[pymethods]
impl PyMetrics {
    /// The sum of the metrics of several sessions of one service: of a client's loops, say.
    #[staticmethod]
    #[pyo3(name = "_sum")]
    fn sum(service: &crate::service::Service, sessions: Vec<Bound<'_, Session>>) -> Self {
        let mut sum = Metrics::new(service.service_kind());
        for session in sessions {
            let one = session.get().metrics_now();
            sum.stats += &one.stats;
            sum.latencies += &one.latencies;
        }
        Self(sum)
    }

    /// The name of the service.
    #[getter]
    fn service(&self) -> &'static str {
        self.0.service.as_str()
    }

    /// How many messages are where, under the names of `stats()`.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        stats(py, &self.0.stats)
    }

    /// How long messages took, by phase: `queue`, `wire`, `whole`.
    #[getter]
    fn latencies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, histogram) in self.0.latencies.list() {
            dict.set_item(name, PyHistogram(*histogram))?;
        }
        Ok(dict)
    }

    /// OpenMetrics text of this client alone, with labels of the caller's own.
    #[pyo3(signature = (labels=None))]
    fn to_open_metrics(&self, py: Python<'_>, labels: Option<BTreeMap<String, String>>) -> PyResult<String> {
        text(py, &[(labels.unwrap_or_default(), self.0)])
    }

    /// OpenMetrics text of several clients, each with labels that tell it from the others.
    #[staticmethod]
    fn open_metrics(py: Python<'_>, clients: &Bound<'_, PyAny>) -> PyResult<String> {
        let mut all = Vec::new();
        for pair in clients.try_iter()? {
            let (labels, metrics): (BTreeMap<String, String>, Bound<'_, Self>) = pair?.extract()?;
            all.push((labels, metrics.get().0));
        }
        text(py, &all)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Metrics {} submitted={} ended={}>",
            self.0.service,
            self.0.stats.submitted,
            self.0.stats.ended()
        )
    }
}

fn text(py: Python<'_>, all: &[(BTreeMap<String, String>, Metrics)]) -> PyResult<String> {
    let labels: Vec<Vec<(&str, &str)>> = all
        .iter()
        .map(|(labels, _)| {
            labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect()
        })
        .collect();
    let sessions: Vec<(&[(&str, &str)], Metrics)> = labels
        .iter()
        .zip(all)
        .map(|(labels, (_, metrics))| (labels.as_slice(), *metrics))
        .collect();
    Metrics::open_metrics(&sessions).or_raise(py)
}

/// Durations, counted in fixed steps.
#[pyclass(frozen, module = "pushcore", name = "Histogram")]
pub(crate) struct PyHistogram(Histogram);

#[pymethods]
impl PyHistogram {
    /// The number of durations.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// The sum of all durations, in seconds.
    #[getter]
    fn sum(&self) -> f64 {
        self.0.sum().as_secs_f64()
    }

    /// The steps: pairs of an upper bound in seconds (`None` for the last step, which has none) and the number of durations in
    /// this step alone.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let steps = self
            .0
            .steps()
            .map(|(bound, count)| (bound.map(|bound| bound.as_secs_f64()), count));
        PyList::new(py, steps.collect::<Vec<_>>())
    }

    fn __repr__(&self) -> String {
        format!("<Histogram count={} sum={:.3}>", self.0.count(), self.sum())
    }
}
