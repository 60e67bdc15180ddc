//! What is measured of images: how often a registry had to be asked.

use crate::images::Images;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use wayguard_webhook::metric::{Described, Number};

static LOOKUPS: Described = Described::counter(
    "wayguard_image_lookups",
    "Images that policies asked for: remembered, answered by a registry, or failed there",
)
.by(&["outcome"])
.when("with a cluster, `--image-authority` or `--image-allow`");

/// All of them.
#[cfg(test)]
pub(super) static METRICS: [&Described; 1] = [&LOOKUPS];

/// A view of what answers for images.
pub(crate) struct ImageLookups(pub(crate) Arc<Images>);

impl fmt::Debug for ImageLookups {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ImageLookups").finish_non_exhaustive()
    }
}

impl Collector for ImageLookups {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.0.counts();
        let failed = counts.failures.load(Ordering::Relaxed);
        let answered = counts.looks.load(Ordering::Relaxed).saturating_sub(failed);
        LOOKUPS.write_each(
            &mut encoder,
            [
                (vec!["remembered"], Number::from(&counts.hits)),
                (vec!["answered"], answered.into()),
                (vec!["failed"], failed.into()),
            ],
        )
    }
}
