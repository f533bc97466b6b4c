//! Numbered migrations: one text for both databases where possible, a further text where they differ.
//!
//! Applied in order, each in a transaction; the checksum of an applied one must not change, and a schema with unknown
//! numbers (a newer binary was here) stops the start.

use sha2::{Digest, Sha256};

use crate::OpenError;

pub struct Migration {
    pub number: i64,
    pub name: &'static str,
    /// Runs on both databases.
    pub common: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal;)+) => {
        pub static MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            common: include_str!(concat!("../../../../migrations/", $name, ".sql")),
            sqlite: include_str!(concat!("../../../../migrations/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!("../../../../migrations/", $name, ".postgres.sql")),
        },)+];
    };
}

migrations! {
    1 "0001_ledger";
    2 "0002_people";
    3 "0003_oauth";
    4 "0004_acting";
    5 "0005_organizations";
    6 "0006_access";
    7 "0007_policies";
    8 "0008_sign_in";
    9 "0009_directories";
    10 "0010_scim";
    11 "0011_state";
    12 "0012_queues";
    13 "0013_schedules";
    14 "0014_files";
    15 "0015_hooks";
    16 "0016_buckets";
    17 "0017_rates";
    18 "0018_progress";
    19 "0019_workers";
    20 "0020_modes";
    21 "0021_config";
    22 "0022_routes";
    23 "0023_requirements";
    24 "0024_packages";
    25 "0025_secrets";
    26 "0026_ways_out";
    27 "0027_questions";
    29 "0029_open_runs";
}

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)";

impl Migration {
    pub(crate) fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.common, self.sqlite, self.postgres] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// The migrations still to run, given `(number, checksum)` of those applied.
pub(crate) fn pending(applied: &[(i64, String)]) -> Result<Vec<&'static Migration>, OpenError> {
    for (number, checksum) in applied {
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.number == *number) else {
            return Err(OpenError::Refused(format!(
                "the database was migrated by a newer safeconduct (migration {number} is unknown here); use that version"
            )));
        };
        if known.checksum() != *checksum {
            return Err(OpenError::Refused(format!(
                "migration {} ({}) differs from the one that was applied; restore the original text",
                known.number, known.name
            )));
        }
    }
    Ok(MIGRATIONS.iter().filter(|one| !applied.iter().any(|(number, _)| *number == one.number)).collect())
}
