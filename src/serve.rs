//! `glassline serve`: listen, say where, serve until a signal.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::{Context, bail};
use glassline_journal::{Keep, Store};
use glassline_server::{Config, Shutdown, listen, run};
use tracing::{info, warn};

use crate::address::{DEFAULT_PORT, default_address};
use crate::args::Serve;
use crate::history::{self, Kept};
use crate::logging;
use crate::operator_token;
use crate::signals::end_on_signal;

/// Exit code where the server cannot start or cannot go on.
const FAILED: u8 = 1;

pub(crate) fn serve(arguments: &Serve) -> ExitCode {
    logging::start(arguments.log_format);
    let served = serve_until_signal(arguments);
    logging::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glassline: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn serve_until_signal(arguments: &Serve) -> anyhow::Result<()> {
    let operator_token = arguments.operator_token_file.as_deref().map(operator_token::read).transpose()?;
    let addresses = if arguments.listen.is_empty() { vec![default_address()] } else { arguments.listen.clone() };
    let listeners = addresses.iter().map(|&address| open(address)).collect::<anyhow::Result<Vec<_>>>()?;
    let store = open_history(arguments)?;
    let shutdown = Shutdown::new();
    end_on_signal(shutdown.clone()).context("cannot watch for signals")?;
    announce(&listeners)?;
    let config = Config {
        pure: arguments.pure,
        flood: arguments.flood.unwrap_or_default(),
        replay: arguments.replay as usize,
        replay_tutorial: arguments.replay_tutorial as usize,
        operator_token,
        ..Config::default()
    };
    run(listeners, config, store, &shutdown).context("the server cannot go on")
}

fn open_history(arguments: &Serve) -> anyhow::Result<Option<Box<dyn Store>>> {
    if arguments.pure {
        // The tutorial's server forgets, and its bytes need not be text.
        return match &arguments.history {
            Some(Kept::In(_)) => bail!("--pure keeps no history; leave out --history, or --pure"),
            _ => Ok(None),
        };
    }
    let Some(file) = history::file(arguments.history.as_ref()) else {
        if arguments.history.is_none() {
            warn!("there is no home folder, so what is said is not kept; name a file with --history FILE");
        }
        return Ok(None);
    };
    let keep = Keep { days: arguments.keep_days, bytes: arguments.keep_bytes };
    let store = history::open(&file, keep)?;
    info!(file = %file.display(), "what is said is kept");
    Ok(Some(store))
}

fn open(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address).map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "something else listens there; choose another port with --listen, or join it with `glassline join`"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; `--listen 127.0.0.1:1234` always works"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need more rights; choose a higher one with --listen",
            _ => "choose another address with --listen",
        };
        anyhow::anyhow!("cannot listen on {address}: {error}; {advice}")
    })
}

/// One line for each address on stdout, and on stderr who can reach it if that is more than this machine.
fn announce(listeners: &[TcpListener]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    for listener in listeners {
        let address = listener.local_addr().context("cannot tell where it listens")?;
        // A caller that closed stdout does not want to know.
        let _ = writeln!(stdout, "listening on {address}").and_then(|()| stdout.flush());
        if !address.ip().to_canonical().is_loopback() {
            eprintln!(
                "{address} is open to other machines: everyone who can reach it can join, and everyone on the way can read \
                 what is said, because nothing is encrypted. `--listen 127.0.0.1:{DEFAULT_PORT}` keeps it on this machine."
            );
        }
    }
    Ok(())
}
