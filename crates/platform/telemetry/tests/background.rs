//! Background tasks and what they leave in log and metrics, with the subscriber that test binaries use.

use std::time::Duration;

use safeconduct_telemetry::{ErrorWatch, Tasks, Unfinished, render_metrics, spawn, start_for_tests};
use tracing::Instrument;

#[tokio::test]
async fn a_panic_in_the_background_is_an_error_line_under_its_watch() {
    start_for_tests();
    let (watch, other) = (ErrorWatch::new(), ErrorWatch::new());
    let task = async { spawn("doomed", async { panic!("on purpose") }).await }.instrument(watch.span());
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(watch.errors().len(), 1);
    assert!(watch.errors()[0].contains("doomed"), "{:?}", watch.errors());
    assert_eq!(other.errors(), Vec::<String>::new());
    assert!(render_metrics().contains("safeconduct_task_panics_total{task=\"doomed\"} 1"));
}

#[tokio::test]
async fn errors_of_grandchildren_and_inner_spans_are_caught_and_warnings_are_not() {
    start_for_tests();
    let watch = ErrorWatch::new();
    let child = async {
        tracing::warn!("a warning");
        let grandchild = async {
            let _inside = tracing::info_span!("request", request_id = "req_1").entered();
            tracing::error!(run = 7, "lost it");
        };
        spawn("grandchild", grandchild).await
    };
    async { spawn("child", child).await }.instrument(watch.span()).await.unwrap().unwrap();
    assert_eq!(watch.errors().len(), 1, "{:?}", watch.errors());
    assert!(watch.errors()[0].contains("lost it") && watch.errors()[0].contains("run=7"));
    tracing::error!("outside of any watch");
    assert_eq!(watch.errors().len(), 1);
}

#[tokio::test]
async fn a_group_stops_when_asked_and_waits_for_the_end() {
    start_for_tests();
    let tasks = Tasks::new();
    let (ended, mut end) = tokio::sync::mpsc::unbounded_channel();
    for name in ["first", "second"] {
        let ended = ended.clone();
        tasks.spawn(name, |stop| async move {
            stop.requested().await;
            let _ = ended.send(name);
        });
    }
    assert!(!tasks.stop().is_requested());
    tasks.shut_down(Duration::from_secs(60)).await.unwrap();
    assert!(tasks.stop().is_requested());
    let mut names = [end.recv().await.unwrap(), end.recv().await.unwrap()];
    names.sort();
    assert_eq!(names, ["first", "second"]);
}

#[tokio::test]
async fn who_does_not_stop_is_cut_off_and_named() {
    start_for_tests();
    let tasks = Tasks::new();
    tasks.spawn("polite", |stop| async move { stop.requested().await });
    tasks.spawn("deaf", |_| std::future::pending());
    tasks.spawn("brief", |_| async {});
    // Let the brief one end: it must not be named later.
    tokio::task::yield_now().await;
    let late = tasks.shut_down(Duration::from_millis(50)).await;
    assert_eq!(late, Err(Unfinished(vec!["deaf"])));
}

#[tokio::test]
async fn a_task_that_panics_leaves_its_group() {
    start_for_tests();
    let tasks = Tasks::new();
    tasks.spawn("doomed in a group", |_| async { panic!("on purpose") });
    tasks.shut_down(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn metrics_are_rendered_for_prometheus() {
    start_for_tests();
    metrics::counter!("telemetry_test_total", "kind" => "a").increment(2);
    metrics::histogram!("telemetry_test_seconds").record(0.003);
    let text = render_metrics();
    assert!(text.contains("telemetry_test_total{kind=\"a\"} 2"), "{text}");
    assert!(text.contains("telemetry_test_seconds_bucket{le=\"0.005\"} 1"), "{text}");
}
