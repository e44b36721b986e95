//! The command line.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    accounts, api,
    app::{self, App},
    compliance,
    config::{Config, LogFormat},
    demo,
    kernel::{actor::Role, ambient::Ambient},
    verify,
};

/// Verified affiliates, tracked links that refuse what the law forbids, commission to the đồng.
#[derive(Debug, Parser)]
#[command(name = "tinvia", version)]
pub struct Cli {
    /// A settings file; see `src/config.default.toml` for every setting.
    #[arg(long, global = true, env = "TINVIA_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until stopped; migrates the database and makes the keys first.
    Serve,
    /// Brings the database up to date.
    Migrate,
    /// Prints the OpenAPI document.
    Openapi,
    /// Settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Staff accounts; everybody else signs up.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Checks the laws of the system on the live database; exit code 1 and a list on any breach.
    Verify {
        /// Replays every decision instead, however many there are, and says how fast.
        #[arg(long)]
        replay: bool,
    },
    /// Plays the whole journey against a running server and prints each step with its answer.
    Demo {
        /// Where the server is; by default where these settings say.
        #[arg(long)]
        url: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Reads the settings and says what is wrong with them.
    Check,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Makes a staff account; works while the server runs.
    Create {
        /// `admin`, `compliance_officer`, `finance` or `auditor`.
        #[arg(long)]
        role: Role,
        /// How it signs in.
        #[arg(long)]
        email: String,
        /// Reads the password from standard input instead of asking for it.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// What ends a command badly, in words for the operator.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(fault) => {
            complain(&*fault);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Fault> {
    if let Command::Openapi = cli.command {
        say(&api::document().to_pretty_json()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.config.as_deref())?;
    log(&config)?;
    match cli.command {
        Command::Serve => serve(config).await?,
        Command::Migrate => {
            app::open(&config, Ambient::system(), config.listen).await?;
            say("the database is up to date")?;
        }
        Command::Config(ConfigCommand::Check) => say("the settings read")?,
        Command::Account(AccountCommand::Create {
            role,
            email,
            password_stdin,
        }) => {
            create_account(&config, role, &email, password_stdin).await?;
        }
        Command::Verify { replay: true } => return replay(&config).await,
        Command::Verify { replay: false } => return verify(&config).await,
        Command::Demo { url } => {
            let ctx = app::open(&config, Ambient::system(), config.listen).await?;
            demo::play(
                &ctx,
                &url.unwrap_or_else(|| config.public_url(config.listen)),
            )
            .await?;
        }
        Command::Openapi => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn create_account(
    config: &Config,
    role: Role,
    email: &str,
    password_stdin: bool,
) -> Result<(), Fault> {
    let password = if password_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        rpassword::prompt_password("Password: ")?
    };
    let ctx = app::open(config, Ambient::system(), config.listen).await?;
    let cost = config.passwords.into();
    let id = accounts::create_staff_at(&ctx, cost, role, email, &password).await?;
    say(&id.to_string())
}

async fn verify(config: &Config) -> Result<ExitCode, Fault> {
    let ctx = app::open(config, Ambient::system(), config.listen).await?;
    let breaches = verify::breaches(&ctx).await?;
    for (law, words) in verify::LAWS {
        let broken: Vec<_> = breaches
            .iter()
            .filter(|breach| breach.law == *law)
            .collect();
        let verdict = if broken.is_empty() {
            "holds".to_owned()
        } else {
            format!("{} breaches", broken.len())
        };
        say(&format!("law {law}, {words}: {verdict}"))?;
        for breach in broken {
            say(&format!("  {}: {}", breach.about, breach.what))?;
        }
    }
    Ok(if breaches.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn replay(config: &Config) -> Result<ExitCode, Fault> {
    let ctx = app::open(config, Ambient::system(), config.listen).await?;
    let began = ctx.ambient.now();
    let replayed = compliance::replay_all(&ctx.db).await?;
    let took = ctx.ambient.now() - began;
    let milliseconds = u64::try_from(took.num_milliseconds()).unwrap_or(0).max(1);
    say(&format!(
        "decisions replayed: {}, in {milliseconds} ms, {} a second",
        replayed.decisions,
        replayed.decisions.saturating_mul(1000) / milliseconds
    ))?;
    say(&format!("came out otherwise: {}", replayed.differing))?;
    for breach in &replayed.breaches {
        say(&format!("  {}: {}", breach.about, breach.what))?;
    }
    Ok(if replayed.differing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn serve(config: Config) -> Result<(), Fault> {
    let app = App::build(config, Ambient::system()).await?;
    say(&format!("tinvia listens on http://{}", app.address))?;
    app.run().await?;
    Ok(())
}

fn log(config: &Config) -> Result<(), Fault> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Prints a line for the operator.
fn say(text: &str) -> Result<(), Fault> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn complain(fault: &(dyn std::error::Error + 'static)) {
    let mut lines = std::io::stderr();
    // Nobody is left to tell when stderr is gone.
    let _gone = writeln!(lines, "tinvia: {fault}");
    let mut cause = fault.source();
    while let Some(below) = cause {
        let _gone = writeln!(lines, "  because: {below}");
        cause = below.source();
    }
}
