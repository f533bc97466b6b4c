//! The server's own commands; client commands come from `cli`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand};
use config::{Config, Environment, Sources};
use safeconduct::{Errand, House, Jails, Server, Worker, ask};
use tokio::signal::unix::{SignalKind, signal};
use types::{Secret, World};

/// Control plane for AI agents: identity, authority, acts, ledger.
#[derive(Parser)]
#[command(name = "safeconduct", version, about, max_term_width = 100, after_help = cli::exit_codes())]
struct Arguments {
    #[command(flatten)]
    globals: cli::Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(ServerFlags),
    /// Work on runs beside a server, on the same PostgreSQL.
    Worker(WorkerFlags),
    /// Show the server's settings; apply an organization's configuration from files.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prepare a PostgreSQL database.
    #[command(subcommand)]
    Db(DbCommand),
    /// Signing keys of your own, on the server's machine.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Act on the data directory of a server on this machine.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Print the OpenAPI document.
    #[command(hide = true)]
    Openapi,
    #[command(flatten)]
    Client(cli::Command),
}

#[derive(Args, Clone, Default)]
struct ServerFlags {
    /// Configuration file (TOML).
    #[arg(long)]
    config: Option<PathBuf>,
    /// Directory of the embedded database, keys and files.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long)]
    listen: Option<String>,
    /// Accept plain HTTP in production without a proxy in front.
    #[arg(long)]
    insecure_listen: bool,
    /// Any other setting, as `section.key=value`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Args, Clone, Default)]
struct WorkerFlags {
    /// Configuration file (TOML): the server's.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Directory of keys and files: the server's, or one like it.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Any other setting, as `section.key=value`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl From<WorkerFlags> for ServerFlags {
    fn from(flags: WorkerFlags) -> Self {
        // It has no public listener whose safety could be in question.
        let WorkerFlags { config, data_dir, set } = flags;
        Self { config, data_dir, set, insecure_listen: true, ..Self::default() }
    }
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print each key with its meaning, source and value (secrets masked).
    Explain(ServerFlags),
    #[command(flatten)]
    Files(cli::ConfigCommand),
}

#[derive(Subcommand)]
enum DbCommand {
    /// Create the three roles; prints the URLs for the configuration.
    Init {
        /// Superuser login to the database that the server shall use.
        #[arg(long)]
        admin_url: String,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make a link that signs an owner in; voids earlier ones.
    Link(ServerFlags),
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Sign with a private key of your own from now on: PKCS#8 (PEM or DER) or JWK; P-256, Ed25519 or RSA from 2048 bits. The
    /// file must be yours alone (mode 0600). Works on a running server, too.
    Import(ImportFlags),
}

#[derive(Args, Clone)]
struct ImportFlags {
    /// File with the private key.
    file: PathBuf,
    /// Organization whose tokens it signs; the home organization if left out.
    #[arg(long, value_name = "SLUG")]
    org: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
}

pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match start(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("safeconduct: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let command = arguments.command;
    // The sandbox's launcher is split off while the process has one thread.
    let serving = match &command {
        Command::Serve(flags) => Some(before_threads(flags)?),
        Command::Worker(flags) => Some(before_threads(&flags.clone().into())?),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Room for what a policy may build before it is stopped; costs nothing until it is used.
        .thread_stack_size(policies::STACK)
        .build()?;
    match command {
        Command::Serve(_) => {
            if let Some((config, jails)) = serving {
                runtime.block_on(serve(config, jails))?;
            }
        }
        Command::Worker(_) => {
            if let Some((config, jails)) = serving {
                runtime.block_on(work(config, jails))?;
            }
        }
        Command::Config(ConfigCommand::Files(command)) => {
            return Ok(client(&runtime, cli::Command::Config(command), &arguments.globals));
        }
        Command::Client(command) => {
            return Ok(client(&runtime, command, &arguments.globals));
        }
        Command::Config(ConfigCommand::Explain(flags)) => explain(&load(&flags)?),
        Command::Db(DbCommand::Init { admin_url }) => runtime.block_on(init(&admin_url))?,
        Command::Keys(KeysCommand::Import(flags)) => runtime.block_on(import(flags))?,
        Command::Admin(AdminCommand::Link(flags)) => runtime.block_on(link(load(&flags)?))?,
        Command::Openapi => runtime.block_on(openapi())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn before_threads(flags: &ServerFlags) -> anyhow::Result<(Config, Option<Jails>)> {
    let config = load(flags)?;
    telemetry::start(&log_settings(&config))?;
    let jails = jails(&config);
    Ok((config, jails))
}

fn client(runtime: &tokio::runtime::Runtime, command: cli::Command, globals: &cli::Globals) -> ExitCode {
    runtime.block_on(cli::run_here(command, globals, &Environment::of_process(), &ThisProgram))
}

fn load(flags: &ServerFlags) -> anyhow::Result<Config> {
    let mut set = Vec::new();
    if let Some(directory) = &flags.data_dir {
        set.push(("data.dir".to_owned(), directory.display().to_string()));
    }
    if let Some(listen) = &flags.listen {
        set.push(("server.listen".to_owned(), listen.clone()));
    }
    if flags.insecure_listen {
        set.push(("server.insecure_listen".to_owned(), "true".to_owned()));
    }
    for pair in &flags.set {
        let (key, value) =
            pair.split_once('=').with_context(|| format!("--set {pair}: expected KEY=VALUE"))?;
        set.push((key.to_owned(), value.to_owned()));
    }
    let sources = Sources { file: flags.config.clone(), environment: Environment::of_process(), flags: set };
    Ok(Config::load(&sources)?)
}

fn log_settings(config: &Config) -> telemetry::LogSettings {
    let format = match config.log.format {
        config::LogFormat::Pretty => telemetry::Format::Pretty,
        config::LogFormat::Json => telemetry::Format::Json,
    };
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    telemetry::LogSettings { level: config.log.level.clone(), format, colour }
}

/// None, with a warning, where functions cannot run: everything else works.
fn jails(config: &Config) -> Option<Jails> {
    match Jails::prepare(config, None) {
        Ok(jails) => jails,
        Err(reason) => {
            tracing::warn!(reason, "functions cannot run on this machine");
            None
        }
    }
}

/// What client commands need of this program: its command line, and a server of their own.
struct ThisProgram;

impl cli::Host for ThisProgram {
    fn command_line(&self) -> clap::Command {
        Arguments::command()
    }

    fn start<'a>(&'a self, data_dir: &'a Path) -> cli::Starting<'a> {
        Box::pin(async move {
            let flags = ServerFlags {
                data_dir: Some(data_dir.to_owned()),
                listen: Some("127.0.0.1:0".into()),
                set: vec!["server.operations_listen=127.0.0.1:0".into(), "log.level=error".into()],
                ..ServerFlags::default()
            };
            let config = load(&flags).map_err(|error| format!("{error:#}"))?;
            let jails = jails(&config);
            let server =
                Server::start(config, World::system(), jails).await.map_err(|error| error.to_string())?;
            let url = format!("http://{}", server.address);
            Ok(cli::Embedded { url, stop: Box::new(move || Box::pin(server.stop())) })
        })
    }
}

async fn serve(config: Config, jails: Option<Jails>) -> anyhow::Result<()> {
    // Before anybody is told that we run.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let server = Server::start(config, World::system(), jails).await?;
    server.greet(&mut std::io::stdout())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                server.house.policies.reload_files(true);
            }
        }
    }
    server.stop().await;
    Ok(())
}

async fn work(config: Config, jails: Option<Jails>) -> anyhow::Result<()> {
    // Before anybody is told that we run.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let worker = Worker::start(config, World::system(), jails).await?;
    worker.greet(&mut std::io::stdout())?;
    let mut asked = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    asked().await;
    // Whoever asks twice is in a hurry.
    worker.stop(asked()).await;
    Ok(())
}

fn explain(config: &Config) {
    for one in config.explain() {
        println!("{:36} {:28} {:12} {}", one.key, one.value, one.source.to_string(), one.meaning);
    }
}

async fn init(admin_url: &str) -> anyhow::Result<()> {
    let world = World::system();
    let password = || Secret::new(hex(&world.bytes::<24>()));
    let passwords = db::RolePasswords { owner: password(), app: password(), system: password() };
    db::init_roles(admin_url, &passwords).await?;
    println!("# The three roles exist. Put this into the server's configuration file:");
    println!("[database]");
    for (key, role, password) in [
        ("url", "safeconduct_app", &passwords.app),
        ("system_url", "safeconduct_system", &passwords.system),
        ("owner_url", "safeconduct_owner", &passwords.owner),
    ] {
        println!("{key} = \"{}\"", login(admin_url, role, password.reveal()));
    }
    Ok(())
}

/// The administrator's URL with another login.
fn login(admin_url: &str, role: &str, password: &str) -> String {
    let (scheme, rest) = admin_url.split_once("://").unwrap_or(("postgres", admin_url));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{role}:{password}@{place}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn link(config: Config) -> anyhow::Result<()> {
    let url = match ask(&config.data.dir, &Errand::Link).await.context("the server's admin socket")? {
        Some(url) => url,
        None => {
            let house = at_rest(config).await?;
            let link = house.people.make_link().await?;
            house.close().await;
            link.url.reveal().clone()
        }
    };
    println!("{url}");
    Ok(())
}

async fn import(flags: ImportFlags) -> anyhow::Result<()> {
    let config = load(&flags.server)?;
    let file = flags.file.canonicalize().with_context(|| flags.file.display().to_string())?;
    let errand = Errand::ImportKey { org: flags.org.clone(), file: file.clone() };
    let said = match ask(&config.data.dir, &errand).await.context("the server on this machine")? {
        Some(said) => said,
        None => {
            // Also before the first start; but nobody founds an installation by a wrong directory without a word.
            if !has_installation(&config) {
                eprintln!("no installation lay in {}; one is founded there", config.data.dir.display());
            }
            let address = config.server.listen;
            let house = House::open(config, World::system(), address, None).await?;
            let said = house.import_signing_key(flags.org.as_deref(), &file).await;
            house.close().await;
            said?
        }
    };
    println!("{said}");
    Ok(())
}

/// A PostgreSQL server answers for itself.
fn has_installation(config: &Config) -> bool {
    config.database.url.is_some() || config.data.dir.join("safeconduct.db").exists()
}

/// The house of a server that does not run. A command about an installation does not found one by a wrong directory.
async fn at_rest(config: Config) -> anyhow::Result<House> {
    if !has_installation(&config) {
        anyhow::bail!(
            "no installation lies in {}; name the server's data directory, as in --data-dir .data",
            config.data.dir.display()
        );
    }
    let address = config.server.listen;
    Ok(House::open(config, World::system(), address, None).await?)
}

/// Needs a house, but nobody's data: a throw-away directory.
async fn openapi() -> anyhow::Result<()> {
    let directory = std::env::temp_dir().join(format!("safeconduct-openapi-{}", std::process::id()));
    let flags = ServerFlags { data_dir: Some(directory.clone()), ..ServerFlags::default() };
    let config = load(&flags)?;
    let address = config.server.listen;
    let house = House::open(config, World::system(), address, None).await?;
    let document = serde_json::to_string_pretty(&safeconduct::document(&house))?;
    house.close().await;
    std::fs::remove_dir_all(&directory).with_context(|| directory.display().to_string())?;
    println!("{document}");
    Ok(())
}
