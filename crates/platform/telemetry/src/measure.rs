//! The recorder behind the `metrics` macros and its text form.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Seconds; from a cached answer to a slow function.
const BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The text that Prometheus scrapes; empty before [`crate::start`].
pub fn render_metrics() -> String {
    match HANDLE.get() {
        Some(Some(handle)) => {
            handle.run_upkeep();
            handle.render()
        }
        _ => String::new(),
    }
}

/// Sorts into buckets what histograms have taken in since the last time. Each value is kept until then, so this has to be
/// done now and then also where nobody scrapes.
pub fn fold_metrics() {
    if let Some(Some(handle)) = HANDLE.get() {
        handle.run_upkeep();
    }
}

pub(crate) fn install() {
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new().set_buckets(BUCKETS).ok()?.build_recorder();
        let handle = recorder.handle();
        // Another recorder of an embedding process stays; then there is nothing of ours to render.
        metrics::set_global_recorder(recorder).ok()?;
        Some(handle)
    });
}
