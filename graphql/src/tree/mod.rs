//! Trees of documents, as gqlparser shows them in JSON: members by its names, what is empty left out.

mod executable;
mod json;
mod system;
mod value;

pub use executable::{
    Field, Fragment, FragmentSpread, InlineFragment, Operation, OperationType, QueryDocument, Selection,
    VariableDefinition,
};
pub use json::JsonTree;
pub use system::{
    ArgumentDefinition, Definition, DefinitionKind, DirectiveDefinition, EnumValueDefinition,
    FieldDefinition, OperationTypeDefinition, SchemaDefinition, SystemDocument,
};
pub use value::{Argument, ChildValue, Comment, CommentGroup, Directive, InputValue, Type, ValueKind};
