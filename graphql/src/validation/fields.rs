//! Fields: known, with what is asked of them, or without.

use super::suggestions::{did_you_mean, or_list};
use super::{Checked, Walk};
use crate::problem::Failure;
use crate::tree::{Definition, DefinitionKind, Field};
use std::collections::HashMap;

impl<'d> Walk<'d, '_> {
    pub(super) fn field_on_correct_type(&mut self, field: &'d Field) -> Checked {
        let note = self.note(field);
        let (Some(parent), None) = (note.parent, note.definition) else { return Ok(()) };
        let mut words = format!("Cannot query field \"{}\" on type \"{}\".", field.name, parent.name);
        let types = match parent.kind {
            DefinitionKind::Interface | DefinitionKind::Union => {
                self.types_with_field(parent, &field.name)?
            }
            _ => Vec::new(),
        };
        if !types.is_empty() {
            words.push_str(" Did you mean to use an inline fragment on ");
            words.push_str(&or_list(types.iter().map(|name| format!("\"{name}\"")).collect()));
            words.push('?');
        } else if matches!(parent.kind, DefinitionKind::Object | DefinitionKind::Interface) {
            let known = parent.fields.iter().map(|field| field.name.as_str());
            did_you_mean(self.host, &mut words, "Did you mean", &field.name, known, true)?;
        }
        self.problem(field.position, words)
    }

    /// The types that an abstract type can be and that have a field, and their interfaces that have it, most used
    /// interface first.
    fn types_with_field(&mut self, parent: &'d Definition, name: &str) -> Result<Vec<&'d str>, Failure> {
        let schema = self.schema;
        let mut objects: Vec<&str> = Vec::new();
        let mut interfaces: Vec<&str> = Vec::new();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for possible in schema.possible(&parent.name) {
            self.host.spend(1 + possible.fields.len() / 4)?;
            if possible.field(name).is_none() {
                continue;
            }
            objects.push(&possible.name);
            for interface in &possible.interfaces {
                let Some(definition) = schema.definition(interface) else { continue };
                self.host.spend(1 + definition.fields.len() / 4)?;
                if definition.field(name).is_some() {
                    let count = uses.entry(interface).or_default();
                    if *count == 0 {
                        interfaces.push(interface);
                    }
                    *count += 1;
                }
            }
        }
        interfaces.extend(objects);
        self.host.spend(interfaces.len().saturating_mul(4))?;
        let count = |name: &str| uses.get(name).copied().unwrap_or_default();
        interfaces.sort_by(|one, other| count(other).cmp(&count(one)).then_with(|| one.cmp(other)));
        Ok(interfaces)
    }

    pub(super) fn leaf_or_not(&mut self, field: &'d Field) -> Checked {
        let Some(definition) = self.note(field).definition else { return Ok(()) };
        let Some(of) = self.schema.definition(definition.of.name()) else { return Ok(()) };
        let name = &field.name;
        match (of.kind.is_leaf(), field.selection_set.is_empty()) {
            (true, false) => {
                let words = format!(
                    "Field \"{name}\" must not have a selection since type \"{}\" has no subfields.",
                    of.name
                );
                self.problem(field.position, words)
            }
            (false, true) => {
                let words = format!(
                    "Field \"{name}\" of type \"{}\" must have a selection of subfields. Did you mean \"{name} {{ ... }}\"?",
                    definition.of
                );
                self.problem(field.position, words)
            }
            _ => Ok(()),
        }
    }
}
