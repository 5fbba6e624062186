//! The register of metrics, which knows their names and writes them.

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::{Metric, Registry, Unit};

/// The prefix of every metric's name.
pub const METRICS_PREFIX: &str = "neticket";

/// One label: its name and its value, which is one of a small fixed set.
pub(super) type Label = [(&'static str, &'static str); 1];

/// Registers the metrics of the application and of the server around it. It keeps their names for the
/// documentation.
#[derive(Debug)]
pub struct Register {
    registry: Registry,
    names: Vec<String>,
}

impl Default for Register {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(METRICS_PREFIX), names: Vec::new() }
    }
}

impl Register {
    /// Adds `metric`. `help` is a sentence without its full stop. The `name` of a counter does not contain
    /// `_total`.
    pub fn add<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.names.push(format!("{METRICS_PREFIX}_{name}"));
        self.registry.register(name, help, metric.clone());
        metric
    }

    /// Adds a metric that measures seconds. `_seconds` is appended to its name.
    pub fn add_seconds<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.names.push(format!("{METRICS_PREFIX}_{name}_seconds"));
        self.registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }

    /// The names of all metrics, as in the table of docs/metrics.md (a counter's without `_total`).
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes all metrics that have a value, in the OpenMetrics text format, without its end mark.
    pub fn write(&self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = encode_registry(text, &self.registry);
    }
}
