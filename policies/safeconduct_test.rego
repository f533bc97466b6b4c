# Run by `cargo test -p safeconduct-policies`, and by `opa test policies` in `make test-all`.
package safeconduct_test

import data.safeconduct

agent := {
	"operation": "agents.kill",
	"action": "agents:update",
	"principal": {"id": "agt_1", "kind": "agent"},
	"chain": [{"id": "agt_2"}, {"id": "agt_3"}],
	"token": {"age_seconds": 400},
	"context": {"ip": "203.0.113.7"},
}

user := object.union(agent, {"principal": {"id": "usr_1", "kind": "user"}, "token": null, "chain": []})

nothing := {"agents_never": [], "approvals": {}, "longest_chain": 0, "networks": {}, "oldest_token_seconds": 0}

with_settings(settings) := object.union(nothing, settings)

test_nothing_is_refused_as_it_stands if {
	count(safeconduct.deny) == 0 with input as agent with data.settings as nothing
	count(safeconduct.require_approval) == 0 with input as agent with data.settings as nothing
	count(safeconduct.deny) == 0 with input as user with data.settings as nothing
}

test_agents_never if {
	settings := with_settings({"agents_never": ["agents.kill"]})
	safeconduct.deny == {"agents do not do agents.kill here"} with input as agent with data.settings as settings
}

test_agents_never_is_not_about_people if {
	settings := with_settings({"agents_never": ["agents.kill"]})
	count(safeconduct.deny) == 0 with input as user with data.settings as settings
}

test_longest_chain if {
	settings := with_settings({"longest_chain": 1})
	safeconduct.deny == {"a chain has at most 1 actors here"} with input as agent with data.settings as settings
}

test_a_chain_may_be_as_long_as_the_limit if {
	settings := with_settings({"longest_chain": 2})
	count(safeconduct.deny) == 0 with input as agent with data.settings as settings
}

test_oldest_token if {
	settings := with_settings({"oldest_token_seconds": 300})
	safeconduct.deny == {"tokens older than 300 s are not taken here"} with input as agent with data.settings as settings
	count(safeconduct.deny) == 0 with input as user with data.settings as settings
}

test_networks if {
	settings := with_settings({"networks": {"agents.kill": ["10.0.0.0/8"]}})
	safeconduct.deny == {"agents.kill is done from other networks"} with input as agent with data.settings as settings
}

test_a_network_that_is_named_is_let_through if {
	settings := with_settings({"networks": {"agents.kill": ["203.0.113.0/24"]}})
	count(safeconduct.deny) == 0 with input as agent with data.settings as settings
}

test_approvals if {
	settings := with_settings({"approvals": {"agents.kill": ["on-call", "usr_9"]}})
	safeconduct.require_approval == {"on-call", "usr_9"} with input as agent with data.settings as settings
	count(safeconduct.deny) == 0 with input as agent with data.settings as settings
}
