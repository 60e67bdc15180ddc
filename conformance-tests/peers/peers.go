//go:build peers

// Package peers names what the benchmarks compare with, so that its version is pinned here and nowhere else.
// `just bench-peers` builds it.
package peers

import _ "github.com/open-policy-agent/gatekeeper/v3"
