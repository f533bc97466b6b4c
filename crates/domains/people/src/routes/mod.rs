//! HTTP of sign-in, sessions, the organization and its people.

mod auth;
mod domains;
pub(crate) mod groups;
mod invitations;
mod members;
mod orgs;
mod sessions;
mod switch;
mod users;

use std::sync::Arc;

use web::{Door, Routes};

pub use auth::{OrgRef, SignedIn, UserRef, signed_in};
pub use sessions::SessionView;

use crate::{CookieForm, People};

/// What the handlers share.
#[derive(Clone)]
pub struct Rooms {
    people: People,
    form: CookieForm,
}

pub fn routes(door: &Arc<Door>, people: People, form: CookieForm) -> Routes {
    Routes::new()
        .route::<auth::RedeemLink, _, _>(door, auth::redeem)
        .route::<auth::Me, _, _>(door, auth::me)
        .route::<auth::Logout, _, _>(door, auth::logout)
        .route::<sessions::ListSessions, _, _>(door, sessions::list)
        .route::<sessions::RevokeSession, _, _>(door, sessions::revoke)
        .route::<switch::Switch, _, _>(door, switch::switch)
        .route::<sessions::RevokeAllSessions, _, _>(door, sessions::revoke_all)
        .route::<orgs::CurrentOrg, _, _>(door, orgs::current)
        .route::<orgs::CreateOrg, _, _>(door, orgs::create)
        .route::<orgs::ListOrgs, _, _>(door, orgs::list)
        .route::<orgs::GetOrg, _, _>(door, orgs::get)
        .route::<orgs::UpdateOrg, _, _>(door, orgs::update)
        .route::<orgs::DeleteOrg, _, _>(door, orgs::delete)
        .route::<orgs::RestoreOrg, _, _>(door, orgs::restore)
        .route::<domains::ClaimDomain, _, _>(door, domains::create)
        .route::<domains::ListDomains, _, _>(door, domains::list)
        .route::<domains::GetDomain, _, _>(door, domains::get)
        .route::<domains::ProveDomain, _, _>(door, domains::prove)
        .route::<domains::DeleteDomain, _, _>(door, domains::delete)
        .route::<groups::CreateGroup, _, _>(door, groups::create)
        .route::<groups::ListGroups, _, _>(door, groups::list)
        .route::<groups::GetGroup, _, _>(door, groups::get)
        .route::<groups::UpdateGroup, _, _>(door, groups::update)
        .route::<groups::DeleteGroup, _, _>(door, groups::delete)
        .route::<groups::ListGroupMembers, _, _>(door, groups::members)
        .route::<groups::AddToGroup, _, _>(door, groups::add)
        .route::<groups::RemoveFromGroup, _, _>(door, groups::remove)
        .route::<members::ListMembers, _, _>(door, members::list)
        .route::<members::GetMember, _, _>(door, members::get)
        .route::<members::UpdateMember, _, _>(door, members::update)
        .route::<members::RemoveMember, _, _>(door, members::remove)
        .route::<invitations::CreateInvitation, _, _>(door, invitations::create)
        .route::<invitations::ListInvitations, _, _>(door, invitations::list)
        .route::<invitations::GetInvitation, _, _>(door, invitations::get)
        .route::<invitations::ResendInvitation, _, _>(door, invitations::resend)
        .route::<invitations::RevokeInvitation, _, _>(door, invitations::revoke)
        .route::<invitations::AcceptInvitation, _, _>(door, invitations::accept)
        .route::<invitations::AcceptAsNew, _, _>(door, invitations::accept_as_new)
        .route::<users::ListUsers, _, _>(door, users::list)
        .route::<users::CreateUser, _, _>(door, users::create)
        .route::<users::ImportUsers, _, _>(door, users::import)
        .route::<users::SuspendInside, _, _>(door, users::suspend_inside)
        .route::<users::ReactivateInside, _, _>(door, users::reactivate_inside)
        .route::<users::GetUser, _, _>(door, users::get)
        .route::<users::SearchUsers, _, _>(door, users::search)
        .route::<users::GetKnown, _, _>(door, users::known)
        .route::<users::SuspendUser, _, _>(door, users::suspend)
        .route::<users::ReactivateUser, _, _>(door, users::reactivate)
        .with_state(Rooms { people, form })
}
