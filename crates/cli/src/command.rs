//! The commands and the way from one to its end.

use std::io::{BufReader, IsTerminal};
use std::process::ExitCode;

use clap::Subcommand;
use config::Environment;
use types::World;

use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::host::{Host, Streams};
use crate::screen::{Globals, Screen};
use crate::{
    agents, apikeys, audit, completion, configure, credentials, declared, domains, functions, grants, groups,
    hooks, invitations, kills, login, members, orgs, packages, permissions, policies, pools, prefixes,
    providers, queues, quickstart, reference, roles, runs, schedules, secrets, sessions, state, stored,
    token, users, workers,
};

/// Commands that speak to a server.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// See everything at work in seconds: papers, an act in the jail, a refusal, a kill, the proof.
    Quickstart(quickstart::Quickstart),
    /// Sign in to a server and keep the session in a profile.
    Login(login::Login),
    /// End the profile's session.
    Logout,
    /// Say who you are, where, and what you may do.
    Whoami,
    /// See where you are signed in; end a session.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Choose servers and profiles.
    #[command(subcommand)]
    Configure(configure::Configure),
    /// Register agents, change their standing, kill them.
    #[command(subcommand)]
    Agents(agents::AgentsCommand),
    /// Give agents what they prove themselves with.
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// Get, examine and void access tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Push functions and run them.
    #[command(subcommand)]
    Functions(functions::FunctionsCommand),
    /// Look at runs, their logs and output; end them.
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// See how many runs stand where, and those that were given up.
    #[command(subcommand)]
    Queues(queues::QueuesCommand),
    /// See which processes work on runs.
    #[command(subcommand)]
    Workers(workers::WorkersCommand),
    /// Interpreters that a server keeps warm.
    #[command(subcommand)]
    Pools(pools::PoolsCommand),
    /// Run functions when their time comes.
    #[command(subcommand)]
    Schedules(schedules::SchedulesCommand),
    /// See, ask for and approve Python packages that functions may name.
    #[command(subcommand)]
    Packages(packages::PackagesCommand),
    /// Keep values that functions use and nobody sees.
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Let other systems set functions off.
    #[command(subcommand)]
    Hooks(hooks::HooksCommand),
    /// Keep what functions and agents remember.
    #[command(subcommand)]
    State(state::StateCommand),
    /// Keep files: versions, links, uploads that go on after a cut.
    #[command(subcommand)]
    Files(stored::FilesCommand),
    /// Read the record, prove it, take it along.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Show the receipt of a kill.
    #[command(subcommand)]
    Kills(kills::KillsCommand),
    /// See what you and others may do, and why; who reaches a permission, and who holds too much.
    #[command(subcommand)]
    Permissions(permissions::PermissionsCommand),
    /// Write rules that stand behind the permissions, rehearse them, put them in force.
    #[command(subcommand)]
    Policies(policies::PoliciesCommand),
    /// See the roles that can be given; make your own.
    #[command(subcommand)]
    Roles(roles::RolesCommand),
    /// Give roles and permissions, and take them.
    #[command(subcommand)]
    Grants(grants::GrantsCommand),
    /// Make and revoke API keys.
    #[command(subcommand)]
    Apikeys(apikeys::ApiKeysCommand),
    /// Make resources of outside applications known.
    #[command(subcommand)]
    Prefixes(prefixes::PrefixesCommand),
    /// Found, change, leave and switch organizations.
    #[command(subcommand)]
    Orgs(orgs::OrgsCommand),
    /// See who belongs to the organization, and change it.
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Prove the e-mail domains of the organization.
    #[command(subcommand)]
    Domains(domains::DomainsCommand),
    /// Make groups and fill them.
    #[command(subcommand)]
    Groups(groups::GroupsCommand),
    /// Bring people in by a link.
    #[command(subcommand)]
    Invitations(invitations::InvitationsCommand),
    /// See people; as an operator, suspend them.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Set up how people sign in.
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
    /// Beside the server's own: `safeconduct config explain` belongs to the program.
    #[command(skip)]
    Config(declared::ConfigCommand),
    /// Print a completion script for your shell.
    Completion(completion::Completion),
    /// Print docs/reference/cli.md.
    #[command(hide = true)]
    Reference,
}

/// Runs one command on this process's own streams.
pub async fn run_here(
    command: Command,
    globals: &Globals,
    environment: &Environment,
    host: &dyn Host,
) -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let mut streams = Streams {
        out_is_terminal: out.is_terminal(),
        input_is_terminal: std::io::stdin().is_terminal(),
        width: terminal_size::terminal_size().map(|(width, _)| width.0.into()),
        out: &mut out,
        err: &mut err,
        input: &mut BufReader::new(std::io::stdin()),
    };
    run(command, globals, environment, host, &mut streams).await
}

/// Runs one command; what went wrong stands on `err` when it ends.
pub async fn run(
    command: Command,
    globals: &Globals,
    environment: &Environment,
    host: &dyn Host,
    streams: &mut Streams<'_>,
) -> ExitCode {
    // no-color.org: any value but the empty one counts.
    let screen = Screen::new(streams, globals, environment.get("NO_COLOR").is_some());
    let mut desk = Desk { screen, globals, environment, host, world: World::system() };
    match dispatch(command, &mut desk).await {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            desk.screen.fail(&failure);
            failure.exit().into()
        }
    }
}

async fn dispatch(command: Command, desk: &mut Desk<'_>) -> Result<(), Failure> {
    match command {
        Command::Quickstart(quickstart) => quickstart::run(desk, &quickstart).await,
        Command::Login(login) => login::login(desk, &login).await,
        Command::Logout => login::logout(desk).await,
        Command::Whoami => login::whoami(desk).await,
        Command::Sessions(command) => sessions::run(desk, command).await,
        Command::Configure(command) => configure::run(desk, command),
        Command::Agents(command) => agents::run(desk, command).await,
        Command::Credentials(command) => credentials::run(desk, command).await,
        Command::Token(command) => token::run(desk, command).await,
        Command::Functions(command) => functions::run(desk, command).await,
        Command::Runs(command) => runs::run(desk, command).await,
        Command::Packages(command) => packages::run(desk, command).await,
        Command::Queues(command) => queues::run(desk, command).await,
        Command::Workers(command) => workers::run(desk, command).await,
        Command::Pools(command) => pools::run(desk, command).await,
        Command::Schedules(command) => schedules::run(desk, command).await,
        Command::Secrets(command) => secrets::run(desk, command).await,
        Command::Hooks(command) => hooks::run(desk, command).await,
        Command::State(command) => state::run(desk, command).await,
        Command::Files(command) => stored::run(desk, command).await,
        Command::Audit(command) => audit::run(desk, command).await,
        Command::Kills(command) => kills::run(desk, command).await,
        Command::Permissions(command) => permissions::run(desk, command).await,
        Command::Policies(command) => policies::run(desk, command).await,
        Command::Roles(command) => roles::run(desk, command).await,
        Command::Grants(command) => grants::run(desk, command).await,
        Command::Apikeys(command) => apikeys::run(desk, command).await,
        Command::Prefixes(command) => prefixes::run(desk, command).await,
        Command::Orgs(command) => orgs::run(desk, command).await,
        Command::Members(command) => members::run(desk, command).await,
        Command::Domains(command) => domains::run(desk, command).await,
        Command::Groups(command) => groups::run(desk, command).await,
        Command::Invitations(command) => invitations::run(desk, command).await,
        Command::Users(command) => users::run(desk, command).await,
        Command::Providers(command) => providers::run(desk, command).await,
        Command::Config(command) => declared::run(desk, command).await,
        Command::Completion(completion) => completion::run(desk, &completion),
        Command::Reference => reference::run(desk),
    }
}
