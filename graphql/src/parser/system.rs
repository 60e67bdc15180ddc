//! Definitions and what extends them.

use super::{Parsed, Parser};
use crate::lexer::Kind;
use crate::problem::Position;
use crate::tree::{
    ArgumentDefinition, CommentGroup, Definition, DefinitionKind, DirectiveDefinition, EnumValueDefinition,
    FieldDefinition, OperationTypeDefinition, SchemaDefinition, SystemDocument,
};

/// Where directives may be used.
const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// What a definition says about itself, and the comments before that.
#[derive(Default)]
struct Description {
    text: String,
    comment: Option<CommentGroup>,
}

/// What begins every member of a definition.
struct Beginning {
    description: String,
    before: Option<CommentGroup>,
    after: Option<CommentGroup>,
    position: Option<Position>,
    name: String,
}

fn kind_of(keyword: &str) -> Option<DefinitionKind> {
    Some(match keyword {
        "scalar" => DefinitionKind::Scalar,
        "type" => DefinitionKind::Object,
        "interface" => DefinitionKind::Interface,
        "union" => DefinitionKind::Union,
        "enum" => DefinitionKind::Enum,
        "input" => DefinitionKind::InputObject,
        _ => return None,
    })
}

impl Parser<'_, '_> {
    pub(super) fn system_document(&mut self) -> Parsed<SystemDocument> {
        let mut document = SystemDocument::default();
        loop {
            match self.kind() {
                Kind::End => {
                    document.comment = self.comment();
                    return Ok(document);
                }
                Kind::Invalid => return self.unexpected(),
                _ => {}
            }
            let description = self.description();
            let token = self.peek();
            if token.kind != Kind::Name {
                return self.unexpected();
            }
            match token.value.clone().as_str() {
                "schema" => document.schema.push(self.schema_definition(description)?),
                "directive" => document.directives.push(self.directive_definition(description)?),
                "extend" => {
                    if !description.text.is_empty() {
                        let previous = self.previous.clone();
                        return self.unexpected_token(&previous);
                    }
                    self.extension(&mut document)?;
                }
                keyword => match kind_of(keyword) {
                    Some(kind) => document.definitions.push(self.definition(kind, description)?),
                    None => return self.unexpected(),
                },
            }
        }
    }

    fn description(&mut self) -> Description {
        if !matches!(self.kind(), Kind::String | Kind::BlockString) {
            return Description::default();
        }
        let comment = self.comment();
        Description { text: self.take().value, comment }
    }

    fn schema_definition(&mut self, description: Description) -> Parsed<SchemaDefinition> {
        let after = self.comment();
        self.keyword("schema")?;
        let mut definition = self.schema_body()?;
        definition.description = description.text;
        definition.before_description_comment = description.comment;
        definition.after_description_comment = after;
        Ok(definition)
    }

    fn schema_body(&mut self) -> Parsed<SchemaDefinition> {
        let position = self.position();
        let directives = self.directives(true)?;
        let (operation_types, end_of_definition_comment) =
            self.some(Kind::BraceLeft, Kind::BraceRight, |parser| {
                let (position, comment) = (parser.position(), parser.comment());
                let operation = parser.operation_type()?;
                parser.expect(Kind::Colon)?;
                Ok(OperationTypeDefinition { operation, of: parser.name()?, comment, position })
            })?;
        Ok(SchemaDefinition {
            directives,
            operation_types,
            end_of_definition_comment,
            position,
            ..SchemaDefinition::default()
        })
    }

    fn definition(&mut self, kind: DefinitionKind, description: Description) -> Parsed<Definition> {
        let after = self.comment();
        self.take();
        let interfaces = matches!(kind, DefinitionKind::Object | DefinitionKind::Interface);
        let mut definition = self.definition_body(kind, interfaces, true)?;
        definition.description = description.text;
        definition.before_description_comment = description.comment;
        definition.after_description_comment = after;
        Ok(definition)
    }

    /// What follows the keyword of a definition or an extension.
    fn definition_body(
        &mut self,
        kind: DefinitionKind,
        with_interfaces: bool,
        constant: bool,
    ) -> Parsed<Definition> {
        let position = self.position();
        let mut definition = Definition { kind, name: self.name()?, position, ..Definition::default() };
        if with_interfaces {
            definition.interfaces = self.interfaces()?;
        }
        definition.directives = self.directives(constant)?;
        let end = &mut definition.end_of_definition_comment;
        match kind {
            DefinitionKind::Object | DefinitionKind::Interface => {
                (definition.fields, *end) =
                    self.some(Kind::BraceLeft, Kind::BraceRight, Self::field_definition)?;
            }
            DefinitionKind::InputObject => {
                (definition.fields, *end) =
                    self.some(Kind::BraceLeft, Kind::BraceRight, Self::input_field)?;
            }
            DefinitionKind::Enum => {
                (definition.enum_values, *end) =
                    self.some(Kind::BraceLeft, Kind::BraceRight, Self::enum_value)?;
            }
            DefinitionKind::Union if self.skip(Kind::Equals) => {
                self.skip(Kind::Pipe);
                loop {
                    definition.type_positions.push(self.position());
                    definition.types.push(self.name()?);
                    if !self.skip(Kind::Pipe) {
                        break;
                    }
                }
            }
            _ => {}
        }
        Ok(definition)
    }

    fn interfaces(&mut self) -> Parsed<Vec<String>> {
        let mut names = Vec::new();
        if self.is_word("implements") {
            self.take();
            self.skip(Kind::Ampersand);
            names.push(self.name()?);
            while self.skip(Kind::Ampersand) {
                names.push(self.name()?);
            }
        }
        Ok(names)
    }

    /// A member's description, comments and name. The comments of an empty description are lost, as gqlparser
    /// loses them.
    fn beginning(&mut self) -> Parsed<Beginning> {
        let Description { text, comment } = self.description();
        let before = if text.is_empty() { None } else { comment };
        let (after, position) = (self.comment(), self.position());
        Ok(Beginning { description: text, before, after, position, name: self.name()? })
    }

    fn field_definition(&mut self) -> Parsed<FieldDefinition> {
        let beginning = self.beginning()?;
        let arguments = self.argument_definitions()?;
        self.expect(Kind::Colon)?;
        Ok(FieldDefinition {
            description: beginning.description,
            name: beginning.name,
            arguments,
            default_value: None,
            of: self.type_reference()?,
            directives: self.directives(true)?,
            before_description_comment: beginning.before,
            after_description_comment: beginning.after,
            position: beginning.position,
        })
    }

    fn argument_definitions(&mut self) -> Parsed<Vec<ArgumentDefinition>> {
        Ok(self.some(Kind::ParenLeft, Kind::ParenRight, Self::argument_definition)?.0)
    }

    fn argument_definition(&mut self) -> Parsed<ArgumentDefinition> {
        let beginning = self.beginning()?;
        self.expect(Kind::Colon)?;
        Ok(ArgumentDefinition {
            description: beginning.description,
            name: beginning.name,
            of: self.type_reference()?,
            default_value: self.default_value()?,
            directives: self.directives(true)?,
            before_description_comment: beginning.before,
            after_description_comment: beginning.after,
            position: beginning.position,
        })
    }

    fn input_field(&mut self) -> Parsed<FieldDefinition> {
        let ArgumentDefinition {
            description,
            name,
            default_value,
            of,
            directives,
            before_description_comment,
            after_description_comment,
            position,
        } = self.argument_definition()?;
        Ok(FieldDefinition {
            description,
            name,
            arguments: Vec::new(),
            default_value,
            of,
            directives,
            before_description_comment,
            after_description_comment,
            position,
        })
    }

    fn enum_value(&mut self) -> Parsed<EnumValueDefinition> {
        let beginning = self.beginning()?;
        Ok(EnumValueDefinition {
            description: beginning.description,
            name: beginning.name,
            directives: self.directives(true)?,
            before_description_comment: beginning.before,
            after_description_comment: beginning.after,
            position: beginning.position,
        })
    }

    fn extension(&mut self, document: &mut SystemDocument) -> Parsed<()> {
        let comment = self.comment();
        self.keyword("extend")?;
        let keyword = self.peek().value.clone();
        if keyword == "schema" {
            self.keyword("schema")?;
            let mut definition = self.schema_body()?;
            if definition.directives.is_empty() && definition.operation_types.is_empty() {
                return self.unexpected();
            }
            definition.after_description_comment = comment;
            document.schema_extension.push(definition);
            return Ok(());
        }
        let Some(kind) = kind_of(&keyword) else { return self.unexpected() };
        self.keyword(&keyword)?;
        // gqlparser lets the directives of an extended input have variables, and the interfaces of an extended
        // interface stay out.
        let constant = kind != DefinitionKind::InputObject;
        let mut definition = self.definition_body(kind, kind == DefinitionKind::Object, constant)?;
        let nothing = definition.interfaces.is_empty()
            && definition.directives.is_empty()
            && definition.fields.is_empty()
            && definition.types.is_empty()
            && definition.enum_values.is_empty();
        if nothing {
            return self.unexpected();
        }
        definition.after_description_comment = comment;
        document.extensions.push(definition);
        Ok(())
    }

    fn directive_definition(&mut self, description: Description) -> Parsed<DirectiveDefinition> {
        let after_description_comment = self.comment();
        self.keyword("directive")?;
        self.expect(Kind::At)?;
        let position = self.position();
        let name = self.name()?;
        let arguments = self.argument_definitions()?;
        let is_repeatable = self.kind() == Kind::Name && self.is_word("repeatable");
        if is_repeatable {
            self.take();
        }
        self.keyword("on")?;
        self.skip(Kind::Pipe);
        let mut locations = vec![self.location()?];
        while self.skip(Kind::Pipe) {
            locations.push(self.location()?);
        }
        Ok(DirectiveDefinition {
            description: description.text,
            name,
            arguments,
            locations,
            is_repeatable,
            before_description_comment: description.comment,
            after_description_comment,
            position,
        })
    }

    fn location(&mut self) -> Parsed<String> {
        let token = self.expect(Kind::Name)?;
        if LOCATIONS.contains(&token.value.as_str()) {
            Ok(token.value)
        } else {
            self.unexpected_token(&token)
        }
    }
}
