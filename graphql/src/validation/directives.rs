//! Directives: known, in their place, once.

use super::{Checked, Walk};
use crate::tree::{Directive, DirectiveDefinition};
use std::collections::HashSet;

impl<'d> Walk<'d, '_> {
    pub(super) fn known_directive(
        &mut self,
        directive: &'d Directive,
        definition: Option<&'d DirectiveDefinition>,
        location: &'static str,
    ) -> Checked {
        let Directive { name, position, .. } = directive;
        let Some(definition) = definition else {
            return self.problem(*position, format!("Unknown directive \"@{name}\"."));
        };
        self.host.spend(1 + definition.locations.len() / 4)?;
        let is_misplaced = !definition.locations.iter().any(|known| known == location);
        if is_misplaced && self.memory.misplaced.insert((name, *position)) {
            self.problem(*position, format!("Directive \"@{name}\" may not be used on {location}."))?;
        }
        Ok(())
    }

    pub(super) fn unique_directives(&mut self, directives: &'d [Directive]) -> Checked {
        let mut seen = HashSet::new();
        for directive in directives {
            let known = self.schema.directive(&directive.name);
            let repeatable = known.is_some_and(|known| known.is_repeatable);
            if !seen.insert(directive.name.as_str()) && !repeatable {
                let words =
                    format!("The directive \"@{}\" can only be used once at this location.", directive.name);
                self.problem(directive.position, words)?;
            }
        }
        Ok(())
    }
}
