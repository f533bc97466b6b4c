//! `schedules`.

use super::{Terminal, shows};

#[test]
fn schedules_are_made_and_seen_to() {
    let terminal = Terminal::signed_in();
    terminal.file("report.py", "def handler(input, context):\n    return input\n");
    terminal.run(&["functions", "push", "report.py", "--name", "ops:report"]).ok();
    let once = ["--at", "2199-01-01T00:00:00Z"];
    let create = |more: &[&'static str]| [&["schedules", "create", "yearly", "ops:report"], more].concat();
    shows("schedules_create", &terminal.run(&create(&[&once[..], &["--input", r#"{"day": 1}"#]].concat())));
    shows("schedules_create_again", &terminal.run(&create(&once)));
    let wrong = ["schedules", "create", "wrong", "ops:report", "--cron", "61 * * * *"];
    shows("schedules_create_wrong", &terminal.run(&wrong));
    shows("schedules_create_two_timings", &terminal.run(&create(&["--every", "60", "--cron", "* * * * *"])));
    shows("schedules_list", &terminal.run(&["schedules", "list"]));
    let id = terminal.run(&["schedules", "list", "--quiet"]).ok();
    let update = [
        "schedules",
        "update",
        &id,
        "--overlap",
        "queue",
        "--zone",
        "Europe/Berlin",
        "--description",
        "Once.",
    ];
    shows("schedules_update", &terminal.run(&update));
    shows("schedules_pause", &terminal.run(&["schedules", "pause", &id]));
    shows("schedules_resume", &terminal.run(&["schedules", "resume", &id]));
    shows("schedules_run", &terminal.run(&["schedules", "run", &id]));
    shows("schedules_ticks", &terminal.run(&["schedules", "ticks", &id]));
    let preview = [
        "schedules",
        "preview",
        "--cron",
        "30 2 * * *",
        "--zone",
        "Europe/Berlin",
        "--starts-at",
        "2199-03-30T00:00:00Z",
    ];
    shows("schedules_preview", &terminal.run(&preview));
    shows("schedules_show", &terminal.run(&["schedules", "show", &id]));
    shows("schedules_delete", &terminal.run(&["schedules", "delete", &id, "--yes"]));
    shows("schedules_show_gone", &terminal.run(&["schedules", "show", &id]));
    terminal.end();
}
