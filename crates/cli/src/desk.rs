//! What every command has at hand.

use client::Client;
use config::Environment;
use types::World;

use crate::failure::Failure;
use crate::host::Host;
use crate::profiles::ProfileStore;
use crate::screen::{Globals, Screen};
use crate::session::Choice;

pub(crate) struct Desk<'a> {
    pub(crate) screen: Screen<'a>,
    pub(crate) globals: &'a Globals,
    pub(crate) environment: &'a Environment,
    pub(crate) host: &'a dyn Host,
    pub(crate) world: World,
}

impl Desk<'_> {
    pub(crate) fn store(&self) -> Result<ProfileStore, Failure> {
        ProfileStore::of(self.environment)
    }

    pub(crate) fn choice(&self) -> Result<Choice, Failure> {
        // Without a home there are no profiles, and a token from the environment does.
        let profiles = match self.store() {
            Ok(store) => store.read()?,
            Err(_) => Default::default(),
        };
        Choice::new(self.globals, self.environment, &profiles)
    }

    /// A client that is signed in.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.choice()?.client(|| self.store())
    }
}
