//! Arguments: known, given, given once.

use super::suggestions::did_you_mean;
use super::{Checked, Walk};
use crate::tree::{Argument, ArgumentDefinition, Directive, DirectiveDefinition, Field};
use std::collections::HashMap;

impl<'d> Walk<'d, '_> {
    pub(super) fn known_field_arguments(&mut self, field: &'d Field) -> Checked {
        let note = self.note(field);
        let (Some(definition), Some(parent)) = (note.definition, note.parent) else { return Ok(()) };
        for argument in &field.arguments {
            self.host.spend(1 + definition.arguments.len() / 4)?;
            if definition.argument(&argument.name).is_none() {
                let mut words = format!(
                    "Unknown argument \"{}\" on field \"{}.{}\".",
                    argument.name, parent.name, field.name
                );
                self.suggest_arguments(&mut words, argument, &definition.arguments)?;
                self.problem(field.position, words)?;
            }
        }
        Ok(())
    }

    pub(super) fn known_directive_arguments(
        &mut self,
        directive: &'d Directive,
        definition: Option<&'d DirectiveDefinition>,
    ) -> Checked {
        let Some(definition) = definition else { return Ok(()) };
        for argument in &directive.arguments {
            self.host.spend(1 + definition.arguments.len() / 4)?;
            if definition.argument(&argument.name).is_none() {
                let mut words =
                    format!("Unknown argument \"{}\" on directive \"@{}\".", argument.name, directive.name);
                self.suggest_arguments(&mut words, argument, &definition.arguments)?;
                self.problem(directive.position, words)?;
            }
        }
        Ok(())
    }

    fn suggest_arguments(
        &mut self,
        words: &mut String,
        argument: &Argument,
        known: &'d [ArgumentDefinition],
    ) -> Checked {
        let known = known.iter().map(|known| known.name.as_str());
        did_you_mean(self.host, words, "Did you mean", &argument.name, known, true)
    }

    pub(super) fn required_field_arguments(&mut self, field: &'d Field) -> Checked {
        let Some(definition) = self.note(field).definition else { return Ok(()) };
        for missing in self.missing(&definition.arguments, &field.arguments)? {
            let words = format!(
                "Field \"{}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                field.name, missing.name, missing.of
            );
            self.problem(field.position, words)?;
        }
        Ok(())
    }

    pub(super) fn required_directive_arguments(
        &mut self,
        directive: &'d Directive,
        definition: Option<&'d DirectiveDefinition>,
    ) -> Checked {
        let Some(definition) = definition else { return Ok(()) };
        for missing in self.missing(&definition.arguments, &directive.arguments)? {
            let words = format!(
                "Directive \"@{}\" argument \"{}\" of type \"{}\" is required, but it was not provided.",
                definition.name, missing.name, missing.of
            );
            self.problem(directive.position, words)?;
        }
        Ok(())
    }

    /// The arguments that must be given and are not.
    fn missing(
        &mut self,
        known: &'d [ArgumentDefinition],
        given: &'d [Argument],
    ) -> Result<Vec<&'d ArgumentDefinition>, crate::Failure> {
        self.host.spend(known.len().saturating_mul(1 + given.len()) / 4)?;
        let is_missing = |known: &&ArgumentDefinition| {
            known.of.non_null
                && known.default_value.is_none()
                && !given.iter().any(|argument| argument.name == known.name)
        };
        Ok(known.iter().filter(is_missing).collect())
    }

    pub(super) fn unique_arguments(&mut self, arguments: &'d [Argument]) -> Checked {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for argument in arguments {
            let count = seen.entry(&argument.name).or_default();
            *count += 1;
            // The third is no problem of its own.
            if *count == 2 {
                let words = format!("There can be only one argument named \"{}\".", argument.name);
                self.problem(argument.position, words)?;
            }
        }
        Ok(())
    }
}
