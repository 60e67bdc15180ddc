//! Inputs that would need themselves without end: <https://spec.graphql.org/October2021/#sec-Input-Objects.Circular-References>.

use super::Loader;
use crate::limits::MAX_WALK;
use crate::problem::{Failure, Problem};
use crate::tree::{Definition, DefinitionKind, FieldDefinition};
use std::collections::{HashMap, HashSet};

#[derive(Default)]
struct Path<'s> {
    checked: HashSet<&'s str>,
    fields: Vec<&'s FieldDefinition>,
    /// Where on the path each type was entered.
    entered: HashMap<&'s str, usize>,
}

impl<'s> Loader<'s, '_> {
    pub(super) fn check_cycles(&mut self) -> Result<(), Failure> {
        let mut path = Path::default();
        let schema = self.schema;
        for name in schema.names() {
            if let Some(definition) = schema.definition(name)
                && definition.kind == DefinitionKind::InputObject
            {
                self.follow(definition, &mut path)?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, definition: &'s Definition, path: &mut Path<'s>) -> Result<(), Failure> {
        if !path.checked.insert(&definition.name) {
            return Ok(());
        }
        if path.fields.len() > MAX_WALK {
            return Err(Failure::TooLarge(
                "GraphQL inputs within inputs, more than 400 deep, are not read here",
            ));
        }
        path.entered.insert(&definition.name, path.fields.len());
        for field in &definition.fields {
            self.host.spend(2)?;
            // Where nothing may be given, the chain can end.
            if !field.of.non_null || field.of.named_type.is_empty() {
                continue;
            }
            let of = self.schema.definition(&field.of.named_type);
            let Some(of) = of.filter(|of| of.kind == DefinitionKind::InputObject) else { continue };
            path.fields.push(field);
            if let Some(cycle) = path.entered.get(of.name.as_str()).and_then(|from| path.fields.get(*from..))
            {
                let names: Vec<_> = cycle.iter().map(|field| field.name.as_str()).collect();
                let words = format!(
                    "Cannot reference Input Object {} within itself through a series of non-null fields: {}.",
                    self.host.quote(&of.name),
                    self.host.quote(&names.join("."))
                );
                return Err(Problem::at(cycle.first().and_then(|field| field.position), words).into());
            }
            self.follow(of, path)?;
            path.fields.pop();
        }
        path.entered.remove(definition.name.as_str());
        Ok(())
    }
}
