//! Types: fields, members, values, names.

use super::{Loader, check_name};
use crate::problem::{Failure, Problem};
use crate::tree::{ArgumentDefinition, Definition, DefinitionKind, DirectiveDefinition, Type};
use std::collections::HashMap;

type Checked = Result<(), Failure>;

/// What the fields of objects may be.
const OUTPUTS: &str = "SCALAR, OBJECT, INTERFACE, UNION, ENUM";
/// What the fields of inputs may be.
const INPUTS: &str = "SCALAR, ENUM, INPUT_OBJECT";

/// Of the names that come twice, the second place of the one that comes first.
fn repeated<'n>(names: impl Iterator<Item = &'n str>) -> Option<usize> {
    let mut places: HashMap<&str, (usize, Option<usize>)> = HashMap::new();
    for (at, name) in names.enumerate() {
        places.entry(name).and_modify(|(_, second)| *second = second.or(Some(at))).or_insert((at, None));
    }
    places
        .values()
        .filter_map(|(first, second)| second.map(|second| (*first, second)))
        .min()
        .map(|(_, at)| at)
}

impl Loader<'_, '_> {
    pub(super) fn check_definition(&mut self, definition: &Definition) -> Checked {
        self.check_fields(definition)?;
        self.check_members(definition)?;
        for interface in &definition.interfaces {
            self.check_implements(definition, interface)?;
        }
        match definition.kind {
            DefinitionKind::Object | DefinitionKind::Interface => self.check_outputs(definition)?,
            DefinitionKind::Enum => self.check_values(definition)?,
            DefinitionKind::InputObject => self.check_inputs(definition)?,
            _ => {}
        }
        check_repeated(definition)?;
        if !definition.built_in {
            check_name(definition.position, &definition.name)?;
        }
        // Directives of a type and of what extends it stand in different places, and may come again.
        self.check_directives(&definition.directives, definition.kind.location(), None, false)
    }

    fn check_fields(&mut self, definition: &Definition) -> Checked {
        for field in &definition.fields {
            self.host.spend(4)?;
            check_name(field.position, &field.name)?;
            self.check_type(&field.of)?;
            self.check_arguments(&field.arguments, None)?;
            let location = match definition.kind {
                DefinitionKind::InputObject => "INPUT_FIELD_DEFINITION",
                _ => "FIELD_DEFINITION",
            };
            self.check_directives(&field.directives, location, None, true)?;
        }
        Ok(())
    }

    /// The members of a union.
    fn check_members(&mut self, definition: &Definition) -> Checked {
        for name in &definition.types {
            self.host.spend(2)?;
            let quoted = self.host.quote(name);
            let problem = match self.schema.definition(name) {
                None => format!("Undefined type {quoted}."),
                Some(member) if member.kind != DefinitionKind::Object => {
                    format!("{} type {quoted} must be OBJECT.", definition.kind)
                }
                Some(_) => continue,
            };
            return Err(Problem::at(definition.position, problem).into());
        }
        Ok(())
    }

    fn check_outputs(&mut self, definition: &Definition) -> Checked {
        let Definition { kind, name, .. } = definition;
        if definition.fields.is_empty() {
            let words = format!("{kind} {name}: must define one or more fields.");
            return Err(Problem::at(definition.position, words).into());
        }
        for field in &definition.fields {
            self.host.spend(2)?;
            let of = self.schema.definition(field.of.name()).map(|of| of.kind);
            if matches!(of, Some(DefinitionKind::InputObject | DefinitionKind::Unsaid)) {
                let words = format!("{kind} {name}: field must be one of {OUTPUTS}.");
                return Err(Problem::at(field.position, words).into());
            }
        }
        Ok(())
    }

    fn check_inputs(&mut self, definition: &Definition) -> Checked {
        if definition.fields.is_empty() {
            let words =
                format!("{} {}: must define one or more input fields.", definition.kind, definition.name);
            return Err(Problem::at(definition.position, words).into());
        }
        for field in &definition.fields {
            self.host.spend(2)?;
            if let Some(of) = self.schema.definition(field.of.name())
                && !of.kind.is_input()
            {
                let words = format!("{} {}: field must be one of {INPUTS}.", of.kind, field.name);
                return Err(Problem::at(field.position, words).into());
            }
        }
        Ok(())
    }

    fn check_values(&mut self, definition: &Definition) -> Checked {
        let Definition { kind, name, .. } = definition;
        if definition.enum_values.is_empty() {
            let words = format!("{kind} {name}: must define one or more unique enum values.");
            return Err(Problem::at(definition.position, words).into());
        }
        for value in &definition.enum_values {
            self.host.spend(2)?;
            if ["true", "false", "null"].contains(&value.name.as_str()) {
                let words = format!("{kind} {name}: non-enum value {}.", value.name);
                return Err(Problem::at(definition.position, words).into());
            }
            self.check_directives(&value.directives, "ENUM_VALUE", None, true)?;
        }
        Ok(())
    }

    fn check_type(&mut self, of: &Type) -> Checked {
        match self.schema.definition(of.name()) {
            Some(_) => Ok(()),
            None => Err(Problem::at(of.position, format!("Undefined type {}.", of.name())).into()),
        }
    }

    /// The arguments of a field, or of the directive that is being defined.
    pub(super) fn check_arguments(
        &mut self,
        arguments: &[ArgumentDefinition],
        of: Option<&DirectiveDefinition>,
    ) -> Checked {
        for argument in arguments {
            self.host.spend(4)?;
            check_name(argument.position, &argument.name)?;
            self.check_type(&argument.of)?;
            let kind = self.schema.definition(argument.of.name()).map(|of| of.kind).unwrap_or_default();
            if !kind.is_input() {
                let words = format!(
                    "cannot use {} as argument {} because {kind} is not a valid input type",
                    argument.of, argument.name
                );
                return Err(Problem::at(argument.position, words).into());
            }
            self.check_directives(&argument.directives, "ARGUMENT_DEFINITION", of, true)?;
        }
        Ok(())
    }
}

/// What is there twice.
fn check_repeated(definition: &Definition) -> Checked {
    let Definition { name, fields, enum_values, types, type_positions, position, .. } = definition;
    let field = repeated(fields.iter().map(|field| field.name.as_str()));
    if let Some(field) = field.and_then(|at| fields.get(at)) {
        let words = format!("Field {name}.{} can only be defined once.", field.name);
        return Err(Problem::at(field.position, words).into());
    }
    let value = repeated(enum_values.iter().map(|value| value.name.as_str()));
    if let Some(value) = value.and_then(|at| enum_values.get(at)) {
        let words = format!("Enum value {name}.{} can only be defined once.", value.name);
        return Err(Problem::at(value.position, words).into());
    }
    let member = repeated(types.iter().map(String::as_str));
    if let Some((at, member)) = member.and_then(|at| Some((at, types.get(at)?))) {
        let known = if type_positions.len() == types.len() { type_positions.get(at) } else { None };
        let words = format!("Union type {name} can only include type {member} once.");
        return Err(Problem::at(known.copied().flatten().or(*position), words).into());
    }
    Ok(())
}
