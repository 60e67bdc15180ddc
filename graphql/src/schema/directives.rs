//! Directives where they are defined, and where definitions use them.

use super::{Loader, check_name};
use crate::problem::{Failure, Problem};
use crate::tree::{Directive, DirectiveDefinition, ValueKind};
use std::collections::HashSet;

impl Loader<'_, '_> {
    pub(super) fn check_directive_definition(
        &mut self,
        definition: &DirectiveDefinition,
    ) -> Result<(), Failure> {
        check_name(definition.position, &definition.name)?;
        self.check_arguments(&definition.arguments, Some(definition))
    }

    /// The directives of one definition: `location` is what it is, `within` the directive that is being defined,
    /// and `once` whether one that is not repeatable may come only once.
    pub(super) fn check_directives(
        &mut self,
        directives: &[Directive],
        location: &str,
        within: Option<&DirectiveDefinition>,
        once: bool,
    ) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        for directive in directives {
            self.host.spend(4)?;
            let Directive { name, position, .. } = directive;
            let fail = |words: String| Err(Problem::at(*position, words).into());
            check_name(*position, name)?;
            if within.is_some_and(|definition| definition.name == *name) {
                return fail(format!("Directive {name} cannot refer to itself."));
            }
            let Some(definition) = self.schema.directive(name) else {
                return fail(format!("Undefined directive {name}."));
            };
            if once && !seen.insert(name.as_str()) && !definition.is_repeatable {
                return fail(format!("The directive {name} can only be used once at this location."));
            }
            if !definition.locations.iter().any(|known| known == location) {
                return fail(format!("Directive {name} is not applicable on {location}."));
            }
            self.host.spend(directive.arguments.len().saturating_mul(1 + definition.arguments.len() / 4))?;
            for argument in &directive.arguments {
                if definition.argument(&argument.name).is_none() {
                    let words = format!("Undefined argument {} for directive {name}.", argument.name);
                    return Err(Problem::at(argument.position, words).into());
                }
            }
            for known in &definition.arguments {
                let given = directive.argument(&known.name);
                let absent = given.is_none_or(|argument| argument.value.kind == ValueKind::Null);
                if known.of.non_null && known.default_value.is_none() && absent {
                    return fail(format!("Argument {} for directive {name} cannot be null.", known.name));
                }
            }
        }
        Ok(())
    }
}
