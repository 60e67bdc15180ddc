//! Documents that define: types, directives, schemas and what extends them.

use super::executable::OperationType;
use super::value::{CommentGroup, Directive, InputValue, Type};
use crate::problem::Position;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A document of definitions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SystemDocument {
    /// `schema {…}`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schema: Vec<SchemaDefinition>,
    /// `extend schema {…}`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schema_extension: Vec<SchemaDefinition>,
    /// `directive @…`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<DirectiveDefinition>,
    /// `type …` and its like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Definition>,
    /// `extend type …` and its like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Definition>,
    /// At the end of the document.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
}

/// The kinds of types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DefinitionKind {
    /// A tree that does not say it.
    #[default]
    #[serde(rename = "")]
    Unsaid,
    /// `scalar`
    Scalar,
    /// `type`
    Object,
    /// `interface`
    Interface,
    /// `union`
    Union,
    /// `enum`
    Enum,
    /// `input`
    InputObject,
}

impl fmt::Display for DefinitionKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.location())
    }
}

impl DefinitionKind {
    /// The place of directives on a definition of this kind.
    pub(crate) fn location(self) -> &'static str {
        match self {
            Self::Unsaid => "",
            Self::Scalar => "SCALAR",
            Self::Object => "OBJECT",
            Self::Interface => "INTERFACE",
            Self::Union => "UNION",
            Self::Enum => "ENUM",
            Self::InputObject => "INPUT_OBJECT",
        }
    }

    pub(crate) fn is_input(self) -> bool {
        matches!(self, Self::Scalar | Self::Enum | Self::InputObject)
    }

    pub(crate) fn is_leaf(self) -> bool {
        matches!(self, Self::Scalar | Self::Enum)
    }

    pub(crate) fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }
}

/// A type, or what extends one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Definition {
    /// What it is.
    pub kind: DefinitionKind,
    /// What it says about itself.
    pub description: String,
    /// Its name.
    pub name: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// The interfaces that it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// Its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDefinition>,
    /// The members of a union.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The values of an enum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enum_values: Vec<EnumValueDefinition>,
    /// Whether its name may begin with `__`.
    pub built_in: bool,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Before its closing brace.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub end_of_definition_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
    /// Where the members of a union stand.
    #[serde(skip)]
    pub type_positions: Vec<Option<Position>>,
}

impl Definition {
    /// The field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of a type, or of an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FieldDefinition {
    /// What it says about itself.
    pub description: String,
    /// Its name.
    pub name: String,
    /// Its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<ArgumentDefinition>,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<InputValue>,
    /// Its type.
    #[serde(rename = "Type")]
    pub of: Type,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl FieldDefinition {
    /// The argument of that name.
    pub(crate) fn argument(&self, name: &str) -> Option<&ArgumentDefinition> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// An argument of a field or a directive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ArgumentDefinition {
    /// What it says about itself.
    pub description: String,
    /// Its name.
    pub name: String,
    /// What it is if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<InputValue>,
    /// Its type.
    #[serde(rename = "Type")]
    pub of: Type,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// A value of an enum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct EnumValueDefinition {
    /// What it says about itself.
    pub description: String,
    /// Its name.
    pub name: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// A directive that may be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DirectiveDefinition {
    /// What it says about itself.
    pub description: String,
    /// Its name, without the `@`.
    pub name: String,
    /// Its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<ArgumentDefinition>,
    /// Where it may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// Whether it may be used more than once in a place.
    pub is_repeatable: bool,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

impl DirectiveDefinition {
    /// The argument of that name.
    pub(crate) fn argument(&self, name: &str) -> Option<&ArgumentDefinition> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// `schema {…}`, or what extends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SchemaDefinition {
    /// What it says about itself.
    pub description: String,
    /// Its directives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directives: Vec<Directive>,
    /// The types that operations begin with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operation_types: Vec<OperationTypeDefinition>,
    /// Before its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub before_description_comment: Option<CommentGroup>,
    /// Behind its description.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub after_description_comment: Option<CommentGroup>,
    /// Before its closing brace.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub end_of_definition_comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}

/// `query: Type`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct OperationTypeDefinition {
    /// The operation.
    pub operation: OperationType,
    /// The name of its type.
    #[serde(rename = "Type")]
    pub of: String,
    /// Before it.
    #[serde(skip_serializing_if = "CommentGroup::is_empty")]
    pub comment: Option<CommentGroup>,
    /// Where it stands.
    #[serde(skip)]
    pub position: Option<Position>,
}
