//! `safeconduct sessions …`

use clap::Subcommand;
use client::Session;

use crate::desk::Desk;
use crate::failure::Failure;
use crate::listing::{Columns, show};
use crate::table::Cell;

#[derive(Subcommand, Clone, Debug)]
pub enum SessionsCommand {
    /// List where you are signed in.
    List,
    /// End one of your sessions; the tokens made from it die.
    End {
        /// Id of the session.
        session: String,
    },
    /// Sign out everywhere: end all your sessions in every organization, this one too.
    EndAll,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: SessionsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    match command {
        SessionsCommand::List => show(&mut desk.screen, &client.auth().sessions().await?, &COLUMNS),
        SessionsCommand::End { session } => {
            desk.screen.confirm(&format!("End {session}? Its tokens die at once."))?;
            let ended = client.auth().revoke_session(&session).await?;
            desk.screen.record(&ended, &ended.id, &rows(&ended))
        }
        SessionsCommand::EndAll => {
            desk.screen.confirm("End all your sessions everywhere? You have to sign in again.")?;
            let ended = client.auth().revoke_all_sessions().await?;
            let count = ended.ended.to_string();
            desk.screen.record(&ended, &count, &[("ended", Cell::from(&count))])
        }
    }
}

static COLUMNS: Columns<Session> = Columns {
    id: |session| &session.id,
    columns: &[
        ("session", |session| Cell::from(&session.id)),
        ("kind", |session| Cell::from(&session.kind)),
        ("client", |session| Cell::from(session.user_agent.as_deref().unwrap_or_default())),
        ("last seen", |session| Cell::from(session.last_seen_at.as_str())),
        ("expires", |session| Cell::from(session.expires_at.as_str())),
    ],
};

fn rows(session: &Session) -> Vec<(&'static str, Cell)> {
    vec![
        ("session", Cell::from(&session.id)),
        ("kind", Cell::from(&session.kind)),
        ("client", Cell::from(session.user_agent.as_deref().unwrap_or_default())),
        ("created", Cell::from(session.created_at.as_str())),
        ("last seen", Cell::from(session.last_seen_at.as_str())),
        ("expires", Cell::from(session.expires_at.as_str())),
    ]
}
