//! What a metric is: its name, type, labels and meaning. Each is described once; the registry, the exposition and
//! `docs/reference/metrics.md` read the same description.

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Metric, Registry};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The types of metrics that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only grows; its name ends in `_total` where it is read.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
}

impl Type {
    /// As Prometheus' text form says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric as its reader meets it.
#[derive(Debug)]
pub struct Described {
    /// Without the `_total` of counters.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
    /// What it measures, without a full stop.
    pub help: &'static str,
    /// When it is there, if not always; a part of a sentence.
    pub when: &'static str,
}

impl Described {
    const fn new(kind: Type, name: &'static str, help: &'static str) -> Self {
        Self { name, kind, labels: &[], help, when: "" }
    }

    /// A counter.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(Type::Counter, name, help)
    }

    /// A gauge.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(Type::Gauge, name, help)
    }

    /// A histogram.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self::new(Type::Histogram, name, help)
    }

    /// With these labels.
    #[must_use]
    pub const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// There only under this condition.
    #[must_use]
    pub const fn when(self, when: &'static str) -> Self {
        Self { when, ..self }
    }

    /// Registers a metric under this description.
    pub(crate) fn register(&self, registry: &mut Registry, metric: impl Metric) {
        registry.register(self.name, self.help, metric);
    }

    /// Writes the one value of a metric without labels.
    ///
    /// # Errors
    /// If the exposition cannot be written to.
    pub fn write(&self, encoder: &mut DescriptorEncoder, value: impl Into<Number>) -> fmt::Result {
        value.into().encode(self.kind, self.begin(encoder)?)
    }

    /// Writes all series: the values of the labels, in their order, and the number.
    ///
    /// # Errors
    /// If the exposition cannot be written to.
    pub fn write_each<L: AsRef<str>>(
        &self,
        encoder: &mut DescriptorEncoder,
        series: impl IntoIterator<Item = (Vec<L>, Number)>,
    ) -> fmt::Result {
        let mut family = self.begin(encoder)?;
        for (values, number) in series {
            let values = values.iter().map(AsRef::as_ref);
            let labels: Vec<(&str, &str)> = self.labels.iter().copied().zip(values).collect();
            number.encode(self.kind, family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn begin<'e>(&self, encoder: &'e mut DescriptorEncoder) -> Result<MetricEncoder<'e>, fmt::Error> {
        let kind = match self.kind {
            Type::Counter => MetricType::Counter,
            Type::Gauge => MetricType::Gauge,
            Type::Histogram => MetricType::Histogram,
        };
        // What is registered gets its full stop from the registry.
        encoder.encode_descriptor(self.name, &format!("{}.", self.help), None, kind)
    }

    /// The name under which series are found: counters end in `_total`.
    pub fn series(&self) -> String {
        match self.kind {
            Type::Counter => format!("{}_total", self.name),
            Type::Gauge | Type::Histogram => self.name.to_owned(),
        }
    }
}

/// A value that is read off at a scrape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count.
    Whole(u64),
    /// Seconds, money.
    Real(f64),
}

impl Number {
    fn encode(self, kind: Type, encoder: MetricEncoder<'_>) -> fmt::Result {
        match (kind, self) {
            (Type::Counter, Self::Whole(value)) => ConstCounter::new(value).encode(encoder),
            (Type::Counter, Self::Real(value)) => ConstCounter::new(value).encode(encoder),
            // 2⁶³ is never met.
            (_, Self::Whole(value)) => {
                ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(encoder)
            }
            (_, Self::Real(value)) => ConstGauge::new(value).encode(encoder),
        }
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Number {
    fn from(value: bool) -> Self {
        Self::Whole(u64::from(value))
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&AtomicU64> for Number {
    fn from(value: &AtomicU64) -> Self {
        Self::Whole(value.load(Ordering::Relaxed))
    }
}

impl From<&AtomicBool> for Number {
    fn from(value: &AtomicBool) -> Self {
        value.load(Ordering::Relaxed).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::collector::Collector;

    static CLAIMS: Described = Described::gauge("claims", "Claims by phase").by(&["phase"]);
    static SECONDS: Described = Described::counter("cpu_seconds", "Time used");

    #[derive(Debug)]
    struct Sample;

    impl Collector for Sample {
        fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
            SECONDS.write(&mut encoder, 1.5)?;
            CLAIMS.write_each(&mut encoder, [(vec!["Ready"], 2_u64.into()), (vec!["a\n\"b"], 1_u64.into())])
        }
    }

    #[test]
    fn what_is_described_is_what_is_exposed() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Sample));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert_eq!(
            text,
            "# HELP cpu_seconds Time used.\n# TYPE cpu_seconds counter\ncpu_seconds_total 1.5\n# HELP claims Claims by phase.\n# TYPE claims gauge\nclaims{phase=\"Ready\"} 2\nclaims{phase=\"a\\n\\\"b\"} 1\n# EOF\n"
        );
        assert_eq!(SECONDS.series(), "cpu_seconds_total");
        assert_eq!(CLAIMS.series(), "claims");
    }
}
