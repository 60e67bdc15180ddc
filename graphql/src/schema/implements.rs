//! Types that have interfaces: <https://spec.graphql.org/October2021/#IsValidImplementation()>.

use super::{Loader, Schema};
use crate::limits::Host;
use crate::problem::{Failure, Problem};
use crate::tree::{Definition, DefinitionKind, FieldDefinition, Type};

impl Loader<'_, '_> {
    pub(super) fn check_implements(
        &mut self,
        definition: &Definition,
        interface: &str,
    ) -> Result<(), Failure> {
        let fail = |words: String| Err(Problem::at(definition.position, words).into());
        let schema = self.schema;
        let Some(implemented) = schema.definition(interface) else {
            return fail(format!("Undefined type {}.", self.host.quote(interface)));
        };
        if implemented.kind != DefinitionKind::Interface {
            let quoted = self.host.quote(interface);
            return fail(format!("{quoted} is a non interface type {}.", implemented.kind));
        }
        let name = &definition.name;
        for required in &implemented.fields {
            self.host.spend(4 + definition.fields.len() / 4)?;
            let Some(found) = definition.field(&required.name) else {
                return fail(format!(
                    "For {name} to implement {interface} it must have a field called {}.",
                    required.name
                ));
            };
            if !is_covariant(schema, self.host, &required.of, &found.of)? {
                let words = format!(
                    "For {name} to implement {interface} the field {} must have type {}.",
                    required.name, required.of
                );
                return Err(Problem::at(found.position, words).into());
            }
            self.check_same_arguments(definition, interface, required, found)?;
        }
        for transitive in &implemented.interfaces {
            self.host.spend(1 + definition.interfaces.len() / 4)?;
            if definition.interfaces.contains(transitive) {
                continue;
            }
            return fail(if transitive == name {
                format!(
                    "Type {name} cannot implement {interface} because it would create a circular reference."
                )
            } else {
                format!("Type {name} must implement {transitive} because it is implemented by {interface}.")
            });
        }
        Ok(())
    }

    /// A field has the arguments that an interface's has, and needs no others.
    fn check_same_arguments(
        &mut self,
        definition: &Definition,
        interface: &str,
        required: &FieldDefinition,
        found: &FieldDefinition,
    ) -> Result<(), Failure> {
        let to = format!("For {} to implement {interface}", definition.name);
        let both = required.arguments.len().saturating_mul(found.arguments.len());
        self.host.spend(1 + both / 4)?;
        for argument in &required.arguments {
            let Some(same) = found.argument(&argument.name) else {
                let words = format!(
                    "{to} the field {} must have the same arguments but it is missing {}.",
                    required.name, argument.name
                );
                return Err(Problem::at(found.position, words).into());
            };
            if !argument.of.is_compatible(&same.of) {
                let words = format!(
                    "{to} the field {} must have the same arguments but {} has the wrong type.",
                    required.name, argument.name
                );
                return Err(Problem::at(same.position, words).into());
            }
        }
        for argument in &found.arguments {
            let needed = argument.of.non_null && argument.default_value.is_none();
            if needed && required.argument(&argument.name).is_none() {
                let words = format!(
                    "{to} any additional arguments on {} must be optional or have a default value but {} is required.",
                    found.name, argument.name
                );
                return Err(Problem::at(argument.position, words).into());
            }
        }
        Ok(())
    }
}

/// Whether what has one type is what the other asks for.
fn is_covariant(
    schema: &Schema,
    host: &mut dyn Host,
    required: &Type,
    actual: &Type,
) -> Result<bool, Failure> {
    let (mut required, mut actual) = (required, actual);
    loop {
        if required.non_null && !actual.non_null {
            return Ok(false);
        }
        match (&required.elem, &actual.elem) {
            (Some(inner), Some(actual_inner)) if required.named_type.is_empty() => {
                (required, actual) = (inner, actual_inner);
            }
            (Some(_), None) if required.named_type.is_empty() => return Ok(false),
            _ => break,
        }
    }
    if required.named_type == actual.named_type {
        return Ok(true);
    }
    let mut possible = schema.possible(&required.named_type);
    host.spend(1 + possible.len() / 4)?;
    Ok(possible.any(|possible| possible.name == actual.named_type))
}
