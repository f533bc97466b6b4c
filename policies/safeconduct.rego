# The rules of the operator, for every organization of this server. As they stand they refuse nothing: each looks at a
# setting in data.json and is silent while that is empty. Copy this folder, name it in `policies.directory`, and set what
# you need, or write rules of your own beside these.
package safeconduct

# Operations that no agent does, whatever it was granted: ["roles.create", "policies.activate"].
deny contains sprintf("agents do not do %s here", [input.operation]) if {
	input.principal.kind == "agent"
	input.operation in data.settings.agents_never
}

# The longest chain of actors behind a subject; 0 sets no limit.
deny contains sprintf("a chain has at most %d actors here", [data.settings.longest_chain]) if {
	data.settings.longest_chain > 0
	count(input.chain) > data.settings.longest_chain
}

# How old a token may be; 0 sets no limit.
deny contains sprintf("tokens older than %d s are not taken here", [data.settings.oldest_token_seconds]) if {
	data.settings.oldest_token_seconds > 0
	input.token.age_seconds > data.settings.oldest_token_seconds
}

# Operations that are done from these networks only: {"agents.kill": ["10.0.0.0/8"]}.
deny contains sprintf("%s is done from other networks", [input.operation]) if {
	networks := data.settings.networks[input.operation]
	not from_one_of(networks)
}

# Operations that somebody must approve: {"agents.kill": ["on-call"]}.
require_approval contains approver if some approver in data.settings.approvals[input.operation]

from_one_of(networks) if {
	some network in networks
	net.cidr_contains(network, input.context.ip)
}
