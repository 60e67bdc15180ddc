//! Objects of our own kinds, judged when they are applied by what the cluster knows.

use std::sync::Arc;
use wayguard_cluster::{Client, PolicyWatch, bundles, images};
use wayguard_engine::facts::AccessQuestion;
use wayguard_engine::policy::choice::Chosen;
use wayguard_engine::policy::spec::PolicySpec;
use wayguard_webhook::{Applied, Asker, BoxFuture, KindJudge};

/// Asks the API server for what objects name, and the policies that are loaded for what their sources may be.
pub(super) struct AppliedKinds {
    pub(super) client: Client,
    pub(super) own_namespace: String,
    pub(super) policies: Arc<PolicyWatch>,
    pub(super) claims: wayguard_provisioning::admission::Judge,
}

impl KindJudge for AppliedKinds {
    fn judge(&self, applied: Applied) -> BoxFuture<'_, Option<Result<(), String>>> {
        Box::pin(async move {
            let Applied { kind, namespace: _, name, spec, object, asker } = applied;
            let Asker { user, uid, groups, extra } = asker;
            let asker = AccessQuestion { user, uid, groups, extra, ..AccessQuestion::default() };
            if let Some(said) = self.claims.judge(&object, asker).await {
                return Some(said);
            }
            if let Some(said) = bundles::check(&kind, &name, &spec) {
                return Some(said);
            }
            images::check(&self.client, &self.own_namespace, &kind, &name, spec).await
        })
    }

    fn chosen(&self, name: String, spec: PolicySpec) -> Chosen {
        match self.policies.loaded() {
            Some(loaded) => loaded.chosen(name, spec),
            None => Chosen { name, spec, files: None },
        }
    }
}
