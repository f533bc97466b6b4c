//! The three roles, migrations under the owner, and the refusal of a role that row-level security does not bind.

use tokio_postgres::{Client, NoTls};
use types::Secret;

use super::pool::{Pool, parse};
use super::values::failed;
use crate::{DbError, OpenError, migrate};

pub struct RolePasswords {
    pub owner: Secret<String>,
    pub app: Secret<String>,
    pub system: Secret<String>,
}

/// `safeconduct db init`: creates the roles (idempotent) and hands the database to the owner. `admin_url` is a superuser's
/// login to the database that the server shall use.
pub async fn init_roles(admin_url: &str, passwords: &RolePasswords) -> Result<(), OpenError> {
    let client = connect(admin_url).await?;
    let roles =
        [("owner", &passwords.owner, ""), ("app", &passwords.app, ""), ("system", &passwords.system, "")];
    for (role, password, _) in roles {
        let name = format!("safeconduct_{role}");
        let known =
            client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&name]).await.map_err(failed)?;
        let verb = if known.is_empty() { "CREATE" } else { "ALTER" };
        // Identifiers are ours; the password is quoted as a literal.
        let password = password.reveal().replace('\'', "''");
        let attributes = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE";
        let create = format!("{verb} ROLE {name} {attributes} PASSWORD '{password}'");
        client.batch_execute(&create).await.map_err(failed)?;
    }
    let grants = "
        GRANT ALL ON SCHEMA public TO safeconduct_owner;
        GRANT USAGE ON SCHEMA public TO safeconduct_app, safeconduct_system;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES FOR ROLE safeconduct_owner IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO safeconduct_app, safeconduct_system;
        ALTER DEFAULT PRIVILEGES FOR ROLE safeconduct_owner IN SCHEMA public
            GRANT USAGE ON SEQUENCES TO safeconduct_app, safeconduct_system;";
    client.batch_execute(grants).await.map_err(failed)?;
    Ok(())
}

pub(super) async fn migrate(owner_url: &str) -> Result<(), OpenError> {
    let mut client = connect(owner_url).await?;
    // One node migrates, the others wait for it.
    client.batch_execute("SELECT pg_advisory_lock(7717001)").await.map_err(failed)?;
    client.batch_execute(migrate::TABLE).await.map_err(failed)?;
    let rows = client
        .query("SELECT number, checksum FROM schema_migrations ORDER BY number", &[])
        .await
        .map_err(failed)?;
    let applied: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for migration in migrate::pending(&applied)? {
        let transaction = client.transaction().await.map_err(failed)?;
        transaction.batch_execute(migration.common).await.map_err(failed)?;
        transaction.batch_execute(migration.postgres).await.map_err(failed)?;
        let text = "INSERT INTO schema_migrations
            VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
        let checksum = migration.checksum();
        transaction.execute(text, &[&migration.number, &migration.name, &checksum]).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
    }
    Ok(())
}

/// Row-level security does not bind superusers and BYPASSRLS roles: such a role must not serve requests.
pub(super) async fn refuse_powerful(app: &Pool) -> Result<(), OpenError> {
    let connection = app.connection().await?;
    let text =
        "SELECT current_user::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let row = connection.query_one(text, &[]).await.map_err(failed)?;
    let (role, powerful): (String, bool) = (row.get(0), row.get(1));
    if powerful {
        return Err(OpenError::Refused(format!(
            "database.url signs in as {role}, which row-level security does not bind; \
             run `safeconduct db init` and use safeconduct_app"
        )));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the connection's own task; db stands below telemetry::spawn")]
async fn connect(url: &str) -> Result<Client, OpenError> {
    let unavailable = |error: tokio_postgres::Error| DbError::Unavailable(error.to_string());
    let (client, connection) = parse(url)?.connect(NoTls).await.map_err(unavailable)?;
    tokio::spawn(connection);
    Ok(client)
}
