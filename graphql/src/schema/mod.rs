//! Definitions put together and checked: what queries are held against.

mod definitions;
mod directives;
mod implements;
mod inputs;
mod prelude;

use crate::limits::{Exhausted, Host};
use crate::parser::parse_prelude;
use crate::problem::{Failure, Position, Problem};
use crate::tree::{
    ArgumentDefinition, Definition, DefinitionKind, DirectiveDefinition, FieldDefinition, OperationType,
    SystemDocument, Type,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// A schema that is right.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Types with all that extends them.
    definitions: Vec<Definition>,
    /// Their places, by name.
    types: BTreeMap<String, usize>,
    directives: BTreeMap<String, DirectiveDefinition>,
    /// What a type can be: itself, the members of a union, what implements an interface.
    possible: HashMap<String, Vec<usize>>,
    query: Option<usize>,
    mutation: Option<usize>,
    subscription: Option<usize>,
    /// `__typename`, which every object has.
    type_name: FieldDefinition,
}

/// Directives that a schema may define although they are there: the last definition counts.
const REDEFINABLE: [&str; 6] = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];

/// What stands for a definition that is not there.
static NOTHING: LazyLock<Definition> = LazyLock::new(Definition::default);

static PRELUDE: LazyLock<SystemDocument> = LazyLock::new(|| {
    struct Unlimited;
    impl Host for Unlimited {
        fn spend(&mut self, _: usize) -> Result<(), Exhausted> {
            Ok(())
        }
        fn quote(&self, text: &str) -> String {
            text.to_owned()
        }
    }
    parse_prelude(prelude::PRELUDE, &mut Unlimited).unwrap_or_default()
});

/// A schema while it is checked.
struct Loader<'s, 'h> {
    schema: &'s Schema,
    host: &'h mut dyn Host,
}

impl Schema {
    /// A schema of a document's definitions, if they are right.
    ///
    /// # Errors
    /// The first thing that is wrong; or the host's limit.
    pub fn load(document: &SystemDocument, host: &mut dyn Host) -> Result<Self, Failure> {
        let mut schema = Self { type_name: named_field("__typename", "String", false), ..Self::default() };
        schema.add_types(document, host)?;
        schema.add_possible();
        schema.add_directives(document, host)?;
        if let Some(second) = document.schema.get(1) {
            let words = "Cannot have multiple schema entry points, consider schema extensions instead.";
            return Err(Problem::at(second.position, words).into());
        }
        for definition in document.schema.iter().chain(&document.schema_extension) {
            for root in &definition.operation_types {
                let Some(at) = schema.types.get(&root.of).copied() else {
                    let words = format!(
                        "Schema root {} refers to a type {} that does not exist.",
                        root.operation.keyword(),
                        root.of
                    );
                    return Err(Problem::at(root.position, words).into());
                };
                match root.operation {
                    OperationType::Query => schema.query = Some(at),
                    OperationType::Mutation => schema.mutation = Some(at),
                    OperationType::Subscription => schema.subscription = Some(at),
                    OperationType::Unsaid => {}
                }
            }
            let mut loader = Loader { schema: &schema, host };
            loader.check_directives(&definition.directives, "SCHEMA", None, true)?;
        }
        let mut loader = Loader { schema: &schema, host };
        for at in schema.types.values() {
            if let Some(definition) = schema.definitions.get(*at) {
                loader.check_definition(definition)?;
            }
        }
        loader.check_cycles()?;
        for directive in schema.directives.values() {
            loader.check_directive_definition(directive)?;
        }
        if document.schema.is_empty() {
            let of = |name: &str| schema.types.get(name).copied();
            schema.query = schema.query.or(of("Query"));
            schema.mutation = schema.mutation.or(of("Mutation"));
            schema.subscription = schema.subscription.or(of("Subscription"));
        }
        if let Some(query) = schema.query.and_then(|at| schema.definitions.get_mut(at)) {
            query.fields.push(named_field("__schema", "__Schema", true));
            let name = ArgumentDefinition {
                name: "name".into(),
                of: Type { named_type: "String".into(), non_null: true, ..Type::default() },
                ..ArgumentDefinition::default()
            };
            let of_type = named_field("__type", "__Type", false);
            query.fields.push(FieldDefinition { arguments: vec![name], ..of_type });
        }
        Ok(schema)
    }

    fn add_types(&mut self, document: &SystemDocument, host: &mut dyn Host) -> Result<(), Failure> {
        for definition in PRELUDE.definitions.iter().chain(&document.definitions) {
            host.spend(4)?;
            if self.types.insert(definition.name.clone(), self.definitions.len()).is_some() {
                let words = format!("Cannot redeclare type {}.", definition.name);
                return Err(Problem::at(definition.position, words).into());
            }
            self.definitions.push(definition.clone());
        }
        for extension in &document.extensions {
            host.spend(4)?;
            let at = *self.types.entry(extension.name.clone()).or_insert(self.definitions.len());
            if at == self.definitions.len() {
                self.definitions.push(Definition {
                    kind: extension.kind,
                    name: extension.name.clone(),
                    position: extension.position,
                    ..Definition::default()
                });
            }
            let Some(extended) = self.definitions.get_mut(at) else { continue };
            if extended.kind != extension.kind {
                let words = format!(
                    "Cannot extend type {} because the base type is a {}, not {}.",
                    extension.name, extended.kind, extension.kind
                );
                return Err(Problem::at(extension.position, words).into());
            }
            extended.directives.extend_from_slice(&extension.directives);
            extended.interfaces.extend_from_slice(&extension.interfaces);
            extended.fields.extend_from_slice(&extension.fields);
            extended.types.extend_from_slice(&extension.types);
            extended.type_positions.extend_from_slice(&extension.type_positions);
            extended.enum_values.extend_from_slice(&extension.enum_values);
        }
        Ok(())
    }

    fn add_possible(&mut self) {
        let mut add = |name: &str, at: usize| self.possible.entry(name.to_owned()).or_default().push(at);
        for (at, definition) in self.definitions.iter().enumerate() {
            match definition.kind {
                DefinitionKind::Union => {
                    for member in &definition.types {
                        if let Some(member) = self.types.get(member) {
                            add(&definition.name, *member);
                        }
                    }
                }
                DefinitionKind::InputObject | DefinitionKind::Object => {
                    definition.interfaces.iter().for_each(|interface| add(interface, at));
                    add(&definition.name, at);
                }
                DefinitionKind::Interface => {
                    definition.interfaces.iter().for_each(|interface| add(interface, at));
                }
                _ => {}
            }
        }
    }

    fn add_directives(&mut self, document: &SystemDocument, host: &mut dyn Host) -> Result<(), Failure> {
        for directive in PRELUDE.directives.iter().chain(&document.directives) {
            host.spend(4)?;
            if self.directives.contains_key(&directive.name)
                && !REDEFINABLE.contains(&directive.name.as_str())
            {
                let words = format!("Cannot redeclare directive {}.", directive.name);
                return Err(Problem::at(directive.position, words).into());
            }
            self.directives.insert(directive.name.clone(), directive.clone());
        }
        Ok(())
    }

    /// The type of that name.
    pub(crate) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(*self.types.get(name)?)
    }

    /// The names of all types, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The directive of that name.
    pub(crate) fn directive(&self, name: &str) -> Option<&DirectiveDefinition> {
        self.directives.get(name)
    }

    /// What a type of that name can be.
    pub(crate) fn possible(&self, name: &str) -> impl ExactSizeIterator<Item = &Definition> + Clone {
        let places = self.possible.get(name).map_or(&[][..], Vec::as_slice);
        // Every place is one of a definition.
        places.iter().map(|at| self.definitions.get(*at).unwrap_or(&NOTHING))
    }

    /// What operations begin with.
    pub(crate) fn root(&self, operation: OperationType) -> Option<&Definition> {
        let at = match operation {
            OperationType::Unsaid | OperationType::Query => self.query,
            OperationType::Mutation => self.mutation,
            OperationType::Subscription => self.subscription,
        };
        self.definitions.get(at?)
    }

    /// `__typename`
    pub(crate) fn type_name(&self) -> &FieldDefinition {
        &self.type_name
    }
}

fn named_field(name: &str, of: &str, non_null: bool) -> FieldDefinition {
    FieldDefinition {
        name: name.to_owned(),
        of: Type { named_type: of.to_owned(), non_null, ..Type::default() },
        ..FieldDefinition::default()
    }
}

/// Names that begin with `__` are the specification's.
fn check_name(position: Option<Position>, name: &str) -> Result<(), Failure> {
    if !name.starts_with("__") {
        return Ok(());
    }
    let words =
        format!("Name \"{name}\" must not begin with \"__\", which is reserved by GraphQL introspection.");
    Err(Problem::at(position, words).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Free;
    use crate::parser::parse_schema;

    fn load(text: &str) -> Result<Schema, String> {
        let document = parse_schema(text, &mut Free).unwrap();
        Schema::load(&document, &mut Free).map_err(|failure| match failure {
            Failure::Problem(problem) => problem.to_string(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn the_prelude_is_right() {
        let schema = load("").unwrap();
        assert_eq!(schema.names().count(), 13);
        assert!(schema.directive("oneOf").is_some());
        assert!(schema.root(OperationType::Query).is_none());
    }

    #[test]
    fn extensions_are_part_of_what_they_extend() {
        let schema = load("extend type Query { a: Int } union U = Query extend type Query { b: U }").unwrap();
        let query = schema.root(OperationType::Query).unwrap();
        let fields: Vec<_> = query.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(fields, ["a", "b", "__schema", "__type"]);
        assert_eq!(schema.possible("U").next().unwrap().name, "Query");
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, problem) in [
            ("type A { a: Int } type A { b: Int }", "input:1:24: Cannot redeclare type A."),
            ("scalar Int", "input:1:8: Cannot redeclare type Int."),
            ("type A", "input:1:6: OBJECT A: must define one or more fields."),
            ("type A { b: B }", "input:1:13: Undefined type B."),
            ("type A { a: Int a: Int }", "input:1:17: Field A.a can only be defined once."),
            (
                "type __A { a: Int }",
                "input:1:6: Name \"__A\" must not begin with \"__\", which is reserved by GraphQL introspection.",
            ),
            (
                "extend enum A @x { B } directive @x on ENUM enum A { true }",
                "input:1:50: ENUM A: non-enum value true.",
            ),
            ("schema { query: Q }", "input:1:10: Schema root query refers to a type Q that does not exist."),
            ("directive @a(x: Int @a) on SCALAR", "input:1:22: Directive a cannot refer to itself."),
            (
                "input A { a: A! }",
                "input:1:11: Cannot reference Input Object \"A\" within itself through a series of non-null fields: \"a\".",
            ),
            ("union U = A | A type A { a: Int }", "input:1:15: Union type U can only include type A once."),
            (
                "interface I { a: Int } type A implements I { b: Int }",
                "input:1:29: For A to implement I it must have a field called a.",
            ),
            (
                "type A { a(b: A): Int }",
                "input:1:12: cannot use A as argument b because OBJECT is not a valid input type",
            ),
            (
                "type A { a: Int @deprecated @deprecated }",
                "input:1:30: The directive deprecated can only be used once at this location.",
            ),
        ] {
            assert_eq!(load(text).unwrap_err(), problem, "{text}");
        }
    }
}
