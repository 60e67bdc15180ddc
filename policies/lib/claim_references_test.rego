package lib.claim_references_test

import data.lib.claim_references

test_references_are_found_wherever_they_stand if {
	claim_references.in_text("jdbc:${db-1.host}:$${db-1.port}/${queue.v_host2}") == {
		{"text": "${db-1.host}", "claim": "db-1", "output": "host"},
		{"text": "$${db-1.port}", "claim": "db-1", "output": "port"},
		{"text": "${queue.v_host2}", "claim": "queue", "output": "v_host2"},
	}
}

test_other_texts_are_none if {
	shells := ["", "${HOME}", "${a}", "$(a.b)", "a.b"]
	misspelt := ["${A.b}", "${a.B}", "${-a.b}", "${a-.b}", "${a.}", "${.b}", "${a.1}", "${a.b.c}"]
	every text in array.concat(shells, misspelt) {
		claim_references.in_text(text) == set()
	}
}

test_a_text_is_a_reference_as_a_whole_or_not if {
	claim_references.whole("${database.url}").output == "url"
	claim_references.whole("$${database.url}").claim == "database"
	every text in [" ${database.url}", "${database.url}x", "${a.b}${a.c}", "x"] {
		not claim_references.whole(text)
	}
}

test_a_list_is_read_whatever_stands_between if {
	claim_references.listed(" URL=database.url,_q2=my-queue.uri\n\tx=y,\n") == {
		{"text": "URL=database.url", "name": "URL", "claim": "database", "output": "url"},
		{"text": "_q2=my-queue.uri", "name": "_q2", "claim": "my-queue", "output": "uri"},
		{"text": "x=y"},
	}
	claim_references.listed("") == set()
}
