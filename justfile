# Every task of the project; CI runs only these. `just` alone lists them.

# The list
default:
    @just --list

# All tests: Rust, Rego by OPA, Rego by our engine, end to end on a real API server
test: test-rust test-rego test-end-to-end

# Rust unit and integration tests
test-rust:
    cargo test --workspace --exclude wayguard-conformance-tests --no-fail-fast

# The policies, judged by OPA itself and by our engine; their tests come to every line
test-rego:
    scripts/rego-check policies
    cargo run --quiet --bin wayguard -- test policies --coverage --threshold 100

# Each small change of a policy makes a test fail, but for two in a hundred; an argument chooses policies (some minutes)
test-mutants ids="":
    cargo run --release --quiet --bin wayguard -- test policies --mutate{{ if ids == "" { "" } else { "=" + ids } }} --threshold 98

# Black-box tests on a real API server, upstream's Pod Security suite among them
test-end-to-end:
    cargo build --bin wayguard
    cargo test -p wayguard-conformance-tests --no-fail-fast -- --test-threads 1

# What takes long: 200 idle namespaces for two minutes, thirty claims at once twenty times (10 minutes); 100 rotations,
# 500 generations of a policy, ten minutes without an API server (two hours)
soak:
    cargo build --bin wayguard
    WAYGUARD_SOAK=1 cargo test -p wayguard-conformance-tests --test provisioning -- --nocapture
    WAYGUARD_SOAK=1 cargo test -p wayguard-conformance-tests --test availability -- --nocapture

# OPA's conformance cases on our engine, and our parser beside OPA's
compare-rego-cases:
    cargo test --profile compare -p wayguard-conformance-tests --test rego_cases --test rego_syntax -- --nocapture

# Random policies, answered by our engine and by OPA; a difference is cut down and names its seed
compare-rego-generated seed="1" count="100000":
    REGO_SEED={{seed}} REGO_COUNT={{count}} cargo test --profile compare -p wayguard-conformance-tests --test rego_generated -- --nocapture

# Real policies on inputs made worse, so many in all
compare-rego-inputs seed="1" count="1000000":
    REGO_SEED={{seed}} REGO_COUNT={{count}} cargo test --profile compare -p wayguard-conformance-tests --test rego_inputs -- --nocapture

# Our verdicts on signatures beside cosign's; `just interop --record` renews the cases of the everyday tests
interop *arguments:
    scripts/interop {{arguments}}

# Formatting, lints, dependency rules
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo fetch --locked --quiet
    cargo deny --offline check bans licenses sources

# Benchmarks: decode, match, evaluate, the whole HTTPS request; the evaluator beside OPA, the webhook beside its peers
bench: && bench-evaluator bench-admission
    cargo bench -p wayguard-engine
    cargo bench -p wayguard-webhook
    cargo bench -p wayguard-images
    cargo bench -p wayguard-audit

# The evaluator beside OPA's prepared queries; an argument chooses templates
bench-evaluator name="":
    cargo bench -p wayguard-conformance-tests --bench evaluator -- {{name}}

# docs/reference/performance.md, made anew from the two comparisons
bench-table:
    scripts/bench-table

# The whole webhook beside its peers, release build; tables with ratios first. `just bench-peers` builds the peers
bench-admission:
    cargo build --release --bin wayguard
    WAYGUARD_BENCH_GATEKEEPER="${WAYGUARD_BENCH_GATEKEEPER:-{{justfile_directory()}}/target/peers/gatekeeper}" \
        cargo bench -p wayguard-conformance-tests --bench admission

# Gatekeeper from its Go module, for `just bench-admission` (some minutes, once)
bench-peers:
    mkdir -p target/peers
    cd conformance-tests/peers && go build -mod=mod -trimpath -o ../../target/peers/gatekeeper github.com/open-policy-agent/gatekeeper/v3

# A live API server with the gate in front of it
sandbox:
    cargo run --bin wayguard -- sandbox
