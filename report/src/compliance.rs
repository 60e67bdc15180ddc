//! What there is to show for each control of a framework. A control of which nothing is known is never a pass.

use crate::frameworks::{ALL, Entry};
use crate::model::{Control, Framework, Policy, Status, Test};
use std::collections::BTreeSet;

/// Frameworks whose controls no catalogue lists: only what policies name of them is told.
const OTHERS: (&str, &str) =
    ("Others", "Controls of further frameworks (MITRE ATT&CK, SLSA, NTIA …), as far as policies name them");

/// All frameworks, by the policies of the set. `offered`: policies of the library with their controls, so that a
/// control that is not covered can say what would cover it. `incomplete`: some of the cluster could not be read.
pub(crate) fn compliance(
    policies: &[Policy],
    offered: &[crate::assemble::Offered],
    incomplete: bool,
) -> Vec<Framework> {
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    let mut frameworks: Vec<Framework> = Vec::new();
    for catalogue in ALL {
        let known = |id: &str| catalogue.controls.iter().any(|entry| entry.id == id);
        let prefix =
            catalogue.controls.first().and_then(|entry| entry.id.split('-').next()).unwrap_or_default();
        let mut controls: Vec<Control> =
            catalogue.controls.iter().map(|entry| control(entry, policies, offered, incomplete)).collect();
        listed.extend(catalogue.controls.iter().map(|entry| entry.id));
        // Policies of one's own may name what an edition of ours does not have.
        let further: BTreeSet<&str> = named(policies)
            .filter(|id| id.split('-').next() == Some(prefix) && id.contains('-') && !known(id))
            .collect();
        controls.extend(
            further
                .iter()
                .map(|id| control(&Entry { id, title: "", beyond: "" }, policies, offered, incomplete)),
        );
        listed.extend(further);
        frameworks.push(Framework {
            name: catalogue.name.to_owned(),
            about: catalogue.about.to_owned(),
            controls,
        });
    }
    let others: BTreeSet<&str> = named(policies).filter(|id| !listed.contains(id)).collect();
    if !others.is_empty() {
        let entries = others.iter().map(|id| Entry { id, title: "", beyond: "" });
        frameworks.push(Framework {
            name: OTHERS.0.to_owned(),
            about: OTHERS.1.to_owned(),
            controls: entries.map(|entry| control(&entry, policies, offered, incomplete)).collect(),
        });
    }
    frameworks
}

fn named(policies: &[Policy]) -> impl Iterator<Item = &str> {
    policies.iter().flat_map(|policy| policy.controls.iter().map(String::as_str))
}

fn control(
    entry: &Entry<'_>,
    policies: &[Policy],
    offered: &[crate::assemble::Offered],
    incomplete: bool,
) -> Control {
    let own: Vec<&Policy> =
        policies.iter().filter(|policy| policy.controls.iter().any(|id| id == entry.id)).collect();
    let tests: Vec<Test> = own.iter().map(|policy| test(policy)).collect();
    let broken: Vec<&str> =
        own.iter().filter(|policy| !policy.broken.is_empty()).map(|policy| policy.id.as_str()).collect();
    let sum = |of: fn(&Test) -> u64| tests.iter().map(of).sum::<u64>();
    let (judged, violating, excepted, unjudged) =
        (sum(|it| it.judged), sum(|it| it.violating), sum(|it| it.excepted), sum(|it| it.unjudged));
    let (status, reason) = if own.is_empty() {
        (Status::NotCovered, not_covered(entry, offered))
    } else if violating > 0 {
        (Status::Violated, format!("{violating} of {judged} judgements found a violation"))
    } else if excepted > 0 {
        (Status::Excepted, format!("all {excepted} findings are covered by exceptions"))
    } else if judged == 0 && broken.is_empty() && unjudged == 0 {
        (Status::NothingJudged, "there was no object that its policies are about".to_owned())
    } else if !broken.is_empty() {
        (Status::Incomplete, format!("could not be loaded: {}", broken.join(", ")))
    } else if unjudged > 0 {
        (
            Status::Incomplete,
            format!("{unjudged} judgements could not be made; see the policies under Coverage"),
        )
    } else if incomplete {
        (Status::Incomplete, "some of the cluster could not be read".to_owned())
    } else {
        (Status::NoViolations, format!("{judged} judgements, none found a violation"))
    };
    Control { id: entry.id.to_owned(), title: entry.title.to_owned(), status, reason, tests }
}

fn test(policy: &Policy) -> Test {
    Test {
        policy: policy.id.clone(),
        judged: policy.judged,
        violating: policy.violating,
        excepted: policy.findings.skip,
        unjudged: policy.not_judged.values().sum(),
    }
}

fn not_covered(entry: &Entry<'_>, offered: &[crate::assemble::Offered]) -> String {
    if !entry.beyond.is_empty() {
        return entry.beyond.to_owned();
    }
    let would: Vec<&str> = offered
        .iter()
        .filter(|policy| policy.controls.iter().any(|id| id == entry.id))
        .map(|policy| policy.id.as_str())
        .collect();
    match would.as_slice() {
        [] => "no policy tests it".to_owned(),
        some => format!("no policy that was in force tests it; the library has {}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Counts;

    fn policy(judged: u64, violating: u64, excepted: u64, unjudged: u64) -> Policy {
        Policy {
            id: "p".to_owned(),
            controls: vec!["CIS-5.2.2".to_owned()],
            judged,
            violating,
            findings: Counts { fail: violating, skip: excepted, ..Counts::default() },
            not_judged: [("why".to_owned(), unjudged)].into_iter().filter(|(_, count)| *count > 0).collect(),
            ..Policy::default()
        }
    }

    fn status(policies: &[Policy], incomplete: bool) -> Status {
        let frameworks = compliance(policies, &[], incomplete);
        frameworks[0].controls.iter().find(|control| control.id == "CIS-5.2.2").unwrap().status
    }

    #[test]
    fn only_what_was_wholly_judged_has_no_violations() {
        assert_eq!(status(&[], false), Status::NotCovered);
        assert_eq!(status(&[policy(0, 0, 0, 0)], false), Status::NothingJudged);
        assert_eq!(status(&[policy(3, 0, 0, 0)], false), Status::NoViolations);
        assert_eq!(status(&[policy(3, 0, 0, 1)], false), Status::Incomplete);
        assert_eq!(status(&[policy(0, 0, 0, 1)], false), Status::Incomplete);
        assert_eq!(status(&[policy(3, 0, 0, 0)], true), Status::Incomplete);
        assert_eq!(status(&[policy(3, 0, 2, 0)], false), Status::Excepted);
        assert_eq!(status(&[policy(3, 1, 2, 1)], true), Status::Violated);
        let broken = Policy { broken: "syntax".to_owned(), ..policy(0, 0, 0, 0) };
        assert_eq!(status(&[policy(3, 0, 0, 0), broken], false), Status::Incomplete);
    }

    #[test]
    fn what_no_policy_can_see_says_why_and_what_is_not_in_force_what_would() {
        let offered =
            [crate::assemble::Offered { id: "x/y".to_owned(), controls: vec!["CIS-5.2.2".to_owned()] }];
        let all = compliance(&[], &offered, false);
        let reason = |id: &str| {
            all[0]
                .controls
                .iter()
                .find(|control| control.id == id)
                .map(|control| control.reason.clone())
                .unwrap()
        };
        assert!(reason("CIS-1").contains("node scanner"), "{}", reason("CIS-1"));
        assert!(reason("CIS-5.2.2").ends_with("the library has x/y"), "{}", reason("CIS-5.2.2"));
        assert!(all.iter().flat_map(|it| &it.controls).all(|it| it.status == Status::NotCovered));
    }

    #[test]
    fn controls_that_no_catalogue_lists_are_told_as_well() {
        let mut own = policy(1, 0, 0, 0);
        own.controls = vec!["CIS-9.9".to_owned(), "T1610".to_owned()];
        let all = compliance(&[own], &[], false);
        assert!(all[0].controls.iter().any(|control| control.id == "CIS-9.9"));
        assert_eq!(all.last().unwrap().controls[0].id, "T1610");
    }
}
