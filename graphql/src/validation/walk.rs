//! The walk itself: what stands where, and which rules are asked there.

use super::{Checked, FieldNote, Walk};
use crate::limits::MAX_WALK;
use crate::problem::Failure;
use crate::tree::{
    Argument, ArgumentDefinition, Definition, Directive, Field, Fragment, FragmentSpread, InlineFragment,
    InputValue, Operation, OperationType, Selection, ValueKind,
};

impl<'d> Walk<'d, '_> {
    pub(super) fn document(&mut self) -> Checked {
        let document = self.document;
        for operation in &document.operations {
            self.spreads_walked.clear();
            self.operation(operation)?;
        }
        for fragment in &document.fragments {
            self.spreads_walked.clear();
            self.fragment(fragment)?;
        }
        Ok(())
    }

    fn operation(&mut self, operation: &'d Operation) -> Checked {
        self.operation = Some(operation);
        for variable in &operation.variable_definitions {
            self.known_variable_type(variable)?;
            if let Some(default) = &variable.default_value {
                let definition = self.schema.definition(variable.of.name());
                let note = self.notes.values.entry(std::ptr::from_ref(default)).or_default();
                note.expected = Some(&variable.of);
                note.definition = definition;
            }
        }
        for variable in &operation.variable_definitions {
            if let Some(default) = &variable.default_value {
                self.value(default)?;
            }
            self.directives(&variable.directives, "VARIABLE_DEFINITION")?;
        }
        let location = match operation.operation {
            OperationType::Unsaid | OperationType::Query => "QUERY",
            OperationType::Mutation => "MUTATION",
            OperationType::Subscription => "SUBSCRIPTION",
        };
        self.directives(&operation.directives, location)?;
        self.selections(self.schema.root(operation.operation), &operation.selection_set)?;

        self.known_root_type(operation)?;
        self.lone_anonymous_operation(operation)?;
        self.no_unused_variables(operation)?;
        self.no_conflicts(&operation.selection_set)?;
        self.single_field_subscription(operation)?;
        self.unique_operation_name(operation)?;
        self.unique_variable_names(operation)?;
        self.variables_are_inputs(operation)?;
        self.operation = None;
        Ok(())
    }

    fn fragment(&mut self, fragment: &'d Fragment) -> Checked {
        let definition = self.schema.definition(&fragment.type_condition);
        self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
        self.selections(definition, &fragment.selection_set)?;

        self.fragment_on_composite_type(fragment, definition)?;
        self.known_fragment_type(fragment, definition)?;
        self.no_fragment_cycles(fragment)?;
        self.no_unused_fragment(fragment)?;
        self.no_conflicts(&fragment.selection_set)?;
        self.unique_fragment_name(fragment)
    }

    fn directives(&mut self, directives: &'d [Directive], location: &'static str) -> Checked {
        for directive in directives {
            let definition = self.schema.directive(&directive.name);
            for argument in &directive.arguments {
                self.argument(
                    definition.and_then(|definition| definition.argument(&argument.name)),
                    argument,
                )?;
            }
            self.known_directive_arguments(directive, definition)?;
            self.known_directive(directive, definition, location)?;
            self.required_directive_arguments(directive, definition)?;
            self.unique_arguments(&directive.arguments)?;
        }
        self.unique_directives(directives)
    }

    fn argument(&mut self, definition: Option<&'d ArgumentDefinition>, argument: &'d Argument) -> Checked {
        if let Some(definition) = definition {
            let of = self.schema.definition(definition.of.name());
            let note = self.notes.values.entry(std::ptr::from_ref(&argument.value)).or_default();
            note.expected = Some(&definition.of);
            note.has_default = is_default(definition.default_value.as_ref());
            note.definition = of;
        }
        self.value(&argument.value)
    }

    fn value(&mut self, value: &'d InputValue) -> Checked {
        self.host.spend(3)?;
        let note = self.value_note(value);
        match value.kind {
            ValueKind::Variable => {
                if let Some(operation) = self.operation {
                    self.host.spend(operation.variable_definitions.len() / 4)?;
                    let variable = operation.variable(&value.raw);
                    self.notes.values.entry(std::ptr::from_ref(value)).or_default().variable = variable;
                    if let Some(variable) = variable {
                        self.notes.variables_used.insert(std::ptr::from_ref(variable));
                    }
                }
            }
            ValueKind::Object => {
                for child in &value.children {
                    if let Some(definition) = note.definition {
                        self.host.spend(definition.fields.len() / 4)?;
                        if let Some(field) = definition.field(&child.name) {
                            let of = self.schema.definition(field.of.name());
                            let note = self.notes.values.entry(std::ptr::from_ref(&child.value)).or_default();
                            note.expected = Some(&field.of);
                            note.has_default = is_default(field.default_value.as_ref());
                            note.definition = of;
                        }
                    }
                    self.value(&child.value)?;
                }
            }
            ValueKind::List => {
                for child in &value.children {
                    if let Some(inner) = note.expected.and_then(|expected| expected.elem.as_deref()) {
                        let note_of_child =
                            self.notes.values.entry(std::ptr::from_ref(&child.value)).or_default();
                        note_of_child.expected = Some(inner);
                        note_of_child.definition = note.definition;
                    }
                    self.value(&child.value)?;
                }
            }
            _ => {}
        }
        self.no_undefined_variable(value)?;
        self.unique_input_fields(value)?;
        self.value_of_correct_type(value)?;
        self.variable_in_allowed_position(value)?;
        self.variables_of_one_of(value)
    }

    fn selections(&mut self, parent: Option<&'d Definition>, selections: &'d [Selection]) -> Checked {
        if self.depth >= MAX_WALK {
            return Err(Failure::TooLarge(
                "GraphQL fragments within fragments, more than 400 deep, are not read here",
            ));
        }
        self.depth += 1;
        for selection in selections {
            self.host.spend(5)?;
            match selection {
                Selection::Field(field) => self.field(parent, field)?,
                Selection::Inline(inline) => self.inline_fragment(parent, inline)?,
                Selection::Spread(spread) => self.spread(parent, spread)?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn field(&mut self, parent: Option<&'d Definition>, field: &'d Field) -> Checked {
        let definition = if field.name == "__typename" {
            Some(self.schema.type_name())
        } else {
            self.host.spend(parent.map_or(0, |parent| parent.fields.len() / 4))?;
            parent.and_then(|parent| parent.field(&field.name))
        };
        self.notes.fields.insert(std::ptr::from_ref(field), FieldNote { definition, parent });
        for argument in &field.arguments {
            self.argument(definition.and_then(|definition| definition.argument(&argument.name)), argument)?;
        }
        self.directives(&field.directives, "FIELD")?;
        let inner = definition.and_then(|definition| self.schema.definition(definition.of.name()));
        self.selections(inner, &field.selection_set)?;

        self.field_on_correct_type(field)?;
        self.known_field_arguments(field)?;
        self.max_introspection_depth(field)?;
        // In fragments by themselves, what their operations had would come again.
        if self.operation.is_some() {
            self.no_conflicts(&field.selection_set)?;
        }
        self.required_field_arguments(field)?;
        self.leaf_or_not(field)?;
        self.unique_arguments(&field.arguments)
    }

    fn inline_fragment(&mut self, parent: Option<&'d Definition>, inline: &'d InlineFragment) -> Checked {
        let inner = match inline.type_condition.as_str() {
            "" => parent,
            name => self.schema.definition(name),
        };
        self.directives(&inline.directives, "INLINE_FRAGMENT")?;
        self.selections(inner, &inline.selection_set)?;

        self.inline_fragment_on_composite_type(inline)?;
        self.known_inline_fragment_type(inline)?;
        self.no_conflicts(&inline.selection_set)?;
        self.possible_inline_fragment(parent, inline)
    }

    fn spread(&mut self, parent: Option<&'d Definition>, spread: &'d FragmentSpread) -> Checked {
        self.host.spend(self.document.fragments.len() / 4)?;
        let fragment = self.document.fragment(&spread.name);
        self.notes.spreads.insert(std::ptr::from_ref(spread), fragment);
        self.directives(&spread.directives, "FRAGMENT_SPREAD")?;
        if let Some(fragment) = fragment
            && self.spreads_walked.insert(&fragment.name)
        {
            let inner = self.schema.definition(&fragment.type_condition);
            self.directives(&fragment.directives, "FRAGMENT_DEFINITION")?;
            self.selections(inner, &fragment.selection_set)?;
        }
        self.known_fragment(spread, fragment)?;
        if !self.memory.in_fragments {
            self.memory.fragments_used.insert(&spread.name);
        }
        self.possible_spread(parent, spread, fragment)
    }
}

fn is_default(value: Option<&InputValue>) -> bool {
    value.is_some_and(|value| value.kind != ValueKind::Null)
}
