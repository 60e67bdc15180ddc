package ingress.default_backend_test

import data.ingress.default_backend

test_a_default_backend_is_denied if {
	every backend in [{"service": {"name": "web"}}, {}] {
		default_backend.deny == {{
			"rule": "default-backend",
			"path": "/spec/defaultBackend",
			"found": backend,
			"expected": "unset, with rules for the hosts instead",
		}} with input.review.object.spec as {"defaultBackend": backend}
	}
}

test_an_absent_default_backend_is_allowed if {
	every object in [{"spec": {"rules": []}}, {"spec": {"defaultBackend": null}}, {"spec": null}, {}] {
		default_backend.deny == set() with input.review.object as object
	}
}
