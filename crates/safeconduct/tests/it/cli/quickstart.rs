//! `quickstart`: what it tells must be so. The figures are held against awk, which knows nothing of the function.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Terminal, shows};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quickstart/service-checks.csv");

/// `service,checks,failed,availability in ppm,p50,p95,p99`, sorted; `-` where no latency is known.
const FIGURES: &str = r#"
BEGIN { FS = "," }
{ sub(/\r$/, "") }
NR == 1 { for (column = 1; column <= NF; column++) place[$column] = column; next }
{
    service = $place["service"]; status = $place["status"]; latency = $place["latency_ms"]
    checks[service]++
    good = status == "ok" || status == "up" || (status + 0 >= 200 && status + 0 <= 399)
    if (!good) { failed[service]++; next }
    if (latency != "") known[service, ++count[service]] = latency + 0
}
function rank(service, percent,    total, place, below, each, other) {
    total = count[service]; if (total == 0) return "-"
    place = int((percent * total + 99) / 100)
    for (each = 1; each <= total; each++) {
        below = 0; equal = 0
        for (other = 1; other <= total; other++) {
            if (known[service, other] < known[service, each]) below++
            if (known[service, other] == known[service, each]) equal++
        }
        if (below < place && place <= below + equal) return known[service, each]
    }
}
END {
    for (service in checks)
        printf "%s,%d,%d,%d,%s,%s,%s\n", service, checks[service], failed[service], \
            int((checks[service] - failed[service]) * 1000000 / checks[service]), \
            rank(service, 50), rank(service, 95), rank(service, 99)
}
"#;

fn by_awk(csv: &Path) -> Vec<String> {
    let output = Command::new("awk").arg(FIGURES).arg(csv).output().expect("awk");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> =
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn by_function(story: &Value) -> Vec<String> {
    let number = |value: &Value| if value.is_null() { "-".to_owned() } else { value.to_string() };
    let services = story["run"]["output"]["services"].as_array().expect("services");
    let line = |one: &Value| {
        let latency = &one["latency_ms"];
        let name = one["service"].as_str().expect("a name");
        let figures = [
            &one["checks"],
            &one["failed"],
            &one["availability_ppm"],
            &latency["p50"],
            &latency["p95"],
            &latency["p99"],
        ];
        format!("{name},{}", figures.map(number).join(","))
    };
    services.iter().map(line).collect()
}

#[test]
fn the_whole_story_on_a_server_of_its_own() {
    let terminal = Terminal::new();
    let told = terminal.run(&["quickstart", "--embedded"]);
    assert_eq!(told.code, 0, "{told}");
    shows("quickstart_embedded", &told);
    assert!(!terminal.path(".config").exists(), "a server that is gone leaves no profile");
    let suffix = told.out.split("service_report_").nth(1).and_then(|rest| rest.get(..5)).expect("a suffix");
    let data = std::env::temp_dir().join(format!("safeconduct-quickstart-{suffix}"));
    assert!(!data.exists(), "its data is gone");
    terminal.end();
}

#[test]
fn the_figures_are_those_of_another_program_and_the_story_can_be_told_again() {
    let terminal = Terminal::new();
    let first = terminal.run(&["quickstart", "--link", &terminal.link(), "--json"]).json();
    let sample = by_awk(Path::new(SAMPLE));
    assert_eq!(sample.len(), 4);
    assert_eq!(by_function(&first), sample);

    let own = "region,latency_ms,status,service\n\
               a,10,200,web\na,30,503,web\na,20,200,web\na,,timeout,web\n\
               b,7,ok,db\nb,7,up,db\nb,9,ok,db\nb,,down,queue\n";
    let path = terminal.file("own.csv", own);
    let again = terminal.run(&["quickstart", "--file", "own.csv", "--out", "own.bundle", "--json"]).json();
    assert_eq!(by_function(&again), ["db,3,0,1000000,7,9,9", "queue,1,1,0,-,-,-", "web,4,2,500000,10,20,20"]);
    assert_eq!(by_function(&again), by_awk(&path));

    for story in [&first, &again] {
        assert_eq!(story["refusal"]["code"], "permission_denied");
        assert_eq!(story["dead_token"]["code"], "invalid_token");
        assert_eq!(story["kill"]["nodes"][0]["state"], "applied");
        assert!(story["kill"]["tokens"]["count"].as_u64().is_some_and(|count| count >= 1));
        assert_eq!(story["ledger"]["verified"], true);
        assert!(
            story["bundle"]["believed"].as_str().is_some_and(|by| by.contains("pinned in profile default"))
        );
        // The run names agent and token, and the record tells of both.
        let run =
            terminal.run(&["runs", "show", story["run"]["id"].as_str().expect("an id"), "--json"]).json();
        let jti = run["jti"].as_str().expect("a token");
        let did = terminal.run(&["token", "activity", jti, "--jsonl"]).ok();
        assert!(did.contains("token.issued") && did.contains("run.succeeded"), "{did}");
    }
    assert_ne!(first["function"], again["function"]);
    terminal.end();
}

#[test]
fn the_bundle_outlives_the_server() {
    let mut terminal = Terminal::new();
    let story =
        terminal.run(&["quickstart", "--link", &terminal.link(), "--out", "story.bundle", "--json"]).json();
    terminal.stop_server();
    let report = terminal.run(&["audit", "verify", "story.bundle", "--json"]).json();
    assert_eq!(report["root"], story["bundle"]["report"]["root"]);
    let bundle = std::fs::read_to_string(terminal.path("story.bundle")).expect("text");
    assert!(bundle.contains(story["proof"]["fact"].as_str().expect("an id")));
}

#[test]
fn a_server_on_this_machine_is_found_by_its_link() {
    let terminal = Terminal::new();
    let data = terminal.data.path().display().to_string();
    let story = terminal.run(&["quickstart", "--data-dir", &data, "--json"]).json();
    assert_eq!(story["server"], terminal.url());
    terminal.run(&["whoami"]).ok();
    terminal.end();
}

#[test]
fn a_link_that_others_could_have_laid_there_is_not_followed() {
    let terminal = Terminal::new();
    std::fs::create_dir(terminal.path(".data")).expect("a folder");
    terminal.file(".data/owner-link", &terminal.link());
    let said = terminal.run(&["quickstart"]);
    assert!(said.code == 1 && said.err.contains("Nobody is signed in"), "others can read the file: {said}");
    terminal.end();
}

#[test]
fn a_file_without_the_columns_is_refused_before_anything_is_made() {
    let terminal = Terminal::signed_in();
    terminal.file("other.csv", "host,state\na,ok\n");
    shows("quickstart_wrong_file", &terminal.run(&["quickstart", "--file", "other.csv"]));
    assert_eq!(terminal.run(&["agents", "list", "--quiet"]).ok(), "");
    terminal.end();
}
