//! `wayguard policy import`: Gatekeeper's templates and constraints as native policies, one file each.

use crate::exit::{ExitStatus, Failure, unwritable};
use crate::input::{collect, shown};
use crate::output::Output;
use crate::policies::gatekeeper_objects;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::gatekeeper::{Imported, Remark, import};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::policy::spec::API_VERSION;

/// Options of `policy import`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  wayguard policy import gatekeeper/ -o policies/ && kubectl apply -f policies/

Every constraint becomes a Policy object with its Rego inside, as Rego v1; all of them apply in one pass. What could
not be imported is listed with the reason, and so is what means less than it did.

Exit codes: 0 all constraints were imported, 3 something was left out.")]
pub(crate) struct Args {
    /// Folders or files with Gatekeeper's objects
    #[arg(value_name = "DIR|FILE", required = true)]
    from: Vec<PathBuf>,

    /// The folder for the policies; it is made if it is not there
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If something cannot be read or written.
pub(crate) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let mut objects = Vec::new();
    for file in collect(&args.from)? {
        let found = gatekeeper_objects(&file.name, &file.text);
        objects.extend(found.map_err(|error| Failure::Invalid(error.to_string()))?);
    }
    if objects.is_empty() {
        return Err(Failure::Invalid("there is nothing of Gatekeeper's in what was named".to_owned()));
    }
    let imported = proven(import(&objects));
    std::fs::create_dir_all(&args.output).map_err(|error| unwritable(&args.output, &error))?;
    for (name, spec) in &imported.policies {
        let object =
            json!({"apiVersion": API_VERSION, "kind": "Policy", "metadata": {"name": name}, "spec": spec});
        let path = args.output.join(format!("{name}.yaml"));
        std::fs::write(&path, wayguard_cluster::manifest::yaml(&object))
            .map_err(|error| unwritable(&path, &error))?;
    }
    tell(&imported, args, out);
    let complete = !imported.remarks.iter().any(|remark| remark.left_out);
    Ok(if complete { ExitStatus::Fine } else { ExitStatus::Invalid })
}

/// The same, without policies that would not load.
fn proven(imported: Imported) -> Imported {
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
    for (name, spec) in &imported.policies {
        builder.policy(name, spec.clone(), name, None);
    }
    let set = builder.build();
    let failed = |name: &str| set.failures().iter().find(|failure| failure.policy == name);
    let mut remarks = imported.remarks;
    let mut policies = imported.policies;
    policies.retain(|(name, _)| match failed(name) {
        None => true,
        Some(failure) => {
            let text: Vec<_> = failure.errors.iter().map(ToString::to_string).collect();
            remarks.push(Remark {
                id: name.clone(),
                from: String::new(),
                left_out: true,
                text: format!("as a native policy it does not load: {}", text.join("\n")),
            });
            false
        }
    });
    Imported { policies, remarks }
}

fn tell(imported: &Imported, args: &Args, out: &mut Output) {
    let count = imported.policies.len();
    let what = if count == 1 { "policy" } else { "policies" };
    out.data(format_args!("{count} {what} written to {}", shown(&args.output)));
    for remark in &imported.remarks {
        let how = if remark.left_out { "left out" } else { "changed" };
        let from = if remark.from.is_empty() { String::new() } else { format!(" ({})", remark.from) };
        out.data(format_args!("{how} {}{from}: {}", remark.id, remark.text));
    }
}
