//! `wayguard pause`: the emergency brake, and its release.

use crate::cluster::ClusterArgs;
use crate::exit::{ExitStatus, Failure};
use crate::output::{BAD, GOOD, Output, styled};
use wayguard_cluster::pause;

/// Options of `pause`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wayguard pause --reason 'incident 1234: deployments are refused'
  wayguard pause --end

While paused, nothing is refused because the gate cannot answer, and webhook configurations that you delete stay
deleted. What the gate denies while it answers is still denied; to admit everything, delete the configurations.")]
pub(crate) struct Args {
    #[command(flatten)]
    cluster: ClusterArgs,

    /// The suite's own namespace
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    own_namespace: String,

    /// Why, for whoever finds the suite paused
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "end")]
    reason: String,

    /// Release the brake: everything is registered again as the policies say
    #[arg(long)]
    end: bool,
}

/// Runs the command.
///
/// # Errors
/// If the cluster cannot be reached, or refuses.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    crate::cluster::block_on(async {
        let client = args.cluster.connect_like_kubectl().await?;
        let namespace = &args.own_namespace;
        let refused = |error: wayguard_cluster::ApiError| Failure::Ours(error.to_string());
        if args.end {
            let before = pause::paused(&client, namespace).await.map_err(refused)?;
            pause::resume(&client, namespace).await.map_err(refused)?;
            out.talk(match before {
                Some(_) => format!(
                    "{}: `control` registers everything again within seconds",
                    styled(GOOD, "resumed")
                ),
                None => "the suite was not paused".to_owned(),
            });
            return Ok(ExitStatus::Fine);
        }
        pause::pause(&client, namespace, &args.reason).await.map_err(refused)?;
        out.talk(format_args!(
            "{}: `control` sets failurePolicy Ignore within seconds, and repairs nothing until `wayguard pause --end`",
            styled(BAD, "paused")
        ));
        out.talk(
            "if requests still fail, or to admit everything, take the gate out; it stays out while paused:",
        );
        out.talk("  kubectl delete validatingwebhookconfigurations,mutatingwebhookconfigurations wayguard");
        Ok(ExitStatus::Fine)
    })
}
