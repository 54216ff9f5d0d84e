//! `glassline` alone: host a line on this machine and join it, or join the one that is there.

use std::io;
use std::path::Path;
use std::thread;

use glassline_client::{Ending, JoinOptions, join};
use glassline_journal::Keep;
use glassline_server::{Config, Shutdown, listen, run};

use crate::address::default_address;
use crate::folders;
use crate::history;

/// Talks at the line of this machine, whatever server the settings name for `join`.
pub(crate) fn host(options: JoinOptions, kept: Option<&Path>) -> Ending {
    let address = default_address();
    let here = |greeting: Vec<String>| JoinOptions { address: address.to_string(), greeting, ..options };
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return join(&here(vec![format!("something listens on {address} already: joining it")]));
        }
        Err(error) => {
            return Ending::CannotConnect(format!(
                "cannot listen on {address}: {error}; try `glassline serve --listen`"
            ));
        }
    };
    let store = match kept.map(|file| history::open(file, Keep::default())).transpose() {
        Ok(store) => store,
        Err(error) => return Ending::InputOutput(format!("{error:#}")),
    };
    let shutdown = Shutdown::new();
    let for_server = shutdown.clone();
    let server = thread::spawn(move || run(vec![listener], Config::default(), store, &for_server));
    let kept = match kept {
        Some(file) => format!("what is said is kept in {}", folders::in_short(file)),
        None => "what is said is kept nowhere".to_string(),
    };
    let greeting = vec![
        format!("your line is open on {address}, for as long as you stay"),
        "others on this machine join it with: glassline join".to_string(),
        kept,
    ];
    let ending = join(&JoinOptions { hosts: true, ..here(greeting) });
    shutdown.request();
    match server.join() {
        Ok(Ok(())) => ending,
        _ => Ending::ServerWentAway("the line you hosted ended by itself; start it again".to_string()),
    }
}
