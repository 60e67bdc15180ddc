# Every task of the project; CI runs only these. `just` alone lists them.

# The list
default:
    @just --list

# All tests: Rust, Rego by OPA, Rego by our engine, end to end on a real API server
test: test-rust test-rego test-end-to-end

# Rust unit and integration tests
test-rust:
    cargo test --workspace --exclude wayguard-conformance-tests

# The policies, judged by OPA itself and by our engine
test-rego:
    scripts/rego-check policies
    cargo run --quiet --bin wayguard -- test policies

# Black-box tests on a real API server, upstream's Pod Security suite among them
test-end-to-end:
    cargo build --bin wayguard
    cargo test -p wayguard-conformance-tests -- --test-threads 1

# Formatting, lints, dependency rules
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo fetch --locked --quiet
    cargo deny --offline check bans licenses sources

# Benchmarks: decode, match, evaluate, the whole HTTPS request
bench:
    cargo bench -p wayguard-engine
    cargo bench -p wayguard-webhook

# A live API server with the gate in front of it
sandbox:
    cargo run --bin wayguard -- sandbox
