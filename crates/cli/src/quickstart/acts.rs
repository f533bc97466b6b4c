//! The acts of the story, in their order.

use std::path::Path;

use client::{
    Agent, Client, Error, Function, IssuedCredential, IssuedToken, NewAgent, NewCredential, NewFunction,
    NewVersion, Run, RunStatus, SigningKey, TokenRequest,
};
use serde_json::{Value, json};

use super::evidence::prove;
use super::server::SignedIn;
use super::telling::{Stopwatch, Story};
use crate::desk::Desk;
use crate::failure::Failure;
use crate::{files, runs};

const SAMPLE: &str = include_str!("../../../../examples/quickstart/service-checks.csv");
const CODE: &str = include_str!("../../../../examples/quickstart/service_report.py");
const INPUT_SCHEMA: &str = include_str!("../../../../examples/quickstart/input.schema.json");
const OUTPUT_SCHEMA: &str = include_str!("../../../../examples/quickstart/output.schema.json");
/// What the function reads.
const COLUMNS: [&str; 3] = ["service", "status", "latency_ms"];
const NAMESPACE: &str = "quickstart";

/// What the function is run on.
pub(crate) struct Input {
    name: String,
    csv: String,
}

pub(crate) fn read_input(desk: &mut Desk<'_>, file: Option<&Path>) -> Result<Input, Failure> {
    let Some(path) = file else {
        return Ok(Input { name: "the sample of service checks".to_owned(), csv: SAMPLE.to_owned() });
    };
    let input = Input { name: path.display().to_string(), csv: files::read_text(&mut desk.screen, path)? };
    // The function would say so too, but only after agents were made for it.
    let head = input.csv.lines().next().unwrap_or_default();
    let columns: Vec<&str> = head.split(',').map(|name| name.trim_matches(['"', '\u{feff}', '\r'])).collect();
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|wanted| !columns.contains(wanted)).collect();
    if missing.is_empty() {
        return Ok(input);
    }
    Err(Failure::usage(format!(
        "{} lacks the columns {}; its first line names them.",
        input.name,
        missing.join(", ")
    )))
}

pub(crate) async fn play(
    desk: &mut Desk<'_>,
    signed_in: &SignedIn,
    input: &Input,
    suffix: &str,
    out: Option<&Path>,
) -> Result<Story, Failure> {
    let owner = &signed_in.client;
    let mut watch = Stopwatch::start();
    let me = &signed_in.me;
    watch.tell(
        desk,
        &format!(
            "{} signed in to {} at {}, {}",
            me.principal.display,
            me.org.slug,
            owner.url(),
            signed_in.how
        ),
    )?;

    let name = format!("service_report_{suffix}");
    let (worker, visitor) = register(owner, &name, suffix).await?;
    watch.tell(
        desk,
        &format!("agents registered: {} may run one function, {} may not", path(&worker), path(&visitor)),
    )?;

    let secret = owner.credentials().create(&worker.id, &NewCredential::secret(NAMESPACE)).await?;
    let key = SigningKey::generate()?;
    let public = owner.credentials().create(&visitor.id, &NewCredential::public_key(NAMESPACE, &key)).await?;
    watch.tell(
        desk,
        "credentials issued: a secret for the one; for the other a P-256 key, made and kept here",
    )?;

    let visitor_token = token_by_key(owner, &public, &key).await?;
    let worker_token = token_by_secret(owner, &secret).await?;
    let (seconds, scope) = (worker_token.expires_in, &worker_token.scope);
    watch.tell(desk, &format!("tokens issued, for {seconds} s; {} holds: {scope}", path(&worker)))?;

    let function = create_function(owner, &name).await?;
    let hash = function.version.code_sha256.get(..12).unwrap_or_default();
    watch.tell(desk, &format!("function {NAMESPACE}:{name} created, version 1, SHA-256 {hash}…"))?;

    let as_worker = owner.with_token(&worker_token.access_token);
    let run = execute(&as_worker, &function, input).await?;
    watch.tell(desk, &format!("{} ran it in the jail on {}:", path(&worker), input.name))?;
    super::telling::report(desk, &run)?;

    let refusal = be_refused(&owner.with_token(&visitor_token.access_token), &function, input).await?;
    watch.tell(desk, &format!("{} asked for the same and was refused:", path(&visitor)))?;
    super::telling::refusal(desk, &refusal)?;

    let kill = owner.agents().kill(&worker.id, Some("end of the quick start")).await?;
    watch.tell(desk, &format!("{} killed; the receipt:", path(&worker)))?;
    super::telling::receipt(desk, &kill)?;
    let dead = be_dead(&as_worker).await?;
    watch.tell(desk, &format!("its token is dead: {} ({})", dead.detail(), dead.code()))?;

    let proven = prove(desk, &mut watch, signed_in, &worker, &run, out, suffix).await?;
    Ok(Story {
        server: owner.url().to_owned(),
        agents: [path(&worker), path(&visitor)],
        credentials: [secret.credential.kind, public.credential.kind],
        function: format!("{NAMESPACE}:{name}"),
        run,
        refusal,
        kill,
        dead_token: dead,
        proven,
        millis: watch.total(),
    })
}

async fn register(owner: &Client, function: &str, suffix: &str) -> Result<(Agent, Agent), Failure> {
    let new = |name: &str, about: &str, permission: String| NewAgent {
        namespace: Some(NAMESPACE.to_owned()),
        name: Some(format!("{name}-{suffix}")),
        description: Some(about.to_owned()),
        tags: vec![NAMESPACE.to_owned()],
        permissions: vec![permission],
        ..NewAgent::default()
    };
    let one_function = format!("functions/{NAMESPACE}/{function}:execute:all");
    let worker = new("worker", "Reports on service checks.", one_function);
    let visitor = new("visitor", "May look at itself and do nothing else.", "agents:read:own".to_owned());
    Ok((owner.agents().create(&worker).await?, owner.agents().create(&visitor).await?))
}

async fn token_by_secret(owner: &Client, issued: &IssuedCredential) -> Result<IssuedToken, Failure> {
    let secret = issued.client_secret.as_ref().ok_or_else(|| contrary("a new secret was not shown"))?;
    let wanted = TokenRequest::default();
    Ok(owner.anonymous().tokens().issue(&issued.credential.client_id, secret, &wanted).await?)
}

async fn token_by_key(
    owner: &Client,
    issued: &IssuedCredential,
    key: &SigningKey,
) -> Result<IssuedToken, Failure> {
    let wanted = TokenRequest::default();
    Ok(owner.anonymous().tokens().issue_by_key(&issued.credential.client_id, key, &wanted).await?)
}

async fn create_function(owner: &Client, name: &str) -> Result<Function, Failure> {
    let schema =
        |text: &str| serde_json::from_str(text).map_err(|error| contrary(&error.to_string())).map(Some);
    let version = NewVersion {
        code: CODE.to_owned(),
        input_schema: schema(INPUT_SCHEMA)?,
        output_schema: schema(OUTPUT_SCHEMA)?,
        timeout_seconds: Some(30),
        ..NewVersion::default()
    };
    let new = NewFunction {
        namespace: Some(NAMESPACE.to_owned()),
        name: name.to_owned(),
        description: Some(
            "Availability and latency percentiles per service, from a CSV of checks.".to_owned(),
        ),
        runtime: Some("python".to_owned()),
        tags: vec![NAMESPACE.to_owned()],
        version,
        ..NewFunction::default()
    };
    Ok(owner.functions().create(&new).await?)
}

async fn execute(worker: &Client, function: &Function, input: &Input) -> Result<Run, Failure> {
    let run = worker.functions().execute(&function.summary.id, &json!({ "csv": input.csv })).await?;
    let run = if run.status.has_ended() { run } else { worker.runs().wait(&run.id).await? };
    if run.status == RunStatus::Succeeded { Ok(run) } else { Err(runs::failed(&run)) }
}

async fn be_refused(visitor: &Client, function: &Function, input: &Input) -> Result<Error, Failure> {
    let input: Value = json!({ "csv": input.csv });
    match visitor.functions().execute(&function.summary.id, &input).await {
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(error),
        Err(error) => Err(error.into()),
        Ok(_) => Err(contrary("an agent ran a function that it may not run")),
    }
}

async fn be_dead(worker: &Client) -> Result<Error, Failure> {
    match worker.auth().me().await {
        Err(error) if error.status() == Some(401) => Ok(error),
        Err(error) => Err(error.into()),
        Ok(_) => Err(contrary("the token of a killed agent still works")),
    }
}

fn path(agent: &Agent) -> String {
    format!("{}:{}", agent.namespace, agent.name)
}

/// What must not be.
pub(crate) fn contrary(what: &str) -> Failure {
    Failure::NotVerified(format!("{what}; please report this"))
}
