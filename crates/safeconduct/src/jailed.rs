//! What comes through the door of a jail: nobody but runs of that jail's organization, with a run's token.
//!
//! Code in a jail has our API and nothing else to talk to. Whatever else it may have got hold of – an API key, an agent's
//! secret, a password to try – is worth nothing there, and every fact that it leaves names a run. Which of the
//! organization's living runs a token is of, the door cannot tell from the connection. Signing in and asking for tokens,
//! which need no caller, are refused by [`web::Door`] to whoever is a run.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use functions::Functions;
use oauth::Oauth;
use problem::{INVALID_TOKEN, Problem, UNAUTHENTICATED};
use web::{Authenticator, Caller, Contact, Means, Peer, Refusal};

#[derive(Clone)]
pub(crate) struct Jailed {
    pub(crate) oauth: Oauth,
    pub(crate) functions: Functions,
}

/// A layer inside the outermost one, which says where a request comes from.
pub(crate) async fn runs_only(State(jailed): State<Jailed>, request: Request, next: Next) -> Response {
    let contact = request.extensions().get::<Contact>().cloned().unwrap_or_default();
    let Some(Peer::Jail(slot)) = contact.peer else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let recognised = jailed.oauth.recognise(&parts, &contact).await;
    let mut request = Request::from_parts(parts, body);
    match recognised.and_then(|caller| jailed.run_of(caller, slot)) {
        Ok(run) => {
            request.extensions_mut().insert(Contact { run: Some(run), ..contact });
            next.run(request).await
        }
        Err(problem) => Refusal::from(problem).into_response(),
    }
}

impl Jailed {
    fn run_of(&self, caller: Option<Caller>, slot: u16) -> Result<types::RunId, Problem> {
        let caller = caller.ok_or_else(|| {
            let detail = "Send context.access_token as `Authorization: Bearer`: functions call with their run's token.";
            Problem::new(&UNAUTHENTICATED, detail)
        })?;
        match caller.means {
            Means::Token { run: Some(run), .. } if self.functions.is_slot_of(caller.org, slot) => Ok(run),
            _ => {
                let detail = "Functions call with their run's token, context.access_token, and nothing else.";
                Err(Problem::new(&INVALID_TOKEN, detail))
            }
        }
    }
}
