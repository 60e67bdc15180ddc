//! Queries held against a schema: one walk, at each stop of which the rules have their say in the order of their
//! names. The rules are those of <https://spec.graphql.org/October2021/#sec-Validation>.
//!
//! A rule sees what the walk has found out so far, and nothing else: fragments that were not reached yet have no
//! types. That is how gqlparser does it, and which problems there are depends on it.

mod arguments;
mod conflicts;
mod directives;
mod fields;
mod fragments;
mod introspection;
mod operations;
mod suggestions;
mod values;
mod variables;
mod walk;

use crate::limits::{Host, MAX_WORDS};
use crate::problem::{Failure, Position, Problem};
use crate::schema::Schema;
use crate::tree::{
    Definition, Field, FieldDefinition, Fragment, FragmentSpread, InputValue, Operation, QueryDocument, Type,
    VariableDefinition,
};
use std::collections::{HashMap, HashSet};

/// What is wrong with a query, in the order in which it is found.
///
/// # Errors
/// If the host's limit, or one of ours, is reached.
pub fn validate(
    schema: &Schema,
    document: &QueryDocument,
    host: &mut dyn Host,
) -> Result<Vec<Problem>, Failure> {
    let mut walk = Walk {
        schema,
        document,
        host,
        problems: Vec::new(),
        words: 0,
        operation: None,
        spreads_walked: HashSet::new(),
        depth: 0,
        notes: Notes::default(),
        memory: Memory::default(),
    };
    walk.document()?;
    Ok(walk.problems)
}

type Checked = Result<(), Failure>;

/// The walk through a query.
struct Walk<'d, 'h> {
    schema: &'d Schema,
    document: &'d QueryDocument,
    host: &'h mut dyn Host,
    problems: Vec<Problem>,
    /// How long all problems' words are.
    words: usize,
    /// The operation that is walked through; none in fragments by themselves.
    operation: Option<&'d Operation>,
    /// The fragments that were walked through in this operation or fragment.
    spreads_walked: HashSet<&'d str>,
    depth: usize,
    notes: Notes<'d>,
    memory: Memory<'d>,
}

/// What the walk has found out about parts of the document, by where they are in memory.
#[derive(Default)]
struct Notes<'d> {
    fields: HashMap<*const Field, FieldNote<'d>>,
    spreads: HashMap<*const FragmentSpread, Option<&'d Fragment>>,
    values: HashMap<*const InputValue, ValueNote<'d>>,
    variables_used: HashSet<*const VariableDefinition>,
}

/// About a field that is asked for.
#[derive(Clone, Copy, Default)]
struct FieldNote<'d> {
    definition: Option<&'d FieldDefinition>,
    /// The type that it is asked of.
    parent: Option<&'d Definition>,
}

/// About a value.
#[derive(Clone, Copy, Default)]
struct ValueNote<'d> {
    /// The definition of what it should be.
    definition: Option<&'d Definition>,
    expected: Option<&'d Type>,
    /// Whether there is a default where it stands.
    has_default: bool,
    /// The definition of a variable.
    variable: Option<&'d VariableDefinition>,
}

/// What rules remember from one stop to the next.
#[derive(Default)]
struct Memory<'d> {
    fragments_used: HashSet<&'d str>,
    in_fragments: bool,
    fragments_seen: HashSet<&'d str>,
    operations_seen: HashSet<&'d str>,
    fragments_followed: HashSet<&'d str>,
    misplaced: HashSet<(&'d str, Option<Position>)>,
    conflicts: conflicts::Compared<'d>,
}

impl<'d> Walk<'d, '_> {
    /// Adds a problem.
    fn problem(&mut self, position: Option<Position>, message: String) -> Checked {
        self.words = self.words.saturating_add(message.len());
        self.host.spend(1 + message.len() / 64)?;
        if self.words > MAX_WORDS {
            return Err(Failure::TooLarge("GraphQL with so many problems is not judged here"));
        }
        self.problems.push(Problem { message, position });
        Ok(())
    }

    fn note(&self, field: &Field) -> FieldNote<'d> {
        self.notes.fields.get(&std::ptr::from_ref(field)).copied().unwrap_or_default()
    }

    fn value_note(&self, value: &InputValue) -> ValueNote<'d> {
        self.notes.values.get(&std::ptr::from_ref(value)).copied().unwrap_or_default()
    }

    /// The fragment that a spread stands for, if it was reached and there is one.
    fn spread_note(&self, spread: &FragmentSpread) -> Option<&'d Fragment> {
        self.notes.spreads.get(&std::ptr::from_ref(spread)).copied().flatten()
    }

    /// A value as a document would have it.
    fn shown(&self, value: &InputValue) -> String {
        let mut out = String::new();
        value.write(&mut out, &|text| self.host.quote(text));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Exhausted, Free};
    use crate::parser::{parse_query, parse_schema};

    const SCHEMA: &str = "
        type Query { dog(name: String!): Dog pet(like: Liking): Pet human: Human numbers: [Int!] any(x: Any): Int }
        type Subscription { a: Int b: Int }
        interface Pet { name(short: Boolean = false): String! }
        type Dog implements Pet { name(short: Boolean = false): String! barks: Int owner: Human kind: Kind }
        type Cat implements Pet { name(short: Boolean = false): String! meows: Int kind: Int }
        type Human { name: String! pets: [Pet!] }
        enum Kind { BIG SMALL }
        input Liking { kind: Kind! weight: Float = 1.5 tags: [String!] }
        input One @oneOf { a: Int b: Int }
        scalar Any";

    fn problems(query: &str) -> Vec<String> {
        let schema = Schema::load(&parse_schema(SCHEMA, &mut Free).unwrap(), &mut Free).unwrap();
        let document = parse_query(query, &mut Free).unwrap();
        let found = validate(&schema, &document, &mut Free).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn right_queries_have_no_problem() {
        for query in [
            "{ dog(name: \"x\") { name barks ...D } } fragment D on Dog { owner { pets { ... on Cat { meows } } } }",
            "query A($k: Kind!) { pet(like: {kind: $k, weight: 2, tags: [\"a\"]}) { name(short: true) } }",
            "{ numbers any(x: {a: [1, \"b\"]}) __typename __schema { types { name } } }",
            "{ pet { ... on Dog { kind } ... on Cat { name } } }",
            "subscription { a a }",
        ] {
            assert_eq!(problems(query), Vec::<String>::new(), "{query}");
        }
    }

    #[test]
    fn every_rule_has_its_words() {
        for (query, expected) in [
            ("{ dgo }", "input:1:3: Cannot query field \"dgo\" on type \"Query\". Did you mean \"dog\"?"),
            (
                "{ pet { barks } }",
                "input:1:9: Cannot query field \"barks\" on type \"Pet\". Did you mean to use an inline fragment on \"Dog\"?",
            ),
            (
                "{ dog { name } }",
                "input:1:3: Field \"dog\" argument \"name\" of type \"String!\" is required, but it was not provided.",
            ),
            ("{ dog(name: 1) { name } }", "input:1:13: String cannot represent a non string value: 1"),
            (
                "{ numbers { __typename } }",
                "input:1:3: Field \"numbers\" must not have a selection since type \"Int\" has no subfields.",
            ),
            (
                "{ human }",
                "input:1:3: Field \"human\" of type \"Human\" must have a selection of subfields. Did you mean \"human { ... }\"?",
            ),
            ("{ ...F }", "input:1:6: Unknown fragment \"F\"."),
            (
                "{ ... on Dog { barks } }",
                "input:1:7: Fragment cannot be spread here as objects of type \"Query\" can never be of type \"Dog\".",
            ),
            ("{ numbers @no }", "input:1:12: Unknown directive \"@no\"."),
            ("{ numbers @deprecated }", "input:1:12: Directive \"@deprecated\" may not be used on FIELD."),
            ("query A($x: Int) { numbers }", "input:1:9: Variable \"$x\" is never used in operation \"A\"."),
            ("{ any(x: $v) }", "input:1:10: Variable \"$v\" is not defined."),
            (
                "query($n: String) { dog(name: $n) { name } }",
                "input:1:31: Variable \"$n\" of type \"String\" used in position expecting type \"String!\".",
            ),
            (
                "{ pet(like: {kind: HUGE}) { name } }",
                "input:1:20: Value \"HUGE\" does not exist in \"Kind!\" enum.",
            ),
            (
                "{ pet(like: {}) { name } }",
                "input:1:13: Field \"Liking.kind\" of required type \"Kind!\" was not provided.",
            ),
            (
                "{ a: human { name } a: numbers }",
                "input:1:21: Fields \"a\" conflict because \"human\" and \"numbers\" are different fields. Use different aliases on the fields to fetch both if this was intentional.",
            ),
            ("mutation { a }", "input:1:1: Schema does not support operation type \"mutation\""),
            (
                "subscription { a b }",
                "input:1:18: Anonymous Subscription must select only one top level field.",
            ),
            (
                "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
                "input:1:3: Maximum introspection depth exceeded",
            ),
        ] {
            assert_eq!(problems(query), [expected], "{query}");
        }
        let cycle = problems(
            "{ human { ...A } } fragment A on Human { pets { ...B } } fragment B on Pet { ... on Dog { owner { ...A } } }",
        );
        assert_eq!(cycle, ["input:1:102: Cannot spread fragment \"A\" within itself via \"B\"."]);
    }

    /// Counts down.
    struct Metered(usize);

    impl Host for Metered {
        fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
            self.0 = self.0.checked_sub(steps).ok_or(Exhausted)?;
            Ok(())
        }
        fn quote(&self, text: &str) -> String {
            format!("{text:?}")
        }
    }

    /// Sixty fragments, each of which is compared with each, take more than they seem to.
    #[test]
    fn queries_that_take_long_are_stopped() {
        let mut query = String::from("{ human { ...F0 ...F0 } }");
        for at in 0..60 {
            let next = at + 1;
            query.push_str(&format!(
                " fragment F{at} on Human {{ pets {{ ... on Dog {{ owner {{ ...F{next} ...G{next} }} }} }} }} \
                 fragment G{at} on Human {{ pets {{ ... on Dog {{ owner {{ ...F{next} ...G{next} }} }} }} }}"
            ));
        }
        let schema = Schema::load(&parse_schema(SCHEMA, &mut Free).unwrap(), &mut Free).unwrap();
        let document = parse_query(&query, &mut Free).unwrap();
        let outcome = validate(&schema, &document, &mut Metered(50_000)).map(|problems| problems.len());
        assert_eq!(outcome, Err(Failure::Exhausted));
    }

    #[test]
    fn chains_of_fragments_end() {
        let mut query = String::from("{ human { ...F0 } }");
        for at in 0..10_000 {
            query.push_str(&format!(" fragment F{at} on Human {{ ...F{} }}", at + 1));
        }
        let schema = Schema::load(&parse_schema(SCHEMA, &mut Free).unwrap(), &mut Free).unwrap();
        let document = parse_query(&query, &mut Free).unwrap();
        assert!(matches!(validate(&schema, &document, &mut Free), Err(Failure::TooLarge(_))));
    }
}
