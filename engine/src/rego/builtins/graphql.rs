//! `graphql.*`: queries and schemas as text or as the trees that these functions give.

use super::call::Limit;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::text::quote::write_quoted;
use crate::value::{MAX_DEPTH, Value, from_serde};
use wayguard_graphql::tree::{JsonTree, QueryDocument, SystemDocument};
use wayguard_graphql::{Exhausted, Failure, Host, Problem, Schema, parse_query, parse_schema, validate};

const TEXT_OR_TREE: Type = Type::OneOf(&[Type::String, Type::OBJECT]);

pub(super) const TABLE: &[Builtin] = &[
    function("graphql.parse_query", &[Type::String], Type::OBJECT, query_tree),
    function("graphql.parse_schema", &[Type::String], Type::OBJECT, schema_tree),
    function(
        "graphql.parse",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::OBJECT, Type::OBJECT], None),
        parse,
    ),
    function(
        "graphql.parse_and_verify",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::OBJECT, Type::OBJECT], None),
        parse_and_verify,
    ),
    function("graphql.is_valid", &[TEXT_OR_TREE, TEXT_OR_TREE], Type::Boolean, is_valid),
    function("graphql.schema_is_valid", &[TEXT_OR_TREE], Type::Boolean, schema_is_valid),
];

/// The evaluation's limits, lent to GraphQL.
struct Lent<'l, 'a, 'c> {
    call: &'l mut Call<'a, 'c>,
    reached: Option<BuiltinError>,
}

impl Host for Lent<'_, '_, '_> {
    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.call.spend(steps).map_err(|error| {
            self.reached = Some(error);
            Exhausted
        })
    }

    fn quote(&self, text: &str) -> String {
        let mut quoted = String::new();
        write_quoted(&mut quoted, text, false);
        quoted
    }
}

/// Lends the limits; what is wrong is put into words.
fn lent<T>(
    call: &mut Call<'_, '_>,
    words: impl FnOnce(&Problem) -> String,
    work: impl FnOnce(&mut dyn Host) -> Result<T, Failure>,
) -> Result<T, BuiltinError> {
    let mut host = Lent { call, reached: None };
    work(&mut host).map_err(|failure| match failure {
        Failure::Problem(problem) => BuiltinError::failed(words(&problem)),
        Failure::TooLarge(what) => BuiltinError::Halt(what.into()),
        Failure::Exhausted => host.reached.unwrap_or(BuiltinError::Limit(Limit::Steps)),
    })
}

/// Problems in OPA's words: the place of the first behind all of them.
fn located(problems: &str) -> String {
    let mut parts = problems.splitn(4, ':').skip(1);
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u64>().ok());
    let (line, column) = (number(parts.next()), number(parts.next()));
    match (line, column, parts.next()) {
        (Some(line), Some(column), Some(message)) => {
            let message = message.trim_start_matches(' ');
            let message = message.strip_suffix(".\n").unwrap_or(message);
            format!("{message} in GraphQL string at location {line}:{column}")
        }
        _ => format!("GraphQL parse error: {problems}"),
    }
}

/// A document as it comes: text, or a tree.
trait Document: JsonTree {
    fn read(text: &str, host: &mut dyn Host) -> Result<Self, Failure>;
}

impl Document for QueryDocument {
    fn read(text: &str, host: &mut dyn Host) -> Result<Self, Failure> {
        parse_query(text, host)
    }
}

impl Document for SystemDocument {
    fn read(text: &str, host: &mut dyn Host) -> Result<Self, Failure> {
        parse_schema(text, host)
    }
}

/// Bytes of a tree for each byte of text.
const SPREAD: usize = 48;

fn from_text<D: Document>(call: &mut Call<'_, '_>, text: &str) -> Result<D, BuiltinError> {
    call.claim(text.len().saturating_mul(SPREAD))?;
    // What is no text is shown as such in trees.
    let text = Value::String(text).to_serde();
    lent(
        call,
        |problem| located(&problem.to_string()),
        |host| D::read(text.as_str().unwrap_or_default(), host),
    )
}

fn document<'a, D: Document>(
    call: &mut Call<'a, '_>,
    arguments: &[Value<'a>],
    position: usize,
) -> Result<D, BuiltinError> {
    match operand::at(arguments, position) {
        Value::String(text) => from_text(call, text),
        tree @ (Value::Object(_) | Value::Map(_)) => {
            check_tree(call, tree, 0)?;
            D::from_json(tree.to_serde()).map_err(BuiltinError::failed)
        }
        // OPA counts these operands from 0.
        other => Err(BuiltinError::expected(position - 1, &["string", "object"], other)),
    }
}

/// Members that only a validation knows: gqlparser reads them back and shows them again, here they are not read.
const OF_VALIDATION: [&str; 4] = ["Definition", "ObjectDefinition", "ParentDefinition", "ExpectedType"];

/// Whether a tree can be read: how deep it is, how large, and what it must not have.
fn check_tree(call: &mut Call<'_, '_>, tree: Value<'_>, depth: usize) -> Result<(), BuiltinError> {
    call.spend(2)?;
    if depth > MAX_DEPTH {
        return Err(BuiltinError::Halt("GraphQL trees of more than 256 levels are not read here".into()));
    }
    match tree {
        Value::Array(items) => items.iter().try_for_each(|item| check_tree(call, *item, depth + 1)),
        Value::Set(set) => set.iter().try_for_each(|item| check_tree(call, item, depth + 1)),
        _ => {
            let Some(mut members) = tree.entries() else { return Ok(()) };
            members.try_for_each(|(key, value)| match key.as_str() {
                Some(name) if OF_VALIDATION.contains(&name) && !value.is_null() => Err(BuiltinError::Halt(
                    format!("`{name}` in a GraphQL tree is not read here: leave it out").into(),
                )),
                _ => check_tree(call, value, depth + 1),
            })
        }
    }
}

fn shown<'a, D: Document>(call: &mut Call<'a, '_>, document: &D) -> Result<Value<'a>, BuiltinError> {
    let tree = document.to_json().map_err(BuiltinError::failed)?;
    call.spend(count(&tree))?;
    Ok(from_serde(&call.arena, &tree))
}

fn count(tree: &serde_json::Value) -> usize {
    match tree {
        serde_json::Value::Array(items) => 2 + items.iter().map(count).sum::<usize>(),
        serde_json::Value::Object(members) => 2 + members.values().map(count).sum::<usize>(),
        _ => 2,
    }
}

fn loaded(call: &mut Call<'_, '_>, document: &SystemDocument) -> Result<Schema, BuiltinError> {
    let words =
        |problem: &Problem| format!("Error in gqlparser SchemaDocument to Schema conversion: {problem}");
    lent(call, words, |host| Schema::load(document, host))
}

fn validated(call: &mut Call<'_, '_>, schema: &Schema, query: &QueryDocument) -> Result<(), BuiltinError> {
    let problems = lent(call, |problem| located(&problem.to_string()), |host| validate(schema, query, host))?;
    if problems.is_empty() {
        return Ok(());
    }
    let all: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    Err(BuiltinError::failed(located(&all)))
}

fn query_tree<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let document: QueryDocument = from_text(call, operand::string(arguments, 1)?)?;
    shown(call, &document).map(Some)
}

fn schema_tree<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let document: SystemDocument = from_text(call, operand::string(arguments, 1)?)?;
    shown(call, &document).map(Some)
}

/// Both trees, if the query is one for the schema.
fn both<'a>(
    call: &mut Call<'a, '_>,
    arguments: &[Value<'a>],
) -> Result<(Value<'a>, Value<'a>), BuiltinError> {
    let query: QueryDocument = document(call, arguments, 1)?;
    let definitions: SystemDocument = document(call, arguments, 2)?;
    let schema = loaded(call, &definitions)?;
    validated(call, &schema, &query)?;
    Ok((shown(call, &query)?, shown(call, &definitions)?))
}

fn parse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (query, schema) = both(call, arguments)?;
    Ok(Some(call.array(&[query, schema])))
}

/// What a failure means to those who only ask whether: no. A limit stays one.
fn or_no<T>(outcome: Result<T, BuiltinError>) -> Result<Option<T>, BuiltinError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(BuiltinError::Failed(_) | BuiltinError::Operand(_)) => Ok(None),
        Err(stopped) => Err(stopped),
    }
}

fn parse_and_verify<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let verified = or_no(both(call, arguments))?;
    let (query, schema) = verified.unwrap_or((Value::EMPTY, Value::EMPTY));
    Ok(Some(call.array(&[Value::Bool(verified.is_some()), query, schema])))
}

fn is_valid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let valid = document(call, arguments, 1).and_then(|query: QueryDocument| {
        let definitions: SystemDocument = document(call, arguments, 2)?;
        let schema = loaded(call, &definitions)?;
        validated(call, &schema, &query)
    });
    Ok(Some(Value::Bool(or_no(valid)?.is_some())))
}

fn schema_is_valid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let valid =
        document(call, arguments, 1).and_then(|definitions: SystemDocument| loaded(call, &definitions));
    Ok(Some(Value::Bool(or_no(valid)?.is_some())))
}

#[cfg(test)]
mod tests {
    use crate::rego::builtins::probe::answer;

    #[test]
    fn errors_have_opas_words() {
        let given = answer("graphql.parse_query", r#"["{"]"#);
        let expected = "Expected Name, found <EOF> in GraphQL string at location 1:2";
        assert_eq!(given, format!("ERR eval_builtin_error: graphql.parse_query: {expected}"));
        let given = answer("graphql.parse", r#"["{ b c }", "type Query { a: Int }"]"#);
        let expected = "Cannot query field \"b\" on type \"Query\". Did you mean \"a\"?\n\
            input:1:5: Cannot query field \"c\" on type \"Query\". Did you mean \"a\"?\n \
            in GraphQL string at location 1:3";
        assert_eq!(given, format!("ERR eval_builtin_error: graphql.parse: {expected}"));
        let given = answer("graphql.parse", r#"["{ a }", "type Query { a: X }"]"#);
        let expected =
            "Error in gqlparser SchemaDocument to Schema conversion: input:1:17: Undefined type X.";
        assert_eq!(given, format!("ERR eval_builtin_error: graphql.parse: {expected}"));
    }

    #[test]
    fn trees_are_read_back() {
        let schema = "type Query { a: Int }";
        let tree = answer("graphql.parse_schema", &format!("[{schema:?}]"));
        let tree = tree.strip_prefix("OK ").unwrap();
        assert_eq!(answer("graphql.is_valid", &format!("[\"{{ a }}\", {tree}]")), "OK true");
        assert_eq!(answer("graphql.is_valid", &format!("[\"{{ b }}\", {tree}]")), "OK false");
        assert_eq!(answer("graphql.schema_is_valid", r#"[{"Definitions": 5}]"#), "OK false");
        let refused = answer("graphql.schema_is_valid", r#"[{"Definition": {}}]"#);
        assert_eq!(refused, "HALT `Definition` in a GraphQL tree is not read here: leave it out");
    }

    #[test]
    fn what_is_too_much_stops_the_evaluation() {
        let deep = "{a".repeat(1000);
        let given = answer("graphql.is_valid", &format!("[{deep:?}, \"\"]"));
        assert_eq!(given, "HALT GraphQL that nests more than 80 deep is not read here");
        let deep = "{\"Elem\":".repeat(250) + "{}" + &"}".repeat(250);
        let given = answer("graphql.schema_is_valid", &format!("[{deep}]"));
        assert_eq!(given, "OK true");
    }
}
