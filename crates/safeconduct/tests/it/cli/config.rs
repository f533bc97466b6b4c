//! `config`: from a file that is wrong to one that is applied, changed by hand, and written again.

use std::path::Path;

use super::{Terminal, shows};

const FILE: &str = r#"apiVersion: safeconduct.dev/v1
kind: Config
metadata:
  name: acme
spec:
  roles:
    - name: note-taker
      description: Writes ${WHAT}
      permissions: ["state/notes/**:update"]
  state_namespaces:
    - name: notes
  functions:
    - namespace: ops
      name: digest
      code: ${file:digest.py}
  agents:
    - namespace: ops
      name: reporter
      roles: [note-taker]
"#;

#[test]
fn a_file_is_mended_planned_applied_and_told_apart() {
    let terminal = Terminal::signed_in();
    terminal.file("digest.py", "def handler(input, context):\n    return len(input)\n");
    terminal.file("acme.yaml", FILE);
    shows("config_unset", &terminal.run(&["config", "plan", "acme.yaml"]));
    terminal.file("acme.yaml", &FILE.replace("${WHAT}", "notes"));
    let wrong = FILE
        .replace("${WHAT}", "notes")
        .replace("[note-taker]", "[nobody]")
        .replace("name: notes", "name: notes\n      secret: maybe");
    terminal.file("wrong.yaml", &wrong);
    terminal.file("dangling.yaml", &wrong.replace("secret: maybe", "secret: true"));
    shows("config_validate", &terminal.run(&["config", "validate", "acme.yaml"]));
    shows("config_validate_wrong", &terminal.run(&["config", "validate", "wrong.yaml"]));
    shows("config_validate_dangling", &terminal.run(&["config", "validate", "dangling.yaml"]));
    shows("config_apply_wrong", &terminal.run(&["config", "apply", "wrong.yaml", "--yes"]));
    terminal.file("outside.yaml", &FILE.replace("digest.py", "../digest.py"));
    shows("config_outside", &terminal.run(&["config", "plan", "outside.yaml"]));
    let planned = terminal.run(&["config", "plan", "acme.yaml"]);
    assert_eq!(planned.code, 2, "{planned}");
    shows("config_plan", &planned);
    shows("config_plan_quiet", &terminal.run(&["config", "plan", "acme.yaml", "--quiet"]));
    shows("config_apply_asks", &terminal.run(&["config", "apply", "acme.yaml"]));
    assert_eq!(terminal.run(&["config", "apply", "acme.yaml", "--yes"]).code, 0);
    shows("config_apply_again", &terminal.run(&["config", "apply", "acme.yaml", "--yes"]));
    let planned = terminal.run(&["config", "plan", "acme.yaml"]);
    assert_eq!(planned.code, 0, "{planned}");
    let json = terminal.run(&["config", "plan", "acme.yaml", "--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["manager"], &json["unchanged"]), (&"acme".into(), &4.into()));
    // By hand, beside the file.
    terminal.run(&["agents", "update", "ops:reporter", "--description", "By hand"]).ok();
    let drift = terminal.run(&["config", "drift"]);
    assert_eq!(drift.code, 2, "{drift}");
    shows("config_drift", &drift);
    let other = FILE.replace("acme", "other").replace("${WHAT}", "more notes");
    terminal.file("other.yaml", &other);
    shows("config_plan_held", &terminal.run(&["config", "plan", "other.yaml"]));
    shows("config_apply_held", &terminal.run(&["config", "apply", "other.yaml", "--yes"]));
    terminal.run(&["config", "apply", "acme.yaml", "--yes"]).ok();
    shows("config_drift_none", &terminal.run(&["config", "drift", "--manager", "acme"]));
    terminal.file(
        "less.yaml",
        "apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: acme}\nspec: {}\n",
    );
    shows("config_plan_less", &terminal.run(&["config", "plan", "less.yaml"]));
    shows("config_plan_prune", &terminal.run(&["config", "plan", "less.yaml", "--prune"]));
    let exported = terminal.run(&["config", "export", "--manager", "acme"]).ok();
    terminal.file("exported.yaml", &format!("{exported}\n"));
    let planned = terminal.run(&["config", "plan", "exported.yaml"]);
    assert_eq!(planned.code, 0, "{planned}");
    terminal.end();
}

/// What stands in `examples/` works as it stands.
#[test]
fn the_example_is_applied() {
    let terminal = Terminal::signed_in();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configuration");
    let file = folder.join("safeconduct.yaml");
    let file = file.to_str().expect("a path");
    terminal.run(&["config", "validate", file]).ok();
    terminal.run(&["config", "apply", file, "--yes"]).ok();
    let planned = terminal.run(&["config", "plan", file]);
    assert_eq!(planned.code, 0, "{planned}");
    let ran =
        terminal.run(&["functions", "run", "ops:digest", "--input", r#"{"notes": ["two words"]}"#, "--json"]);
    assert!(ran.out.contains("\"words\": 2") || ran.out.contains("\"words\":2"), "{ran}");
    terminal.end();
}
