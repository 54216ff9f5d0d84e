//! Addresses that the tap may use. It is an instrument for one's own systems: it never listens on
//! an address of the Internet, nor connects to one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Distance of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// This machine.
    Loopback,
    /// A network that is not part of the Internet: RFC 1918, RFC 4193, link-local.
    Private,
    /// Every address of the machine at once (`0.0.0.0`, `::`).
    Unspecified,
    /// Everything else, the Internet included.
    Public,
}

impl Reach {
    /// Returns the reach of an address; an IPv4 address written as IPv6 is an IPv4 address.
    fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Self::Loopback;
        }
        if address.is_unspecified() {
            return Self::Unspecified;
        }
        let is_private = match address {
            IpAddr::V4(v4) => is_private_v4(v4),
            IpAddr::V6(v6) => is_private_v6(v6),
        };
        if is_private { Self::Private } else { Self::Public }
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_private() || address.is_link_local()
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

/// Distance to which the tap may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Permission {
    /// This machine only.
    #[default]
    LoopbackOnly,
    /// Private networks as well; the user has confirmed it.
    PrivateNetworks,
}

/// Purpose of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Role {
    /// The tap listens on it.
    #[error("listening on")]
    Listen,
    /// The tap connects to it.
    #[error("relaying to")]
    Target,
}

/// Reason for which the tap does not use an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// The address is on a private network, and the user has not confirmed that.
    #[error("{role} {address} reaches beyond this machine: use 127.0.0.1, or confirm it with --beyond-loopback")]
    BeyondLoopback {
        /// Its purpose.
        role: Role,
        /// The address.
        address: SocketAddr,
    },
    /// The address may be on the Internet.
    #[error("{role} {address} is refused: the tap is for your own machines, on loopback or private addresses")]
    Public {
        /// Its purpose.
        role: Role,
        /// The address.
        address: SocketAddr,
    },
    /// The address stands for all addresses of the machine, public ones included.
    #[error("{role} {address} is refused, since it stands for every address of the machine: name one of them")]
    Unspecified {
        /// Its purpose.
        role: Role,
        /// The address.
        address: SocketAddr,
    },
}

/// Checks that the tap may use an address.
pub fn check(role: Role, address: SocketAddr, permission: Permission) -> Result<(), ReachError> {
    match (Reach::of(address.ip()), permission) {
        (Reach::Loopback, _) | (Reach::Private, Permission::PrivateNetworks) => Ok(()),
        (Reach::Private, Permission::LoopbackOnly) => Err(ReachError::BeyondLoopback { role, address }),
        (Reach::Unspecified, _) => Err(ReachError::Unspecified { role, address }),
        (Reach::Public, _) => Err(ReachError::Public { role, address }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(address: &str) -> Reach {
        Reach::of(address.parse().unwrap())
    }

    #[test]
    fn addresses_have_a_reach() {
        for loopback in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(reach(loopback), Reach::Loopback, "{loopback}");
        }
        for private in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.2",
            "169.254.3.4",
            "fe80::1",
            "fd00::1",
            "::ffff:10.1.2.3",
        ] {
            assert_eq!(reach(private), Reach::Private, "{private}");
        }
        for unspecified in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
            assert_eq!(reach(unspecified), Reach::Unspecified, "{unspecified}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.1",
            "2001:db8::1",
            "2606:4700::1111",
            "64:ff9b::7f00:1",
            "::127.0.0.1",
            "ff02::1",
            "fec0::1",
            "::ffff:1.1.1.1",
        ] {
            assert_eq!(reach(public), Reach::Public, "{public}");
        }
    }

    #[test]
    fn only_private_networks_can_be_permitted() {
        let checked = |ip: &str, permission| check(Role::Target, SocketAddr::new(ip.parse().unwrap(), 1), permission);
        let private = Permission::PrivateNetworks;
        assert_eq!(checked("::1", Permission::LoopbackOnly), Ok(()));
        assert!(matches!(checked("10.0.0.1", Permission::LoopbackOnly), Err(ReachError::BeyondLoopback { .. })));
        assert_eq!(checked("10.0.0.1", private), Ok(()));
        assert!(matches!(checked("8.8.8.8", private), Err(ReachError::Public { .. })));
        assert!(matches!(checked("0.0.0.0", private), Err(ReachError::Unspecified { .. })));
    }
}
