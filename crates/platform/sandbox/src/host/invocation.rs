//! What a call is given when it is ready for it: its context with secrets and token, and its input.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Call, ContextFrame, Frame, Kind};

#[derive(Serialize)]
struct Context<'a> {
    run_id: &'a str,
    org_id: &'a str,
    user_id: Option<&'a str>,
    user_email: Option<&'a str>,
    agent_id: Option<&'a str>,
    trigger_type: &'a str,
    trigger_id: Option<&'a str>,
    chat_id: Option<&'a str>,
    attempt: u32,
    deadline: Option<&'a str>,
    api_url: &'a str,
    access_token: Option<&'a str>,
    secrets: BTreeMap<&'a str, &'a str>,
}

/// INVOKE: the length of the context, the context, the input. Here the secrets leave their wrappers.
pub(super) fn invocation(call: &Call, api_url: &str) -> Frame {
    let ContextFrame { run_id, org_id, trigger_type, .. } = &call.context;
    let context = Context {
        run_id,
        org_id,
        user_id: call.context.user_id.as_deref(),
        user_email: call.context.user_email.as_deref(),
        agent_id: call.context.agent_id.as_deref(),
        trigger_type,
        trigger_id: call.context.trigger_id.as_deref(),
        chat_id: call.context.chat_id.as_deref(),
        attempt: call.context.attempt,
        deadline: call.context.deadline.as_deref(),
        api_url,
        access_token: call.context.access_token.as_ref().map(|token| token.reveal().as_str()),
        secrets: call
            .context
            .secrets
            .iter()
            .map(|(name, value)| (name.as_str(), value.reveal().as_str()))
            .collect(),
    };
    let context = serde_json::to_vec(&context).unwrap_or_default();
    let mut payload = u32::try_from(context.len()).unwrap_or(0).to_be_bytes().to_vec();
    payload.extend_from_slice(&context);
    payload.extend_from_slice(&call.input);
    Frame::new(Kind::Invoke, payload)
}
