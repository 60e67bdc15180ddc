//! What OPA has and policies may not use here, with the reason; a policy that uses one is refused at load.

use super::{Body, Builtin, Type};

const NETWORK: &str =
    "policies have no network: name what is needed in `custom.facts`, and it is fetched before";
const ENVIRONMENT: &str = "policies see nothing of the environment: a decision depends on its input alone";
const GRAPHQL: &str = "GraphQL is not part of admission; nothing here speaks it";
const MODULES: &str = "policies do not parse policies";

pub(super) const TABLE: &[Builtin] = &[
    refused("http.send", &[Type::RECORD], Type::OBJECT, NETWORK),
    refused("opa.runtime", &[], Type::RECORD, ENVIRONMENT),
    refused("rego.parse_module", &[Type::String, Type::String], Type::RECORD, MODULES),
    refused("graphql.is_valid", &[TEXT_OR_TREE, TEXT_OR_TREE], Type::Boolean, GRAPHQL),
    refused(
        "graphql.parse",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::OBJECT, Type::OBJECT], None),
        GRAPHQL,
    ),
    refused(
        "graphql.parse_and_verify",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::OBJECT, Type::OBJECT], None),
        GRAPHQL,
    ),
    refused("graphql.parse_query", &[Type::String], Type::OBJECT, GRAPHQL),
    refused("graphql.parse_schema", &[Type::String], Type::OBJECT, GRAPHQL),
    refused("graphql.schema_is_valid", &[TEXT_OR_TREE], Type::Boolean, GRAPHQL),
];

const TEXT_OR_TREE: Type = Type::OneOf(&[Type::String, Type::OBJECT]);

const fn refused(
    name: &'static str,
    arguments: &'static [Type],
    result: Type,
    reason: &'static str,
) -> Builtin {
    Builtin {
        name,
        arguments,
        result,
        body: Body::Refused(reason),
        nondeterministic: false,
        deprecated: false,
    }
}
