//! The kinds of providers, a file each.

mod otp;

use std::sync::Arc;

use crate::kind::Kinds;
use crate::service::{SignInParts, SignInSettings};

pub(crate) fn all(parts: &SignInParts, settings: &SignInSettings) -> Kinds {
    Kinds::new(vec![Arc::new(otp::Otp::over(parts, settings))])
}
