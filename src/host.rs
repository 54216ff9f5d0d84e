//! `glassline` alone: host a line on this machine and join it, or join the one that is there.

use std::io;
use std::net::SocketAddr;
use std::thread;

use glassline_client::{DialectChoice, Ending, JoinOptions, Mode, Preferences, join};
use glassline_server::{Config, Shutdown, listen, run};

use crate::args::{DEFAULT_PORT, name_or_login};

pub(crate) fn host(name: Option<&str>) -> Ending {
    let address = SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT));
    let options = |greeting: Vec<String>| JoinOptions {
        address: address.to_string(),
        name: name_or_login(name),
        dialect: DialectChoice::Auto,
        mode: Mode::Auto,
        greeting,
        preferences: Preferences::default(),
    };
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return join(&options(vec![format!("something listens on {address} already: joining it")]));
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
    let ending = join(&options(vec![
        format!("your line is open on {address}, for as long as you stay"),
        "others on this machine join it with: glassline join".to_string(),
    ]));
    shutdown.request();
    match server.join() {
        Ok(Ok(())) => ending,
        _ => Ending::ServerWentAway("the line you hosted ended by itself; start it again".to_string()),
    }
}
