//! Incoming webhooks: paths of an organization that strangers may send to, what makes them believed, and whose function then
//! runs with whose rights.
//!
//! A hook is changed in `manage`, knocked at in `receive`; what came in is kept by `deliveries`.

mod answer;
mod budget;
mod deliveries;
mod described;
mod input;
mod manage;
mod model;
mod receive;
mod refusals;
mod routes;
mod routing;
mod secret;
mod section;
mod settings;
mod store;
mod trial;
mod unproven;
mod verify;
mod words;

pub use routes::routes;
pub use section::HooksSection;
pub use settings::HookSettings;
pub(crate) use settings::HookState;
