//! `policies`: from a file that is wrong to a version in force.

use super::{Terminal, shows};

const RULES: &str = "package safeconduct.agents

deny contains \"production stays\" if {
    input.operation == \"agents.decommission\"
    input.resource.namespace == \"prod\"
}

require_approval contains \"on-call\" if input.operation == \"agents.kill\"
";

#[test]
fn a_policy_is_validated_pushed_shown_and_put_in_force() {
    let terminal = Terminal::signed_in();
    terminal.file("agents.rego", RULES);
    terminal.file("broken.rego", "package safeconduct.agents\n\ndeny contains reason if input.\n");
    shows("policies_validate", &terminal.run(&["policies", "validate", "agents.rego"]));
    shows("policies_validate_broken", &terminal.run(&["policies", "validate", "broken.rego"]));
    shows("policies_validate_nothing", &terminal.run(&["policies", "validate", "nowhere.rego"]));
    shows("policies_push_broken", &terminal.run(&["policies", "push", "broken.rego"]));
    shows(
        "policies_push",
        &terminal.run(&["policies", "push", "agents.rego", "--description", "Production stays"]),
    );
    let policy = terminal.run(&["policies", "list", "--quiet"]).ok();
    assert_eq!(terminal.run(&["policies", "show", &policy, "--code"]).out, format!("# agents.rego\n{RULES}"));
    shows("policies_activate_asks", &terminal.run(&["policies", "activate", &policy]));
    shows("policies_activate", &terminal.run(&["policies", "activate", &policy, "--yes"]));
    shows("policies_activate_twice", &terminal.run(&["policies", "activate", &policy, "--yes"]));
    shows("policies_list", &terminal.run(&["policies", "list"]));
    shows("policies_show", &terminal.run(&["policies", "show", &policy]));
    terminal.run(&["agents", "register", "prod:billing"]).ok();
    let refused = terminal.run(&["agents", "decommission", "prod:billing", "--yes"]);
    shows("policies_refuse", &refused);
    shows("policies_deactivate", &terminal.run(&["policies", "deactivate", &policy, "--yes"]));
    shows("policies_deactivate_twice", &terminal.run(&["policies", "deactivate", &policy, "--yes"]));
    shows("policies_show_unknown", &terminal.run(&["policies", "show", "pol_01h455vb4pex5vsknk084sn02q"]));
    terminal.end();
}

#[test]
fn a_draft_is_rehearsed_before_it_holds() {
    let terminal = Terminal::signed_in_with(&[("decisions.record", "full")]);
    terminal.file("agents.rego", RULES);
    terminal.file(
        "open.rego",
        "package safeconduct.agents\n\ndeny contains \"never\" if input.operation == \"x\"\n",
    );
    let simulate = |operation: &str, resource: &str| {
        let words =
            ["policies", "simulate", "agents:delete", "--operation", operation, "--resource", resource];
        terminal.run(&[&words[..], &["--attribute", "namespace=prod", "--files", "agents.rego"]].concat())
    };
    shows("policies_simulate_denied", &simulate("agents.decommission", "prod/billing"));
    shows("policies_simulate_approval", &simulate("agents.kill", "prod/billing"));
    shows("policies_simulate_allowed", &simulate("agents.update", "prod/billing"));
    shows("policies_simulate_wrong", &terminal.run(&["policies", "simulate", "agents"]));
    // What is in force is recorded with; what a draft would have said is told.
    terminal.run(&["policies", "push", "open.rego", "--activate", "--yes"]).ok();
    terminal.run(&["agents", "register", "prod:billing"]).ok();
    terminal.run(&["agents", "decommission", "prod:billing", "--yes"]).ok();
    shows("policies_what_if", &terminal.run(&["policies", "what-if", "agents.rego"]));
    shows("policies_what_if_same", &terminal.run(&["policies", "what-if", "open.rego"]));
    shows("policies_what_if_nothing", &terminal.run(&["policies", "what-if"]));
    terminal.end();
}
