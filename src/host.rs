//! `glassline` alone: host a line on this machine and join it, or join the one that is there.

use std::io;
use std::thread;

use glassline_client::{Ending, JoinOptions, join};
use glassline_server::{Config, Shutdown, listen, run};

use crate::address::default_address;

/// Talks at the line of this machine, whatever server the settings name for `join`.
pub(crate) fn host(options: JoinOptions) -> Ending {
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
    let shutdown = Shutdown::new();
    let for_server = shutdown.clone();
    let server = thread::spawn(move || run(vec![listener], Config::default(), &for_server));
    let greeting = vec![
        format!("your line is open on {address}, for as long as you stay"),
        "others on this machine join it with: glassline join".to_string(),
    ];
    let ending = join(&JoinOptions { hosts: true, ..here(greeting) });
    shutdown.request();
    match server.join() {
        Ok(Ok(())) => ending,
        _ => Ending::ServerWentAway("the line you hosted ended by itself; start it again".to_string()),
    }
}
