//! `wayguard control --role=provisioning`: what claims and labelled Namespaces ask for.

use super::{Args, identity};
use crate::exit::Failure;
use crate::policies::Disk;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use wayguard_engine::policy::library::Library;
use wayguard_provisioning::controller::{Options, State};

/// What the command line says to the controller. `--policies` names folders with packages of classes.
///
/// # Errors
/// If one of them is none, or cannot be read.
pub(super) fn options(args: &Args) -> Result<Options, Failure> {
    let mut library = Library::embedded().as_ref().clone();
    for folder in &args.policies.policies {
        let folder = Path::new(folder);
        if !folder.join("provision").is_dir() {
            return Err(Failure::Invalid(format!(
                "`{}` is no folder with a folder `provision` in it, where the packages of classes lie",
                folder.display()
            )));
        }
        library = library.overlaid(&Disk::default().library_with_samples(folder)?);
    }
    Ok(Options {
        own_namespace: args.suite.own_namespace.clone(),
        identity: args.identity.clone().unwrap_or_else(identity),
        library: Arc::new(library),
    })
}

/// What the controller counts, for Prometheus.
#[derive(Debug)]
pub(super) struct Metrics(pub(super) Arc<State>);

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let state = &self.0;
        let leading = ConstGauge::new(i64::from(state.leading.load(Ordering::Relaxed)));
        let name = "wayguard_provisioning_leading";
        leading.encode(encoder.encode_descriptor(
            name,
            "Whether this process leads",
            None,
            leading.metric_type(),
        )?)?;
        for (name, help, value) in [
            ("wayguard_provisioning_rounds", "Rounds that were finished", &state.rounds),
            ("wayguard_provisioning_failures", "Triggers and rounds that failed", &state.failures),
            ("wayguard_provisioning_plans", "Plans that were made", &state.plans),
            ("wayguard_provisioning_writes", "Objects that were made, changed or taken away", &state.writes),
            (
                "wayguard_provisioning_corrections",
                "Objects that others had changed and that were put right",
                &state.corrections,
            ),
            ("wayguard_provisioning_statuses", "Statuses that were written", &state.statuses),
        ] {
            let value = ConstCounter::new(value.load(Ordering::Relaxed));
            value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)?;
        }
        let orphans =
            ConstGauge::new(i64::try_from(state.orphans.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
        let help = "Objects that were made for claims or namespaces that are gone";
        orphans.encode(encoder.encode_descriptor(
            "wayguard_provisioning_orphans",
            help,
            None,
            orphans.metric_type(),
        )?)?;
        let costs = state.costs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (name, help) =
            ("wayguard_provisioning_cost_eur", "What a team's claims cost together, in euro a month");
        let kind = ConstGauge::new(0.0_f64).metric_type();
        let mut family = encoder.encode_descriptor(name, help, None, kind)?;
        for (team, cost) in costs {
            ConstGauge::new(cost).encode(family.encode_family(&[("team", team.as_str())])?)?;
        }
        let phases = state.phases.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (name, help) = ("wayguard_provisioning_claims", "Claims by phase");
        let kind = ConstGauge::new(0_i64).metric_type();
        let mut family = encoder.encode_descriptor(name, help, None, kind)?;
        for (phase, count) in phases {
            let count = ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            count.encode(family.encode_family(&[("phase", phase.as_str())])?)?;
        }
        Ok(())
    }
}
