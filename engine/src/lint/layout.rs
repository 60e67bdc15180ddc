//! What lies in a policy's folder: its package is named as the folder, and it has tests and samples.

use super::rule::{Found, Rule, Severity};
use super::unit::{Role, Unit, Whole};
use std::collections::BTreeMap;

static PACKAGE: Rule = Rule {
    id: "package-name",
    severity: Severity::Error,
    wants: "the package is named as the folders are: `images/latest-tag` is `images.latest_tag`",
    why: "The id in findings, exceptions and bundles is the folder's; tests and imports use the package.",
    example: None,
};
static NO_TESTS: Rule = Rule {
    id: "tests-missing",
    severity: Severity::Error,
    wants: "a policy has a `policy_test.rego` with tests",
    why: "What has no test says anything after the next change.",
    example: None,
};
static NO_ALLOWED: Rule = Rule {
    id: "sample-allowed",
    severity: Severity::Error,
    wants: "a policy has a sample that it allows",
    why: "A policy that refuses everything passes all of its other tests.",
    example: None,
};
static NO_DENIED: Rule = Rule {
    id: "sample-denied",
    severity: Severity::Error,
    wants: "a policy that denies has a sample that it denies",
    why: "It is the shortest description of what is refused, and the page of the policy shows it.",
    example: None,
};
static NO_ABSENT: Rule = Rule {
    id: "test-absent",
    severity: Severity::Error,
    wants: "a policy has a test for the field that is absent",
    why: "An absent field is what policies let pass most often, and no mistake shows less. The test's name says it: it \
          has one of the words absent, without, missing, no, none, nothing, empty, unset, null or lacks.",
    example: None,
};
static TWICE: Rule = Rule {
    id: "test-twice",
    severity: Severity::Error,
    wants: "every test has a name of its own",
    why: "Rules of one name are one rule that holds where any of them does: the second test cannot fail.",
    example: None,
};

pub(super) const RULES: &[&Rule] = &[&PACKAGE, &NO_TESTS, &NO_ALLOWED, &NO_DENIED, &NO_ABSENT, &TWICE];

/// Words by which a test says that something is not there.
const ABSENT: [&str; 12] = [
    "absent", "without", "missing", "no", "none", "nothing", "empty", "unset", "null", "lacks", "unknown",
    "absence",
];

pub(super) fn check(unit: &Unit<'_>, whole: &Whole<'_>, found: &mut Found) {
    if unit.source.role == Role::Tests {
        return twice(unit, found);
    }
    let Some(folder) = unit.policy() else { return };
    let at = unit.at(unit.tree.package.span);
    let wanted = folder.id.replace('/', ".").replace('-', "_");
    if unit.package() != wanted {
        let message = format!("the package is `{}`, the folder `{}`", unit.package(), folder.id);
        found.add(&PACKAGE, at, message, format!("write `package {wanted}`, or rename the folder"));
    }
    let tests: Vec<&str> = whole.tested_by(unit).flat_map(tests_of).collect();
    if tests.is_empty() {
        let message = "the policy has no tests";
        found.add(&NO_TESTS, at, message, "write `policy_test.rego` beside it, with rules named `test_…`");
    } else if !tests.iter().any(|name| name.split('_').any(|word| ABSENT.contains(&word))) {
        let message = "no test is about a field that is absent";
        found.add(&NO_ABSENT, at, message, "add one, such as `test_an_absent_field_is_denied`");
    }
    let finds = unit.defines("deny") || unit.defines("violation");
    let changes = ["defaults", "overrides", "removals"].iter().any(|rule| unit.defines(rule));
    if folder.allowed == 0 && (finds || changes || unit.defines("warn")) {
        let message = "the policy has no sample that it allows";
        found.add(&NO_ALLOWED, at, message, "add an object to `samples/allowed`");
    }
    if folder.denied == 0 && finds {
        let message = "the policy has no sample that it denies";
        found.add(
            &NO_DENIED,
            at,
            message,
            "add an object to `samples/denied`, with what it expects in its first comment",
        );
    }
}

fn tests_of<'u>(unit: &'u Unit<'_>) -> impl Iterator<Item = &'u str> + use<'u> {
    let names = unit.tree.rules.iter().map(|rule| rule.head.name.text.as_str());
    names.filter(|name| name.starts_with("test_"))
}

fn twice(unit: &Unit<'_>, found: &mut Found) {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in unit.tree.rules.iter().filter(|rule| rule.head.name.text.starts_with("test_")) {
        let name = rule.head.name.text.as_str();
        // `test_x[case] if …` is one test of many cases.
        if !rule.head.path.is_empty() {
            continue;
        }
        match seen.get(name) {
            Some(line) => {
                let message = format!("`{name}` is also the name of the test on line {line}");
                found.add(&TWICE, unit.at(rule.head.name.span), message, "give it a name of its own");
            }
            None => {
                seen.insert(name, rule.head.name.span.start.line);
            }
        }
    }
}
