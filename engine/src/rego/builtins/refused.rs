//! What OPA has and policies may not use here, with the reason; a policy that uses one is refused at load.

use super::{Body, Builtin, Type};

const NETWORK: &str =
    "policies have no network: name what is needed in `custom.facts`, and it is fetched before";
const ENVIRONMENT: &str = "policies see nothing of the environment: a decision depends on its input alone";
const GRAPHQL: &str = "GraphQL is not part of admission; nothing here speaks it";
const SCHEMAS: &str =
    "policies do not evaluate JSON schemas; a policy's own parameters have one in its metadata";
const TEMPLATES: &str = "Go's templates are not spoken here; use sprintf or a template string";
const SIGNING: &str = "it signs requests, and policies have no network to send them";
const MODULES: &str = "policies do not parse policies";

pub(super) const TABLE: &[Builtin] = &[
    refused("http.send", &[Type::RECORD], Type::OBJECT, NETWORK),
    refused("opa.runtime", &[], Type::RECORD, ENVIRONMENT),
    refused("providers.aws.sign_req", &[Type::RECORD, Type::RECORD, Type::Number], Type::OBJECT, SIGNING),
    refused("strings.render_template", &[Type::String, Type::RECORD], Type::String, TEMPLATES),
    refused(
        "json.match_schema",
        &[TEXT_OR_TREE, TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::Array(&[], Some(&Type::RECORD))], None),
        SCHEMAS,
    ),
    refused(
        "json.verify_schema",
        &[TEXT_OR_TREE],
        Type::Array(&[Type::Boolean, Type::OneOf(&[Type::Null, Type::String])], None),
        SCHEMAS,
    ),
    refused("internal.test_case", &[Type::ARRAY], Type::Nothing, MODULES),
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
