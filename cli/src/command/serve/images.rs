//! What is known of images, beside what the cluster knows.

use crate::images::{Images, fact};
use std::sync::Arc;
use std::time::Instant;
use wayguard_engine::facts::{Fact, FactKey};
use wayguard_images::registry::credentials::Keyring;
use wayguard_webhook::{BoxFuture, FactSource};

/// A source of facts that also knows images.
pub(super) struct WithImages {
    pub(super) beside: Arc<dyn FactSource>,
    pub(super) images: Arc<Images>,
    pub(super) keyring: Keyring,
}

impl FactSource for WithImages {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        match key {
            FactKey::Image { reference, .. } => {
                self.images.at_hand(reference, &self.keyring).map(Fact::Known)
            }
            key => self.beside.at_hand(key),
        }
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        Box::pin(async move {
            let (images, others): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|key| matches!(key, FactKey::Image { .. }));
            let images = images.into_iter().map(|key| async move {
                let FactKey::Image { reference, .. } = &key else { return None };
                let fact = fact(&self.images, &self.keyring, reference, deadline).await;
                Some((key, fact))
            });
            let others = async {
                if others.is_empty() { Vec::new() } else { self.beside.fetch(others, deadline).await }
            };
            let (images, mut answers) =
                futures::future::join(futures::future::join_all(images), others).await;
            answers.extend(images.into_iter().flatten());
            answers
        })
    }
}
