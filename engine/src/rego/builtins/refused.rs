//! What OPA has and policies may not use here, with the reason; a policy that uses one is refused at load.

use super::{Body, Builtin, Type};

const NETWORK: &str =
    "policies have no network: name what is needed in `custom.facts`, and it is fetched before";
const ENVIRONMENT: &str = "policies see nothing of the environment: a decision depends on its input alone";
const MODULES: &str = "policies do not parse policies";

pub(super) const TABLE: &[Builtin] = &[
    refused("http.send", &[Type::RECORD], Type::OBJECT, NETWORK),
    refused("opa.runtime", &[], Type::RECORD, ENVIRONMENT),
    refused("internal.test_case", &[Type::ARRAY], Type::Nothing, MODULES),
    refused("rego.parse_module", &[Type::String, Type::String], Type::RECORD, MODULES),
];

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
