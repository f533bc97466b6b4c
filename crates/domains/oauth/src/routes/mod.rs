//! HTTP of the authorization server. What an organization publishes stands under `/o/{slug}` as well; without it the home
//! organization is meant.

mod activity;
mod keys;
mod logins;
mod protocol;
mod published;
mod sign_in;

use std::sync::Arc;

use web::{Door, Routes};

use crate::Oauth;

pub fn routes(door: &Arc<Door>, oauth: &Oauth) -> Routes {
    Routes::new()
        .route::<published::Metadata, _, _>(door, published::metadata::<published::Metadata>)
        .route::<published::OrgMetadata, _, _>(door, published::metadata::<published::OrgMetadata>)
        .route::<published::InsertedMetadata, _, _>(door, published::metadata::<published::InsertedMetadata>)
        .route::<published::Openid, _, _>(door, published::openid::<published::Openid>)
        .route::<published::OrgOpenid, _, _>(door, published::openid::<published::OrgOpenid>)
        .route::<published::KeySet, _, _>(door, published::key_set::<published::KeySet>)
        .route::<published::OrgKeySet, _, _>(door, published::key_set::<published::OrgKeySet>)
        .route::<protocol::Token, _, _>(door, protocol::token::<protocol::Token>)
        .route::<protocol::OrgToken, _, _>(door, protocol::token::<protocol::OrgToken>)
        .route::<protocol::Introspect, _, _>(door, protocol::introspect::<protocol::Introspect>)
        .route::<protocol::OrgIntrospect, _, _>(door, protocol::introspect::<protocol::OrgIntrospect>)
        .route::<protocol::Revoke, _, _>(door, protocol::revoke::<protocol::Revoke>)
        .route::<protocol::OrgRevoke, _, _>(door, protocol::revoke::<protocol::OrgRevoke>)
        .route::<sign_in::RedeemLinkForToken, _, _>(door, sign_in::redeem)
        .route::<sign_in::Refresh, _, _>(door, sign_in::refresh)
        .route::<sign_in::SwitchForToken, _, _>(door, sign_in::switch)
        .route::<logins::BeginDevice, _, _>(door, logins::begin_device)
        .route::<logins::Authorize, _, _>(door, logins::authorize)
        .route::<logins::ShowDevice, _, _>(door, logins::show_device)
        .route::<logins::ApproveDevice, _, _>(door, logins::approve_device)
        .route::<logins::DenyDevice, _, _>(door, logins::deny_device)
        .route::<logins::ApproveLogin, _, _>(door, logins::approve_login)
        .route::<activity::TokenActivity, _, _>(door, activity::list)
        .route::<keys::ListKeys, _, _>(door, keys::list)
        .route::<keys::RotateKeys, _, _>(door, keys::rotate)
        .with_state(oauth.clone())
}
