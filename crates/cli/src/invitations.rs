//! `safeconduct invitations …`

use clap::{Args, Subcommand};
use client::{Invitation, InvitationFilter, NewInvitation};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::files;
use crate::listing::{Columns, Listing, show, show_all};
use crate::table::{Cell, Tone};

#[derive(Subcommand, Clone, Debug)]
pub enum InvitationsCommand {
    /// Invite somebody; the link is shown once.
    Create(Create),
    /// List invitations, newest first.
    List(List),
    /// Show an invitation.
    Show {
        /// Id of the invitation.
        invitation: String,
    },
    /// Make a new link; the old one is void.
    Resend {
        /// Id of the invitation.
        invitation: String,
    },
    /// Take an invitation back.
    Revoke {
        /// Id of the invitation.
        invitation: String,
    },
    /// Join the organization that invited you.
    Accept {
        /// The link, or the token behind its `#`; `-` is standard input.
        link: String,
    },
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  safeconduct invitations create ada@example.com --role member")]
pub struct Create {
    /// E-mail address.
    email: String,
    /// Role to give; you must hold it. May be repeated.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct List {
    /// open, accepted, revoked or expired.
    #[arg(long)]
    status: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

pub(crate) async fn run(desk: &mut Desk<'_>, command: InvitationsCommand) -> Result<(), Failure> {
    let client = desk.client()?;
    let invitations = client.invitations();
    match command {
        InvitationsCommand::Create(Create { email, roles }) => {
            let invited = invitations.create(&NewInvitation { email, roles }).await?;
            with_link(desk, &invited, &invited.invitation, &invited.link)
        }
        InvitationsCommand::List(list) if list.listing.all => {
            show_all(&mut desk.screen, invitations.all(&list.filter(200)), &COLUMNS).await
        }
        InvitationsCommand::List(list) => {
            let page = invitations.list(&list.filter(list.listing.limit)).await?;
            show(&mut desk.screen, &page, &COLUMNS)
        }
        InvitationsCommand::Show { invitation } => {
            let invitation = invitations.get(&invitation).await?;
            desk.screen.record(&invitation, &invitation.id, &rows(&invitation))
        }
        InvitationsCommand::Resend { invitation } => {
            let invited = invitations.resend(&invitation).await?;
            with_link(desk, &invited, &invited.invitation, &invited.link)
        }
        InvitationsCommand::Revoke { invitation } => {
            let invitation = invitations.revoke(&invitation).await?;
            desk.screen.record(&invitation, &invitation.id, &rows(&invitation))
        }
        InvitationsCommand::Accept { link } => {
            let given = match link.as_str() {
                "-" => files::read_secret(&mut desk.screen, std::path::Path::new("-"))?,
                link => link.to_owned(),
            };
            let token = given.split_once('#').map_or(given.as_str(), |(_, token)| token).trim();
            let joined = invitations.accept(token).await?;
            let rows = [
                ("joined", Cell::toned(&joined.org.slug, Tone::Strong)),
                ("roles", Cell::from(joined.roles.join(", "))),
            ];
            desk.screen.record(&joined, &joined.org.id, &rows)?;
            desk.screen.note(&format!("go over with: safeconduct orgs switch {}", joined.org.slug))
        }
    }
}

fn with_link(
    desk: &mut Desk<'_>,
    shown: &impl serde::Serialize,
    invitation: &Invitation,
    link: &str,
) -> Result<(), Failure> {
    let mut rows = rows(invitation);
    rows.push(("link", Cell::toned(link, Tone::Strong)));
    desk.screen.record(shown, &invitation.id, &rows)?;
    desk.screen.note("the link is shown once; whoever opens it joins")
}

static COLUMNS: Columns<Invitation> = Columns {
    id: |invitation| &invitation.id,
    columns: &[
        ("invitation", |invitation| Cell::from(&invitation.id)),
        ("e-mail", |invitation| Cell::toned(&invitation.email, Tone::Strong)),
        ("roles", |invitation| Cell::from(invitation.roles.join(", "))),
        ("status", |invitation| Cell::toned(&invitation.status, Tone::of_status(&invitation.status))),
        ("expires", |invitation| Cell::from(invitation.expires_at.as_str())),
    ],
};

fn rows(invitation: &Invitation) -> Vec<(&'static str, Cell)> {
    vec![
        ("id", Cell::from(&invitation.id)),
        ("e-mail", Cell::toned(&invitation.email, Tone::Strong)),
        ("roles", Cell::from(invitation.roles.join(", "))),
        ("status", Cell::toned(&invitation.status, Tone::of_status(&invitation.status))),
        ("invited by", Cell::from(&invitation.invited_by)),
        ("expires", Cell::from(invitation.expires_at.as_str())),
        ("revision", Cell::from(invitation.revision.to_string())),
    ]
}

impl List {
    fn filter(&self, limit: u32) -> InvitationFilter {
        InvitationFilter {
            status: self.status.clone(),
            limit: Some(limit),
            cursor: self.listing.cursor.clone(),
        }
    }
}
