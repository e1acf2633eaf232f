//! The sandbox as a program: prints one JSON line when it is ready.

use clap::Parser;
use pushcore_sandbox::{Config, ContentMismatch, Environment, Fault, Latency, Ports, Profile, Sandbox};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// APNs, FCM, Web Push, ADM and Baidu on your own machine: strict, scriptable, over real TLS and HTTP/2.
///
/// Prints one JSON line on standard output when every service is listening.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// How strict the services are: strict, lenient or quirk.
    #[arg(long, default_value = "strict", value_parser = profile)]
    profile: Profile,
    /// Where ca.pem and the generated credentials go; a temporary directory by default.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Port of APNs; 0 takes a free one, as for all ports.
    #[arg(long, default_value_t = 0)]
    apns_port: u16,
    /// Port of APNs channel management.
    #[arg(long, default_value_t = 0)]
    apns_management_port: u16,
    /// Port of APNs broadcasts.
    #[arg(long, default_value_t = 0)]
    apns_broadcast_port: u16,
    /// Port of FCM and its OAuth endpoint.
    #[arg(long, default_value_t = 0)]
    fcm_port: u16,
    /// Port of the metadata server of a machine in Google's cloud.
    #[arg(long, default_value_t = 0)]
    metadata_port: u16,
    /// Port of the Web Push service.
    #[arg(long, default_value_t = 0)]
    webpush_port: u16,
    /// Port of ADM and its token endpoint.
    #[arg(long, default_value_t = 0)]
    adm_port: u16,
    /// Port of Baidu.
    #[arg(long, default_value_t = 0)]
    baidu_port: u16,
    /// Port of the control endpoint.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// What changes over the control endpoint have to show; made up by default, and in the ready line.
    #[arg(long)]
    control_token: Option<String>,
    /// Play APNs' production environment instead of development.
    #[arg(long)]
    production: bool,
    /// A bundle id the APNs key may push to; may be repeated, the first is the topic.
    #[arg(long = "bundle")]
    bundles: Vec<String>,
    /// The FCM project id.
    #[arg(long, default_value = "pushcore-sandbox")]
    project: String,
    /// Allow 1000 streams from the start, not 1 until the first good provider token.
    #[arg(long)]
    no_governor: bool,
    /// Fall back to 1 stream after a rejection.
    #[arg(long)]
    governor_penalty: bool,
    /// APNs' devices are online from the start; by default they are away, and pushes are stored.
    #[arg(long)]
    apns_online: bool,
    /// Treatment by APNs of bodies that are not of their push type: warn, drop, delay or refuse.
    #[arg(long, default_value = "warn", value_parser = content_mismatch)]
    apns_content_mismatch: ContentMismatch,
    /// How late "delay" delivers, milliseconds.
    #[arg(long, default_value_t = 60_000)]
    apns_content_delay: u32,
    /// Lifetime of minted access tokens, seconds.
    #[arg(long, default_value_t = 3600)]
    token_lifetime: i64,
    /// Seed of everything that is left to chance: latencies, faults with a probability.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How long a service takes to answer, milliseconds; without SERVICE, all of them. DELAY is
    /// fixed:MS, uniform:MIN,MAX, exponential:MEAN, normal:MEAN,DEVIATION or log-normal:MEDIAN,SIGMA.
    /// May be repeated; the last word on a service counts.
    #[arg(long = "latency", value_name = "[SERVICE=]DELAY", value_parser = latency)]
    latencies: Vec<(Option<String>, Latency)>,
    /// A fault script, or a list of them, as POST /faults takes them: JSON, or the name of a
    /// file with JSON behind an @. May be repeated.
    #[arg(long = "fault", value_name = "JSON|@FILE", value_parser = faults)]
    faults: Vec<Script>,
    /// MiB that the log may take; when it is full, the oldest records are forgotten.
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    log_limit: usize,
    /// The host name in the printed addresses; it must resolve to 127.0.0.1.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// Exit when standard input ends, so that the death of a parent stops it.
    #[arg(long)]
    exit_with_stdin: bool,
}

fn content_mismatch(text: &str) -> Result<ContentMismatch, String> {
    match text {
        "warn" => Ok(ContentMismatch::Warn),
        "drop" => Ok(ContentMismatch::Drop),
        "delay" => Ok(ContentMismatch::Delay),
        "refuse" => Ok(ContentMismatch::Refuse),
        _ => Err("expected warn, drop, delay or refuse".to_owned()),
    }
}

/// The content of one `--fault`.
type Script = Vec<Fault>;

fn latency(text: &str) -> Result<(Option<String>, Latency), String> {
    match text.split_once('=') {
        Some((service, delay)) => Ok((Some(service.to_owned()), delay.parse()?)),
        None => Ok((None, text.parse()?)),
    }
}

fn faults(text: &str) -> Result<Script, String> {
    let text = match text.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?,
        None => text.to_owned(),
    };
    let list = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(&text),
        false => serde_json::from_str(&text).map(|fault| vec![fault]),
    };
    list.map_err(|error| error.to_string())
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "strict" => Ok(Profile::Strict),
        "lenient" => Ok(Profile::Lenient),
        "quirk" => Ok(Profile::Quirk),
        _ => Err("expected strict, lenient or quirk".to_owned()),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let exit_with_stdin = options.exit_with_stdin;
    let run = Sandbox::start(config(options)).and_then(|sandbox| run(&sandbox, exit_with_stdin));
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pushcore-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn config(options: Options) -> Config {
    let defaults = Config::default();
    Config {
        ports: Ports {
            apns: options.apns_port,
            apns_management: options.apns_management_port,
            apns_broadcast: options.apns_broadcast_port,
            fcm: options.fcm_port,
            metadata: options.metadata_port,
            webpush: options.webpush_port,
            adm: options.adm_port,
            baidu: options.baidu_port,
            control: options.control_port,
        },
        profile: options.profile,
        state_dir: options.state_dir,
        environment: if options.production {
            Environment::Production
        } else {
            Environment::Development
        },
        bundles: if options.bundles.is_empty() {
            defaults.bundles
        } else {
            options.bundles
        },
        project_id: options.project,
        governor: !options.no_governor,
        governor_penalty: options.governor_penalty,
        apns_online: options.apns_online,
        apns_content_mismatch: options.apns_content_mismatch,
        apns_content_delay_ms: options.apns_content_delay,
        token_lifetime: options.token_lifetime,
        seed: options.seed,
        latency: options.latencies,
        log_limit: options.log_limit.saturating_mul(1 << 20),
        control_token: options.control_token,
        explain: true,
        faults: options.faults.concat(),
        host: options.host,
    }
}

/// Announces the sandbox and waits for a reason to stop.
fn run(sandbox: &Sandbox, exit_with_stdin: bool) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (stdin_ended, stdin) = tokio::sync::oneshot::channel::<()>();
        // While the sender lives, nothing comes.
        let mut stdin_ended = Some(stdin_ended);
        if let Some(ended) = stdin_ended.take_if(|_| exit_with_stdin) {
            // A thread of its own: a blocked read must not hold up the exit.
            std::thread::spawn(move || {
                let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
                let _ = ended.send(());
            });
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", sandbox.ready())?;
        out.flush()?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = stdin => {}
            () = sandbox.shutdown_requested() => {}
        }
        Ok(())
    })
}
