//! `glassline` alone: host a chat and join it, or join the one that is on this machine already.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use glassline_client::{Ending, JoinOptions, join};
use glassline_journal::{Keep, Store};
use glassline_server::{Config, OperatorToken, Shutdown, Web, listen, run};

use crate::address::{default_address, joinable};
use crate::args::{Host, LinkOptions};
use crate::folders;
use crate::history;
use crate::listening::{LISTEN, open_all, reachable_addresses, reachable_from_elsewhere, reachable_here, refused};
use crate::operator_token::{self, TokenRead};
use crate::sealing;
use crate::server_links::ServerLinks;
use crate::web::page_address;

struct HostResources {
    listeners: Vec<TcpListener>,
    operator_token: Option<OperatorToken>,
    store: Option<Box<dyn Store>>,
    links: ServerLinks,
    greeting: Vec<String>,
}

/// Hosts a chat, with its page where `web` has its settings, and joins it, ignoring the `join` server of the settings. Errors: a file cannot be
/// used.
pub(crate) fn host(options: JoinOptions, arguments: &Host, web: Option<Web>) -> anyhow::Result<Ending> {
    let address = default_address();
    let opened = if arguments.listen.is_empty() {
        match listen(address) {
            Ok(listener) => Ok(vec![listener]),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let joining = format!("something listens on {address} already: joining it");
                let greeting = [options.greeting.as_slice(), &[joining]].concat();
                return join_here(address, JoinOptions { greeting, ..options });
            }
            Err(error) => Err(refused(address, &error, LISTEN)),
        }
    } else {
        open_all(&arguments.listen)
    };
    let listeners = match opened {
        Ok(listeners) => listeners,
        Err(error) => return Ok(Ending::CannotConnect(format!("{error:#}"))),
    };
    let HostResources { listeners, operator_token, store, links, greeting } =
        open(listeners, arguments, web.is_some())?;
    let Some(own) = listeners.iter().find_map(|listener| listener.local_addr().ok()) else {
        return Ok(Ending::CannotConnect("cannot tell where it listens; try another --listen".to_string()));
    };
    let reachable_at = listeners.iter().flat_map(reachable_from_elsewhere).collect();
    let shutdown = Shutdown::new();
    let for_server = shutdown.clone();
    links.renew_in_background();
    let config = Config { operator_token, links: links.for_server(), web, ..Config::default() };
    let server = thread::spawn(move || run(listeners, config, store, &for_server));
    let greeting = [options.greeting.as_slice(), &greeting].concat();
    let options = JoinOptions { hosts: true, reachable_at, greeting, ..options };
    let ending = join_here(reachable_here(own), options);
    shutdown.request();
    match server.join() {
        Ok(Ok(())) => ending,
        _ => Ok(Ending::ServerWentAway("the line you hosted ended by itself; start it again".to_string())),
    }
}

/// Joins the chat at an address of this machine, with the rooms that were sealed there.
fn join_here(address: SocketAddr, options: JoinOptions) -> anyhow::Result<Ending> {
    let options = JoinOptions { address: address.to_string(), ..options };
    Ok(join(&sealing::with_sealing(options, &[])?))
}

fn open(listeners: Vec<TcpListener>, arguments: &Host, has_page: bool) -> anyhow::Result<HostResources> {
    let token_file = arguments.operator_token_file.as_deref();
    let (operator_token, warnings) = match token_file.map(operator_token::read).transpose()? {
        Some(TokenRead { token, warnings }) => (Some(token), warnings),
        None => (None, Vec::new()),
    };
    let file = history::file(arguments.history.as_ref());
    let store = file.as_deref().map(|file| history::open(file, Keep::default())).transpose()?;
    let links = ServerLinks::open(&LinkOptions::default(), &listeners)?;
    let mut greeting: Vec<String> = listeners.iter().flat_map(how_to_join).collect();
    if has_page {
        let pages = listeners.iter().flat_map(reachable_addresses).filter_map(|address| page_address(address, None));
        greeting.extend(pages.map(|page| format!("… or in a browser: {page}")));
    }
    if listeners.iter().any(|listener| !reachable_from_elsewhere(listener).is_empty()) {
        greeting.push(links.readers());
        greeting.extend(links.fingerprints());
    }
    greeting.push(match &file {
        Some(file) => format!("what is said is kept in {}", folders::in_short(file)),
        None => "what is said is kept nowhere".to_string(),
    });
    greeting.extend(warnings);
    if operator_token.is_some() {
        greeting.push(
            "/op and the token make you an operator, each time that you come in; /help operators lists the commands"
                .to_string(),
        );
    }
    Ok(HostResources { listeners, operator_token, store, links, greeting })
}

fn how_to_join(listener: &TcpListener) -> Vec<String> {
    let Ok(listening) = listener.local_addr() else { return Vec::new() };
    let open = format!("your line is open on {listening}, for as long as you stay");
    let here = joinable(reachable_here(listening));
    let here = if reachable_here(listening) == default_address() { String::new() } else { format!(" {here}") };
    if listening.ip().to_canonical().is_loopback() {
        return vec![open, format!("others on this machine join it with: glassline join{here}")];
    }
    let elsewhere = reachable_from_elsewhere(listener);
    let mut lines = vec![open];
    lines.extend(
        elsewhere
            .into_iter()
            .map(|address| format!("others on your network join it with: glassline join {}", joinable(address))),
    );
    if lines.len() == 1 {
        lines.push(format!(
            "this machine has no address that others could reach; on it, join with: glassline join{here}"
        ));
    }
    lines
}
