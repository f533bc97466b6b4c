//! Rules that stand behind the permissions, as the door sees them: they can only narrow what was admitted.
//!
//! What the rules are and who made them is a domain's business. The door asks twice: before the handler runs, when the
//! object is not known, and at each [`Allowance::check`](crate::Allowance::check), when it is.

use std::sync::Arc;

use authority::Required;
use futures::future::BoxFuture;
use problem::Problem;
use serde_json::Value;

use crate::{Caller, Contact, Object, Spec};

/// Every organization's rules. Answers from memory while nothing changes.
pub trait Policy: Send + Sync {
    /// The rules for one request; `None` where nothing could refuse it.
    fn brief<'a>(
        &'a self,
        spec: &'static Spec,
        caller: &'a Arc<Caller>,
        contact: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Brief>>, Problem>>;

    /// A permission was used: what advice about unused ones goes by. Must not wait.
    fn used(&self, caller: &Caller, required: &Required, object: Option<&Object<'_>>);
}

/// The rules for one request, with what they know of its caller.
pub trait Brief: Send + Sync {
    fn decide(&self, question: &Question<'_>) -> Result<(), Problem>;

    /// The request is over: what was decided goes on record.
    fn close(&self) -> BoxFuture<'_, Result<(), Problem>>;
}

/// What is asked.
pub struct Question<'a> {
    /// `agents.kill`
    pub operation: &'static str,
    /// `agents:update`; none for what any principal may do about itself.
    pub required: Option<&'a Required>,
    /// None at the door.
    pub object: Option<&'a Object<'a>>,
    /// What else is known of the object.
    pub attributes: Option<&'a Value>,
    /// What the act is given: the input of a function, the arguments of a tool.
    pub arguments: Option<&'a Value>,
}
