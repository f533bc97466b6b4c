//! HTTP of triggers.

use std::sync::Arc;

use web::{Door, Routes};

use crate::{Triggers, hooks, schedules};

pub fn routes(door: &Arc<Door>, triggers: &Triggers) -> Routes {
    schedules::routes(door)
        .with_state(triggers.clone())
        .merge(hooks::routes(door).with_state(triggers.clone()))
}
