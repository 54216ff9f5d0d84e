//! `glassline serve`: listen, print the addresses, serve until a signal.

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use glassline_journal::{Keep, Store};
use glassline_server::{Config, OperatorToken, Shutdown, Watch, run, serve_http};
use tracing::{info, warn};

use crate::address::{DEFAULT_PORT, default_address, joinable};
use crate::args::{LogFormat, Serve};
use crate::history::{self, HistoryChoice};
use crate::listening::{open_all, open_metrics, reachable_addresses, reachable_from_elsewhere};
use crate::logging;
use crate::operator_token::{self, TokenRead};
use crate::server_links::ServerLinks;
use crate::service_manager::{inherited_listeners, notify_stopping, report};
use crate::signals::end_on_signal;
use crate::web::page_address;
use crate::{done, note};

pub(crate) fn serve(arguments: &Serve) -> ExitCode {
    // Before logging starts the first thread.
    let inherited = inherited_listeners();
    logging::start(arguments.log_format);
    let served = inherited.and_then(|inherited| serve_until_signal(arguments, inherited));
    logging::flush();
    done(served)
}

fn read_operator_token(file: &Path) -> anyhow::Result<OperatorToken> {
    let TokenRead { token, warnings } = operator_token::read(file)?;
    for warning in warnings {
        warn!(file = %file.display(), "{warning}");
    }
    Ok(token)
}

fn serve_until_signal(arguments: &Serve, inherited: Vec<TcpListener>) -> anyhow::Result<()> {
    let operator_token = arguments.operator_token_file.as_deref().map(read_operator_token).transpose()?;
    let listeners = match (arguments.listen.as_slice(), inherited) {
        ([], inherited) if !inherited.is_empty() => inherited,
        ([], _) => open_all(&[default_address()])?,
        (named, _) => open_all(named)?,
    };
    let metrics = arguments.metrics.map(|address| open_metrics(address, &listeners)).transpose()?;
    let links = ServerLinks::open(&arguments.links, &listeners)?;
    let store = open_history(arguments)?;
    let (shutdown, watch) = (Shutdown::new(), Watch::new());
    let at_signal = shutdown.clone();
    let end = move || {
        // First, because the server ends at once without connections.
        notify_stopping();
        at_signal.request();
    };
    end_on_signal(end, || {}, links.reloader()).context("cannot watch for signals")?;
    links.renew_in_background();
    announce(&listeners, &links, arguments)?;
    if let Some(metrics) = metrics {
        serve_http(&metrics, &watch, &shutdown).context("cannot start answering for --metrics; leave it out")?;
        announce_metrics(&metrics)?;
    }
    report(watch.clone(), shutdown.clone());
    let config = Config {
        pure: arguments.pure,
        flood: arguments.flood.unwrap_or_default(),
        replay: arguments.replay as usize,
        replay_tutorial: arguments.replay_tutorial as usize,
        operator_token,
        links: links.for_server(),
        web: arguments.web.for_server(),
        watch,
        ..Config::default()
    };
    run(listeners, config, store, &shutdown).context("the server cannot go on")
}

fn open_history(arguments: &Serve) -> anyhow::Result<Option<Box<dyn Store>>> {
    let keeps_none = arguments.pure || arguments.history == Some(HistoryChoice::Nowhere);
    if keeps_none && (arguments.keep_days.is_some() || arguments.keep_bytes.is_some()) {
        bail!("there is no history of which --keep-days or --keep-bytes could keep a part; leave them out");
    }
    if arguments.pure {
        // The tutorial's server keeps no messages, and its bytes need not be text.
        return match &arguments.history {
            Some(HistoryChoice::In(_)) => bail!("--pure keeps no history; leave out --history, or --pure"),
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

/// One line for each address on stdout, and on stderr who can reach it and read what is said if that
/// is more than this machine; then a line for each address of the page and each key.
fn announce(listeners: &[TcpListener], links: &ServerLinks, arguments: &Serve) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut notes = Vec::new();
    let has_page = !arguments.pure && !arguments.web.no_web;
    for listener in listeners {
        let address = listener.local_addr().context("cannot tell where it listens")?;
        // The caller may have closed stdout.
        let _ = writeln!(stdout, "listening on {address}").and_then(|()| stdout.flush());
        if !address.ip().to_canonical().is_loopback() {
            note(format_args!(
                "{address} is open to other machines: everyone who can reach it can join. {} \
                 `--listen 127.0.0.1:{DEFAULT_PORT}` keeps it on this machine.",
                links.readers()
            ));
            for reachable in reachable_from_elsewhere(listener) {
                note(format_args!("others join with: glassline join {}", joinable(reachable)));
            }
        }
        let pages = reachable_addresses(listener).into_iter();
        let pages = pages.filter_map(|reachable| page_address(reachable, arguments.links.require));
        notes.extend(pages.filter(|_| has_page).map(|page| format!("in a browser: {page}")));
    }
    drop(stdout);
    notes.extend(links.fingerprints());
    for line in notes {
        match arguments.log_format {
            LogFormat::Human => note(line),
            // A program reads stderr line by line.
            LogFormat::Json => info!("{line}"),
        }
    }
    Ok(())
}

fn announce_metrics(listener: &TcpListener) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot tell where metrics are")?;
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "metrics on {address}").and_then(|()| stdout.flush());
    info!("metrics on http://{address}/metrics");
    if !address.ip().to_canonical().is_loopback() {
        note(format_args!(
            "{address} is open to other machines: everyone who can reach it can read how many are here and how much is said, but \
             no name and no text. `--metrics 127.0.0.1:{}` keeps it on this machine.",
            address.port()
        ));
    }
    Ok(())
}
