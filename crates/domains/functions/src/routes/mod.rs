//! HTTP of functions and runs.

mod answers;
pub(crate) mod environments;
mod execute;
pub(crate) mod functions;
mod pools;
mod queues;
mod runs;
mod streams;
pub(crate) mod versions;
mod views;
mod workers;

use std::sync::Arc;

pub use execute::ExecuteFunction;
pub(crate) use functions::COLUMNS;
pub(crate) use views::PrincipalView;
use web::{Door, FactKind, Routes, leaves};

use crate::Functions;
use crate::allow_list::routes as packages;

/// What a run that goes on leaves when it ends, sooner or later.
pub(crate) const HOW_RUNS_END: &[&FactKind] = leaves![
    ::runs::facts::RUN_SUCCEEDED,
    ::runs::facts::RUN_FAILED,
    ::runs::facts::RUN_TIMED_OUT,
    ::runs::facts::RUN_CANCELLED,
    ::runs::facts::RUN_DEAD,
];

pub fn routes(door: &Arc<Door>) -> Routes<Functions> {
    Routes::new()
        .route::<functions::CreateFunction, _, _>(door, functions::create)
        .route::<functions::ListFunctions, _, _>(door, functions::list)
        .route::<functions::GetFunction, _, _>(door, functions::get)
        .route::<functions::DeleteFunction, _, _>(door, functions::delete)
        .route::<versions::PublishVersion, _, _>(door, versions::publish)
        .route::<versions::MakeLive, _, _>(door, versions::make_live)
        .route::<versions::ListVersions, _, _>(door, versions::list)
        .route::<versions::GetVersion, _, _>(door, versions::get)
        .route::<environments::BuildEnvironment, _, _>(door, environments::build)
        .route::<packages::RequestPackage, _, _>(door, packages::request)
        .route::<packages::ListPackages, _, _>(door, packages::list)
        .route::<packages::GetPackage, _, _>(door, packages::get)
        .route::<packages::ApprovePackage, _, _>(door, packages::approve)
        .route::<packages::RefusePackage, _, _>(door, packages::refuse)
        .route::<packages::RemovePackage, _, _>(door, packages::remove)
        .route::<execute::ExecuteFunction, _, _>(door, execute::execute)
        .route::<runs::ListRuns, _, _>(door, runs::list)
        .route::<runs::GetRun, _, _>(door, runs::get)
        .route::<runs::RunOutput, _, _>(door, runs::output)
        .route::<runs::CancelRun, _, _>(door, runs::cancel)
        .route::<runs::RetryRun, _, _>(door, runs::retry)
        .route::<runs::ReplayRun, _, _>(door, runs::replay)
        .route::<runs::FlushRun, _, _>(door, runs::flush)
        .route::<answers::ContinueRun, _, _>(door, answers::answer)
        .route::<queues::ListQueues, _, _>(door, queues::list)
        .route::<queues::ListDead, _, _>(door, queues::dead)
        .route::<workers::ListWorkers, _, _>(door, workers::list)
        .route::<pools::ListPools, _, _>(door, pools::list)
        .route::<pools::RecyclePools, _, _>(door, pools::recycle)
        .route::<streams::RunLogs, _, _>(door, streams::logs)
        .route::<streams::RunEvents, _, _>(door, streams::events)
}
