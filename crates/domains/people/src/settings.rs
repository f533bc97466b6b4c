//! What an organization decides about itself. Stored as one JSON text; what is not said has the instance's default.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::Email;
use utoipa::ToSchema;

use crate::PeopleError;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrgSettings {
    /// IANA name, such as `Europe/Zurich`; UTC if null.
    pub time_zone: Option<String>,
    /// How long after sign-in a session ends; never longer than the instance allows.
    pub session_lifetime_seconds: Option<u32>,
    /// Agents are registered as `pending` and act only after somebody approved them.
    pub new_agents_need_approval: bool,
    /// What is made from now on ends at this age at the latest; what was made before stays as it is.
    pub maximum_age_seconds: MaximumAges,
    /// Who hears of what needs a person.
    pub notification_addresses: Vec<Email>,
}

/// By the environment of the agent that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaximumAges {
    pub development: MaximumAge,
    pub staging: MaximumAge,
    pub production: MaximumAge,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaximumAge {
    #[schema(minimum = 3600, maximum = 315_360_000)]
    pub credentials: Option<u32>,
    #[schema(minimum = 3600, maximum = 315_360_000)]
    pub keys: Option<u32>,
    #[schema(minimum = 3600, maximum = 315_360_000)]
    pub webhook_secrets: Option<u32>,
}

/// A merge patch of [`OrgSettings`]: what is left out stays, null goes back to the default. Only its schema is used.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read as a map, so that left out and null stay apart")]
pub struct OrgSettingsPatch {
    #[schema(max_length = 64, pattern = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")]
    time_zone: Option<String>,
    #[schema(minimum = 300, maximum = 31_536_000)]
    session_lifetime_seconds: Option<u32>,
    new_agents_need_approval: Option<bool>,
    maximum_age_seconds: Option<MaximumAgesPatch>,
    #[schema(max_items = 20)]
    notification_addresses: Option<Vec<Email>>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read as a map, so that left out and null stay apart")]
pub struct MaximumAgesPatch {
    development: Option<MaximumAge>,
    staging: Option<MaximumAge>,
    production: Option<MaximumAge>,
}

impl MaximumAges {
    /// Of an environment by its mark: `dev`, `stg` or `prd`.
    fn of(&self, mark: &str) -> &MaximumAge {
        match mark {
            "dev" => &self.development,
            "stg" => &self.staging,
            _ => &self.production,
        }
    }
}

impl OrgSettings {
    /// The longest life of an agent's credential made in this environment.
    pub fn longest_credential(&self, mark: &str) -> Option<Duration> {
        self.maximum_age_seconds.of(mark).credentials.map(seconds)
    }

    /// The longest life of an API key made in this environment.
    pub fn longest_key(&self, mark: &str) -> Option<Duration> {
        self.maximum_age_seconds.of(mark).keys.map(seconds)
    }

    /// The settings after a merge patch; refused if they would not be settings any more.
    pub(crate) fn merged(&self, patch: &Map<String, Value>) -> Result<Self, PeopleError> {
        let invalid =
            |error: serde_json::Error| PeopleError::Invalid { field: "/settings", reason: error.to_string() };
        let mut value = serde_json::to_value(self).map_err(invalid)?;
        if let Some(target) = value.as_object_mut() {
            web::merge_patch(target, patch);
        }
        serde_json::from_value(value).map_err(invalid)
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_touches_what_it_names() {
        let first =
            json!({"time_zone": "Europe/Zurich", "maximum_age_seconds": {"production": {"keys": 7200}}});
        let settings = OrgSettings::default().merged(first.as_object().unwrap()).unwrap();
        assert_eq!(settings.maximum_age_seconds.production.keys, Some(7200));
        let second = json!({"time_zone": null, "maximum_age_seconds": {"production": {"credentials": 3600}}});
        let settings = settings.merged(second.as_object().unwrap()).unwrap();
        assert_eq!(settings.time_zone, None);
        assert_eq!(settings.maximum_age_seconds.production.keys, Some(7200));
        assert_eq!(settings.maximum_age_seconds.production.credentials, Some(3600));
        assert!(settings.merged(json!({"unknown": 1}).as_object().unwrap()).is_err());
    }
}
