//! HTTP of triggers.

use std::sync::Arc;

use web::{Door, Routes};

use crate::{Triggers, hooks, schedules};

pub fn routes(door: &Arc<Door>) -> Routes<Triggers> {
    schedules::routes(door).merge(hooks::routes(door))
}
