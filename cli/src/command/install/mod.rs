//! `wayguard install`: the objects of an installation, shown or applied.

mod survey;

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::output::{GOOD, Output, QUIET, styled};
use crate::policies::{PolicyArgs, Sources};
use std::collections::BTreeSet;
use wayguard_cluster::images::{LoginSecret, REPORT_GROUP, REPORT_PLURAL};
use wayguard_cluster::install::{
    Applied, ClassAccount, History, InstallOptions, InventoryRight, Provisioning, apply, objects,
};
use wayguard_cluster::{Client, manifest};
use wayguard_engine::expansion::plural;
use wayguard_engine::policy::choice::{DEFAULT_BUNDLES, SELF_SERVICE};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::metadata::{self, Metadata};
use wayguard_provisioning::Class;

/// Options of `install`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard install --image registry.example/wayguard:0.1.0 --dry-run     show the objects
  wayguard install --image registry.example/wayguard:0.1.0               install; it observes, nothing is refused
  wayguard install --image registry.example/wayguard:0.1.0 --enforce     show what would be refused, then enforce

Applying it again is an upgrade. `kubectl delete clusterrole wayguard-anchor` takes the webhook configurations out.")]
pub(crate) struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,

    /// The image of all Pods
    #[arg(long, value_name = "IMAGE", env = "WAYGUARD_IMAGE")]
    image: String,

    /// The suite's own namespace
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    own_namespace: String,

    /// Replicas of the server
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    replicas: u32,

    /// Refuse what the policies deny; without it everything is only recorded
    #[arg(long)]
    enforce: bool,

    /// Read Gatekeeper's objects too; installs its kinds where they are not, and the rights to read them
    #[arg(long)]
    gatekeeper: bool,

    /// Self-service too: the controller for claims and labelled Namespaces, the classes that ship, and an account for each
    /// with exactly the rights that it needs. Classes that are there already stay as they are
    #[arg(long)]
    provisioning: bool,

    /// Keep decisions and audit states too: a Pod with a database on a volume of the default storage class
    #[arg(long)]
    history: bool,

    /// How large that volume is
    #[arg(long, value_name = "SIZE", default_value = "10Gi", requires = "history")]
    history_volume: String,

    /// Keep them in PostgreSQL instead: a Secret of the suite's own namespace with the database's `url`
    #[arg(long, value_name = "SECRET", requires = "history", conflicts_with = "history_volume")]
    history_database: Option<String>,

    /// Print the objects as YAML and touch nothing
    #[arg(long)]
    dry_run: bool,

    /// A kind that policies of the cluster may look up, as GROUP/PLURAL (`/` before the plural for core); repeatable.
    /// What the policies that are named here look up is added to it
    #[arg(long, value_name = "GROUP/PLURAL", value_parser = inventory_right)]
    inventory: Vec<InventoryRight>,

    /// A kind whose objects the audit may list, as GROUP/PLURAL; repeatable. What the policies that are named here judge is
    /// added to it; Secrets are never listed
    #[arg(long, value_name = "GROUP/PLURAL", value_parser = inventory_right)]
    audit: Vec<InventoryRight>,

    /// A Secret of the suite's own namespace that the server may read, for keys that ImageAuthorities name; repeatable
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,

    /// A Secret of the suite's own namespace with logins of registries; with `=NAMESPACE,…` only for images of those
    /// namespaces; repeatable
    #[arg(long, value_name = "NAME[=NAMESPACE,…]")]
    registry_secret: Vec<LoginSecret>,

    /// Serve with the certificate in this Secret of the suite's own namespace (`tls.crt`, `tls.key`), and trust its `ca.crt`, as
    /// cert-manager makes and renews them. [default: `control` makes an authority]
    #[arg(long, value_name = "NAME", conflicts_with = "history")]
    certificate_secret: Option<String>,

    /// The priority class of all Pods; empty for none
    #[arg(long, value_name = "NAME", default_value = "system-cluster-critical")]
    priority_class: String,

    #[command(flatten)]
    policies: PolicyArgs,
}

/// `networking.k8s.io/networkpolicies`, `/services`.
fn inventory_right(text: &str) -> Result<InventoryRight, String> {
    let right = text.split_once('/').filter(|(_, plural)| !plural.is_empty());
    right.map(|(group, plural)| InventoryRight::new(group, plural)).ok_or_else(|| {
        "expected GROUP/PLURAL, such as `networking.k8s.io/networkpolicies` or `/services`".to_owned()
    })
}

/// Runs the command.
///
/// # Errors
/// If the cluster cannot be reached, or refuses an object.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let options = options(args)?;
    let objects = objects(&options);
    if args.dry_run {
        out.write(&manifest::stream(&objects));
        return Ok(ExitStatus::Fine);
    }
    let mut policies = args.policies.clone();
    policies.policies.clone_from(&options.policies);
    let sources = Sources::new(policies)?;
    crate::cluster::block_on(async {
        let client = args.cluster.connect_like_kubectl().await?;
        if args.enforce {
            survey::show(&client, &sources, out).await?;
        }
        install(&client, &objects, out).await?;
        out.talk(if args.enforce {
            "the policies are enforced as soon as all replicas have loaded them"
        } else {
            "the suite observes: findings are recorded, nothing is refused; `--enforce` changes that"
        });
        Ok(ExitStatus::Fine)
    })
}

pub(crate) fn options(args: &Args) -> Result<InstallOptions, Failure> {
    let library = Library::embedded();
    // The Pods have no folders of ours; what is not built in is applied to the cluster instead.
    for name in &args.policies.policies {
        if library.bundle(name).is_none() && library.policy(name).is_none() {
            return Err(Failure::Invalid(format!(
                "`{name}` is not built in; in a cluster, policies of your own are Policy objects: `kubectl apply` them"
            )));
        }
    }
    if args.policies.pod_security_config.is_some() {
        return Err(Failure::Invalid(
            "`--pod-security-config` names a file of this machine; in a cluster, set `parameters` of Policy objects"
                .to_owned(),
        ));
    }
    let mut options = InstallOptions::new(&args.image);
    options.namespace.clone_from(&args.own_namespace);
    options.replicas = args.replicas;
    options.observe = !args.enforce;
    options.gatekeeper = args.gatekeeper;
    if args.provisioning {
        options.provisioning = Some(provisioning(&library)?);
    }
    if args.history {
        options.history = Some(match &args.history_database {
            Some(secret) => History::Database(secret.clone()),
            None => History::Volume(args.history_volume.clone()),
        });
    }
    let policies = with_self_service(args.policies.policies.clone(), args.provisioning);
    options.policies.clone_from(&policies);
    options.certificate.clone_from(&args.certificate_secret);
    options.secrets.clone_from(&args.secret);
    options.registry_secrets.clone_from(&args.registry_secret);
    options.exempt_namespaces.clone_from(&args.policies.exempt_namespaces);
    if !options.exempt_namespaces.contains(&options.namespace) {
        options.exempt_namespaces.push(options.namespace.clone());
    }
    options.inventory = looked_up(&library, &policies).map_err(Failure::Invalid)?;
    for right in &args.inventory {
        if !options.inventory.contains(right) {
            options.inventory.push(right.clone());
        }
    }
    options.audited.extend(judged(&library, &policies).map_err(Failure::Invalid)?);
    options.audited.extend(args.audit.iter().cloned());
    options.priority_class = Some(args.priority_class.clone()).filter(|class| !class.is_empty());
    Ok(options)
}

/// What is enforced beside the provisioner: what was named, or the defaults, and the bundle that is about self-service.
pub(in crate::command) fn with_self_service(mut policies: Vec<String>, provisioning: bool) -> Vec<String> {
    if !provisioning {
        return policies;
    }
    if policies.is_empty() {
        policies = DEFAULT_BUNDLES.map(ToOwned::to_owned).to_vec();
    }
    if !policies.iter().any(|name| name == SELF_SERVICE) {
        policies.push(SELF_SERVICE.to_owned());
    }
    policies
}

/// The classes that ship, each with an account that may make what it makes and no more.
///
/// # Errors
/// If one of them is not valid.
pub(crate) fn provisioning(library: &Library) -> Result<Provisioning, Failure> {
    let shipped = wayguard_provisioning::shipped(library).map_err(Failure::Ours)?;
    let mut wanted = Provisioning::default();
    for (name, spec, object) in shipped {
        let class = Class::load(&name, spec, library)
            .map_err(|problems| Failure::Ours(format!("class `{name}`: {}", problems.join("; "))))?;
        let environments = class.settings.pointer("/environments").and_then(serde_json::Value::as_object);
        // What a class binds is what its settings name.
        let roles = environments.into_iter().flatten().filter_map(|(_, it)| it.get("role")?.as_str());
        let roles: BTreeSet<String> = roles.map(ToOwned::to_owned).collect();
        wanted.accounts.push(ClassAccount {
            name: class.spec.service_account.clone(),
            kinds: class.spec.allowed_kinds.clone(),
            roles: roles.into_iter().collect(),
        });
        wanted.classes.push(object);
    }
    Ok(wanted)
}

/// What built-in policies say of themselves. No names: the default bundles.
fn told(library: &Library, names: &[String]) -> Result<Vec<Metadata>, String> {
    let usual = DEFAULT_BUNDLES.map(ToOwned::to_owned);
    let names = if names.is_empty() { &usual[..] } else { names };
    let mut all = Vec::new();
    for name in names {
        let members = library.members(name).transpose()?.unwrap_or_default();
        let ids = members.into_iter().map(|member| member.policy).chain([name.clone()]);
        for module in ids.filter_map(|id| library.policy(&id)) {
            all.push(metadata::read(&module).map_err(|error| error.to_string())?);
        }
    }
    Ok(all)
}

/// The kinds that the METADATA of built-in policies names for them to look up.
pub(crate) fn looked_up(library: &Library, names: &[String]) -> Result<Vec<InventoryRight>, String> {
    let mut kinds = BTreeSet::new();
    for metadata in told(library, names)? {
        kinds.extend(metadata.custom.inventory.into_iter().map(|kind| (kind.group, plural(&kind.kind))));
        // What is known of images has the scans of the cluster in it.
        if metadata.custom.facts.iter().any(|fact| fact == "images") {
            kinds.insert((REPORT_GROUP.to_owned(), REPORT_PLURAL.to_owned()));
        }
    }
    Ok(kinds.into_iter().map(|(group, resource)| InventoryRight { group, resource }).collect())
}

/// The kinds that the METADATA of built-in policies names as judged; patterns grant nothing.
pub(crate) fn judged(library: &Library, names: &[String]) -> Result<Vec<InventoryRight>, String> {
    let mut kinds = BTreeSet::new();
    let rules = told(library, names)?.into_iter().filter_map(|metadata| metadata.custom.matches);
    for rule in rules.flat_map(|applies| applies.resource_rules) {
        let named = |text: &&String| !text.contains(['*', '/']);
        for group in rule.api_groups.iter().filter(|group| *group != "*") {
            kinds.extend(rule.resources.iter().filter(named).map(|plural| (group.clone(), plural.clone())));
        }
    }
    kinds.remove(&(String::new(), "secrets".to_owned()));
    Ok(kinds.into_iter().map(|(group, resource)| InventoryRight { group, resource }).collect())
}

async fn install(client: &Client, objects: &[serde_json::Value], out: &mut Output) -> Result<(), Failure> {
    let mut applied = Vec::new();
    let outcome = apply(client, objects, &mut |one: &Applied| applied.push(one.clone())).await;
    for one in &applied {
        let what = if one.created { styled(GOOD, "created") } else { styled(QUIET, "applied") };
        let place = if one.namespace.is_empty() { String::new() } else { format!("{}/", one.namespace) };
        out.data(format_args!("{what} {} {place}{}", one.kind, one.name));
    }
    outcome.map_err(|error| Failure::Ours(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_may_read_what_the_policies_look_up_and_no_more() {
        let library = Library::embedded();
        let rights = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            looked_up(&library, &names).unwrap()
        };
        assert_eq!(rights(&[]), InstallOptions::new("i").inventory);
        assert_eq!(rights(&["baseline"]), []);
        let one = rights(&["network/unique-service-selector", "network/default-deny"]);
        assert_eq!(
            one,
            [
                InventoryRight::new("", "services"),
                InventoryRight::new("networking.k8s.io", "networkpolicies")
            ]
        );
        assert!(rights(&["production"]).contains(&InventoryRight::new("policy", "poddisruptionbudgets")));
        assert_eq!(rights(&["images/scanned"]), [InventoryRight::new(REPORT_GROUP, REPORT_PLURAL)]);
        let secret = InventoryRight::new("", "secrets");
        assert!(library.bundles().iter().all(|name| !rights(&[name]).contains(&secret)));
    }

    #[test]
    fn no_class_that_ships_may_read_secrets_or_bind_more_than_it_says() {
        let wanted = provisioning(&Library::embedded()).unwrap();
        assert_eq!(wanted.classes.len(), wanted.accounts.len());
        let bound: Vec<_> = wanted.accounts.iter().filter(|account| !account.roles.is_empty()).collect();
        assert_eq!(bound.len(), 1);
        assert_eq!(
            (bound[0].name.as_str(), &bound[0].roles[..]),
            ("wayguard-class-namespace", &["edit".to_owned(), "view".to_owned()][..])
        );
        assert!(wanted.accounts.iter().all(|account| !account.kinds.iter().any(|kind| kind == "/Secret")));
    }

    #[test]
    fn rights_are_read_with_their_group() {
        assert_eq!(inventory_right("apps/deployments").unwrap(), InventoryRight::new("apps", "deployments"));
        assert_eq!(inventory_right("/services").unwrap(), InventoryRight::new("", "services"));
        assert!(inventory_right("services").is_err() && inventory_right("apps/").is_err());
    }
}
