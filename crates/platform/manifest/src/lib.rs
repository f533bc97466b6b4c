//! Files that say how things are to be: YAML read within bounds and with the place of everything, written again, compared;
//! and [`Section`], by which a domain says what of it may stand in such a file.
//!
//! Knows no domain and no database: what an entry means, whether it may be made and how, is its section's business.

mod diff;
mod fill;
mod node;
mod section;
mod write;
mod yaml;

pub use diff::{FieldChange, differences};
pub use fill::{Given, escaped};
pub use node::{Kind, Member, Node, Place};
pub use section::{AnySection, Refers, Section, Standing, Wanted};
pub use write::written;
pub use yaml::{Fault, read};
