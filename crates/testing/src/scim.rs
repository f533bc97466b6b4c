//! The public SCIM tester, where `scripts/setup.sh scim` has put it.

use std::path::PathBuf;

use crate::cache::cached;

/// The Python that has it.
pub fn scim_tester() -> PathBuf {
    cached("scim-tester/bin/python", "scim")
}
