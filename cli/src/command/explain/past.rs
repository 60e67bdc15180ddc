//! A decision that was made: what was stored of it.

use super::{Args, Format};
use crate::cluster::{ClusterArgs, block_on};
use crate::command::history::{page, unnamed};
use crate::exit::{ExitStatus, Failure};
use crate::history::Asked;
use crate::output::Output;
use wayguard_cluster::authority::{AUTHORITY_SECRET, SecretPlace};

/// Fewer digits name too many.
const FEWEST: usize = 4;
/// As many as an id has.
const MOST: usize = 12;

/// The id, if the one argument is one and no file.
pub(super) fn id(args: &Args) -> Option<&str> {
    let [only] = args.subject.paths.as_slice() else { return None };
    let text = only.to_str()?;
    let is_id = (FEWEST..=MOST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (is_id && !only.exists()).then_some(text)
}

/// Tells it.
///
/// # Errors
/// If no history is named or it cannot be asked, or no such decision is stored.
pub(super) fn tell(id: &str, args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let kept = args.history.kept()?.ok_or_else(unnamed)?;
    let place =
        SecretPlace { namespace: args.subject.own_namespace.clone(), name: AUTHORITY_SECRET.to_owned() };
    let cluster = ClusterArgs { kubeconfig: args.subject.kubeconfig.clone(), ..ClusterArgs::default() };
    let found =
        block_on(async { Asked::open(kept, cluster.connect_like_kubectl(), place).await?.named(id).await })?;
    if found.is_empty() {
        return Err(Failure::Invalid(format!(
            "no decision `{id}` is stored. Dry runs and plain admissions never are; a denial that ends in `not stored` was not; others go when they are too old, or when too many are kept"
        )));
    }
    match args.format {
        Format::Json => page::json(&found, out),
        Format::Human => {
            for (position, decision) in found.iter().enumerate() {
                if position > 0 {
                    out.data("");
                }
                page::whole(decision, out);
            }
        }
    }
    Ok(ExitStatus::Fine)
}
