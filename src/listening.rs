//! Opens the addresses that a server listens on, and reports what to do where one cannot be opened.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::{anyhow, bail};
use glassline_server::{listen, listen_ipv6_only, takes_ipv4};

use crate::address::joinable;

/// Flags that name an address: errors name them.
pub(crate) const LISTEN: &str = "--listen";
const METRICS: &str = "--metrics";

/// Opens every address, in order. `[::]` takes IPv6 only where an IPv4 address has the same port.
/// Errors: two of them overlap, or one cannot be listened on. The text states what to do.
pub(crate) fn open_all(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    for (index, &later) in addresses.iter().enumerate() {
        if let Some(earlier) = addresses[..index].iter().find(|earlier| overlaps(**earlier, later)) {
            bail!("--listen {later} and --listen {earlier} both take the same connections; leave one of them out");
        }
    }
    addresses.iter().map(|&address| open(address, addresses, LISTEN)).collect()
}

/// Opens the address that metrics are served on, beside `listeners`. Errors: it cannot be listened
/// on. The text states what to do.
pub(crate) fn open_metrics(address: SocketAddr, listeners: &[TcpListener]) -> anyhow::Result<TcpListener> {
    let taken = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    if let Some(taken) = taken.into_iter().find(|taken| overlaps(*taken, address)) {
        bail!("--metrics {address} is where this server's chat listens ({taken}); choose another port with --metrics");
    }
    open(address, &[address], METRICS)
}

fn open(address: SocketAddr, beside: &[SocketAddr], flag: &str) -> anyhow::Result<TcpListener> {
    let opened = match address {
        SocketAddr::V6(ipv6) if ipv6.ip().is_unspecified() && shares_port_with_ipv4(address, beside) => {
            listen_ipv6_only(ipv6)
        }
        _ => listen(address),
    };
    opened.map_err(|error| refused(address, &error, flag))
}

pub(crate) fn refused(address: SocketAddr, error: &io::Error, flag: &str) -> anyhow::Error {
    anyhow!("cannot listen on {address}: {error}; {}", advice(address, error.kind(), flag))
}

fn shares_port_with_ipv4(address: SocketAddr, beside: &[SocketAddr]) -> bool {
    address.port() != 0 && beside.iter().any(|other| other.is_ipv4() && other.port() == address.port())
}

/// Reports whether two addresses claim the same connections. `[::]` leaves IPv4 to those that name
/// it.
fn overlaps(one: SocketAddr, other: SocketAddr) -> bool {
    let same_family = one.is_ipv4() == other.is_ipv4();
    let same_address = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && same_family && same_address
}

fn advice(address: SocketAddr, kind: io::ErrorKind, flag: &str) -> String {
    match kind {
        io::ErrorKind::AddrInUse if flag == LISTEN => format!(
            "something listens on port {port} already. `glassline join {join}` joins it, if it is a chat; \
             `{flag} {other}` takes another port",
            port = address.port(),
            join = joinable(reachable_here(address)),
            other = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(1234)),
        ),
        io::ErrorKind::AddrInUse => format!("something else listens there; choose another port with {flag}"),
        io::ErrorKind::AddrNotAvailable => format!(
            "this machine has no such address; `{flag} {}` always works",
            SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
        ),
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 need more rights; choose a higher one with {flag}")
        }
        _ => format!("choose another address with {flag}"),
    }
}

/// Returns the address at which this machine itself reaches a listener: the loopback one for an
/// unspecified address.
pub(crate) fn reachable_here(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

/// Returns the addresses at which other machines can reach a listener, IPv4 first; at most
/// [`SHOWN_ADDRESSES_MAX`].
///
/// Link-local IPv6 addresses are left out: they need the name of an interface that only this
/// machine knows.
pub(crate) fn reachable_from_elsewhere(listener: &TcpListener) -> Vec<SocketAddr> {
    let Ok(listening) = listener.local_addr() else { return Vec::new() };
    if !listening.ip().is_unspecified() {
        let own = Some(listening).filter(|address| !address.ip().to_canonical().is_loopback());
        return own.into_iter().collect();
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<IpAddr> = interfaces
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|ip| !ip.is_loopback() && !is_link_local(*ip))
        .filter(|ip| if ip.is_ipv4() { takes_ipv4(listener) } else { listening.is_ipv6() })
        .collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    found.into_iter().take(SHOWN_ADDRESSES_MAX).map(|ip| SocketAddr::new(ip, listening.port())).collect()
}

/// Returns the addresses at which others reach a listener; where there are none, that of this
/// machine.
pub(crate) fn reachable_addresses(listener: &TcpListener) -> Vec<SocketAddr> {
    let elsewhere = reachable_from_elsewhere(listener);
    if elsewhere.is_empty() { listener.local_addr().ok().map(reachable_here).into_iter().collect() } else { elsewhere }
}

/// Addresses shown at most: a machine with containers has many.
const SHOWN_ADDRESSES_MAX: usize = 4;

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn overlapping_addresses_are_found() {
        for (one, other, expected) in [
            ("127.0.0.1:5", "127.0.0.1:5", true),
            ("0.0.0.0:5", "127.0.0.1:5", true),
            ("[::]:5", "[::1]:5", true),
            ("[::]:5", "0.0.0.0:5", false),
            ("127.0.0.1:5", "127.0.0.1:6", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:5", "127.0.0.2:5", false),
        ] {
            assert_eq!(overlaps(address(one), address(other)), expected, "{one} {other}");
            assert_eq!(overlaps(address(other), address(one)), expected, "{other} {one}");
        }
    }

    #[test]
    fn an_address_in_use_names_the_command_that_joins_it() {
        for (listening, join) in [
            ("0.0.0.0:5000", "`glassline join 127.0.0.1:5000`"),
            ("192.0.2.7:1234", "`glassline join 192.0.2.7`"),
            ("[::]:1234", "`glassline join ::1`"),
            ("127.0.0.1:65535", "`glassline join 127.0.0.1:65535`"),
        ] {
            let advice = advice(address(listening), io::ErrorKind::AddrInUse, LISTEN);
            assert!(advice.contains(join), "{advice}");
        }
    }

    #[test]
    fn loopback_is_reachable_from_nowhere_else() {
        let reachable = |text: &str| reachable_from_elsewhere(&listen(address(text)).expect("a free port"));
        assert!(reachable("127.0.0.1:0").is_empty());
        assert!(reachable("0.0.0.0:0").iter().all(|found| found.is_ipv4() && !found.ip().is_loopback()));
    }

    #[test]
    fn a_listener_for_ipv6_alone_names_no_address_of_ipv4() {
        let SocketAddr::V6(any) = address("[::]:0") else { panic!("an address of IPv6") };
        match listen_ipv6_only(any) {
            Ok(listener) => {
                assert!(!takes_ipv4(&listener));
                assert!(reachable_from_elsewhere(&listener).iter().all(SocketAddr::is_ipv6));
            }
            Err(error) => assert_ne!(error.kind(), io::ErrorKind::AddrInUse, "no IPv6 on this machine: {error}"),
        }
    }
}
