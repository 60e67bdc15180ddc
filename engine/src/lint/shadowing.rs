//! One name, one meaning: nothing hides a function of the language, an import or a rule.

use super::locals::{self, How};
use super::rule::{Found, Rule, Severity};
use super::unit::{Unit, Whole};
use crate::rego::is_function;

static BUILTIN: Rule = Rule {
    id: "shadowed-builtin",
    severity: Severity::Error,
    wants: "nothing is named as a function of the language",
    why: "Below it, the name is no longer the function: a reader takes it for what it is everywhere else.",
    example: Some([
        "deny contains finding if {\n\tcount := input.review.object.spec.replicas\n\tcount > 3\n\tfinding := \
         {\"path\": \"/spec/replicas\", \"expected\": \"at most 3\"}\n}\n",
        "deny contains finding if {\n\treplicas := input.review.object.spec.replicas\n\treplicas > 3\n\tfinding := \
         {\"path\": \"/spec/replicas\", \"expected\": \"at most 3\"}\n}\n",
    ]),
};
static IMPORT: Rule = Rule {
    id: "shadowed-import",
    severity: Severity::Error,
    wants: "no variable, argument or rule is named as an import",
    why: "`fields.seen` then asks the variable, which has no `seen`: undefined, and not an error.",
    example: Some([
        "import data.lib.fields\n\ndeny contains finding if {\n\tsome fields in [input.review.object]\n\tnot \
         fields.x\n\tfinding := {\"path\": \"/x\", \"expected\": \"x\"}\n}\n\nspec := fields.object_at(input, \
         \"spec\")\n",
        "import data.lib.fields\n\ndeny contains finding if {\n\tnot spec.x\n\tfinding := {\"path\": \"/x\", \
         \"expected\": \"x\"}\n}\n\nspec := fields.object_at(input, \"spec\")\n",
    ]),
};
static RULE: Rule = Rule {
    id: "shadowed-rule",
    severity: Severity::Warning,
    wants: "no variable is named as a rule of the file",
    why: "Which of both is meant hangs on the line it stands on.",
    example: Some([
        "deny contains finding if {\n\tlimit := 3\n\tinput.review.object.spec.replicas > limit\n\tfinding := \
         {\"path\": \"/spec/replicas\", \"expected\": most}\n}\n\nmost := sprintf(\"at most %d\", [limit])\n\nlimit \
         := 5\n",
        "deny contains finding if {\n\tinput.review.object.spec.replicas > limit\n\tfinding := {\"path\": \
         \"/spec/replicas\", \"expected\": most}\n}\n\nmost := sprintf(\"at most %d\", [limit])\n\nlimit := 5\n",
    ]),
};

pub(super) const RULES: &[&Rule] = &[&BUILTIN, &IMPORT, &RULE];

pub(super) fn check(unit: &Unit<'_>, _: &Whole<'_>, found: &mut Found) {
    for rule in &unit.tree.rules {
        let name = &rule.head.name;
        if is_function(&name.text) && rule.head.path.is_empty() {
            let message = format!("the rule `{}` hides the function of that name", name.text);
            found.add(&BUILTIN, unit.at(name.span), message, "give the rule another name");
        }
        if unit.import(&name.text).is_some() {
            let message = format!("the rule `{}` hides the import of that name", name.text);
            found.add(&IMPORT, unit.at(name.span), message, "give one of them another name");
        }
        if rule.chained {
            continue;
        }
        for local in locals::of_rule(rule) {
            let at = unit.at(local.span);
            let (what, name) = (if local.how == How::Argument { "argument" } else { "variable" }, local.name);
            if is_function(name) {
                let message = format!("the {what} `{name}` hides the function of that name");
                found.add(&BUILTIN, at, message, format!("give the {what} another name"));
            } else if unit.import(name).is_some() {
                let message = format!("the {what} `{name}` hides the import of that name");
                found.add(
                    &IMPORT,
                    at,
                    message,
                    format!("give the {what} another name, or the import an alias"),
                );
            } else if unit.defines(name) {
                let message = format!("the {what} `{name}` hides the rule of that name");
                found.add(&RULE, at, message, "give one of them another name");
            }
        }
    }
}
