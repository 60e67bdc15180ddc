//! Variables: defined, used, of types that can be given, once, where they fit.

use super::{Checked, Walk};
use crate::tree::{InputValue, Operation, ValueKind, VariableDefinition};
use std::collections::HashMap;

impl<'d> Walk<'d, '_> {
    pub(super) fn known_variable_type(&mut self, variable: &'d VariableDefinition) -> Checked {
        let name = variable.of.name();
        if self.schema.definition(name).is_some() {
            return Ok(());
        }
        self.problem(variable.position, format!("Unknown type \"{name}\"."))
    }

    pub(super) fn no_unused_variables(&mut self, operation: &'d Operation) -> Checked {
        for variable in &operation.variable_definitions {
            if variable.used || self.notes.variables_used.contains(&std::ptr::from_ref(variable)) {
                continue;
            }
            let mut words = format!("Variable \"${}\" is never used", variable.variable);
            if !operation.name.is_empty() {
                words.push_str(&format!(" in operation \"{}\"", operation.name));
            }
            self.problem(variable.position, words + ".")?;
        }
        Ok(())
    }

    pub(super) fn unique_variable_names(&mut self, operation: &'d Operation) -> Checked {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for variable in &operation.variable_definitions {
            let count = seen.entry(&variable.variable).or_default();
            *count += 1;
            // The third is no problem of its own.
            if *count == 2 {
                let words = format!("There can be only one variable named \"${}\".", variable.variable);
                self.problem(variable.position, words)?;
            }
        }
        Ok(())
    }

    pub(super) fn variables_are_inputs(&mut self, operation: &'d Operation) -> Checked {
        for variable in &operation.variable_definitions {
            let definition = self.schema.definition(variable.of.name());
            if definition.is_some_and(|definition| !definition.kind.is_input()) {
                let words = format!(
                    "Variable \"${}\" cannot be non-input type \"{}\".",
                    variable.variable, variable.of
                );
                self.problem(variable.position, words)?;
            }
        }
        Ok(())
    }

    pub(super) fn no_undefined_variable(&mut self, value: &'d InputValue) -> Checked {
        let Some(operation) = self.operation else { return Ok(()) };
        if value.kind != ValueKind::Variable || self.value_note(value).variable.is_some() {
            return Ok(());
        }
        let mut words = format!("Variable \"${}\" is not defined", value.raw);
        if !operation.name.is_empty() {
            words.push_str(&format!(" by operation \"{}\"", operation.name));
        }
        self.problem(value.position, words + ".")
    }

    pub(super) fn variable_in_allowed_position(&mut self, value: &'d InputValue) -> Checked {
        let note = self.value_note(value);
        let (ValueKind::Variable, Some(expected), Some(variable), Some(_)) =
            (value.kind, note.expected, note.variable, self.operation)
        else {
            return Ok(());
        };
        // With a default, on either side, the variable may be null.
        let default = variable.default_value.as_ref();
        let has_default = default.is_some_and(|default| default.kind != ValueKind::Null);
        let non_null = expected.non_null && !has_default && !note.has_default;
        if variable.of.is_compatible_nullable(expected, non_null) {
            return Ok(());
        }
        let words = format!(
            "Variable \"${}\" of type \"{}\" used in position expecting type \"{expected}\".",
            value.raw, variable.of
        );
        self.problem(value.position, words)
    }

    /// The one member of an input of which there must be one cannot be a variable that may be null.
    pub(super) fn variables_of_one_of(&mut self, value: &'d InputValue) -> Checked {
        let Some(definition) = self.value_note(value).definition else { return Ok(()) };
        if value.kind != ValueKind::Object
            || !definition.directives.iter().any(|directive| directive.name == "oneOf")
        {
            return Ok(());
        }
        for child in &value.children {
            let Some(variable) = self.value_note(&child.value).variable else { continue };
            if child.value.kind == ValueKind::Variable && !variable.of.non_null {
                let words = format!(
                    "Variable \"${}\" is of type \"{}\" but must be non-nullable to be used for OneOf Input Object \"{}\".",
                    child.value.raw, variable.of, definition.name
                );
                self.problem(variable.position.or(child.value.position), words)?;
            }
        }
        Ok(())
    }
}
