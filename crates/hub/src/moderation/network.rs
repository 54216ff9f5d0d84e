//! Addresses as operators write them: one, or all of a network.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Narrowest prefix of a network in IPv4: no larger one was ever assigned.
const PREFIX_BITS_MIN_V4: u8 = 8;
/// … and in IPv6.
const PREFIX_BITS_MIN_V6: u8 = 16;

/// Bits of an IPv6 address that one subscriber's addresses share.
const SUBNET_BITS: u8 = 64;

/// All addresses with the same first bits; a single address has a prefix of all its bits.
/// IPv4-mapped IPv6 addresses are IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

/// Rejection of a prefix that is not a number or too long for the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadPrefix;

impl Network {
    /// Parses `192.0.2.7`, `192.0.2.0/24` or the like in IPv6; nothing if the text is no address.
    /// Bits after the prefix are ignored.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, BadPrefix> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
        let canonical = address.to_canonical();
        let bits_in_front = width(address) - width(canonical);
        let prefix_bits = match prefix {
            None => width(canonical),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let bits = digits.parse::<u8>().ok().filter(|&bits| bits <= width(address)).ok_or(BadPrefix)?;
                bits.checked_sub(bits_in_front).ok_or(BadPrefix)?
            }
            Some(_) => return Err(BadPrefix),
        };
        Ok(Some(Self { first: masked(canonical, prefix_bits), prefix_bits }))
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.first) && masked(address, self.prefix_bits) == self.first
    }

    /// Returns whether it has so many addresses that a typing error is likelier than a purpose.
    pub(crate) fn is_too_wide(self) -> bool {
        self.prefix_bits < if self.first.is_ipv4() { PREFIX_BITS_MIN_V4 } else { PREFIX_BITS_MIN_V6 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix_bits == width(self.first) {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.prefix_bits)
        }
    }
}

/// Returns the part of an address that identifies one subscriber: all of it, or 64 bits in IPv6.
pub fn subnet(address: IpAddr) -> IpAddr {
    let address = address.to_canonical();
    masked(address, width(address).min(SUBNET_BITS))
}

/// Returns a number that is the same for all addresses of one [`subnet`], and never 0.
pub fn subnet_key(address: IpAddr) -> u128 {
    match subnet(address) {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() | u128::from(u64::MAX),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let dropped = u32::from(width(address) - prefix_bits);
    match address {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(dropped).unwrap_or(0)).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(dropped).unwrap_or(0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a good prefix").expect("an address")
    }

    fn holds(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().expect("an address"))
    }

    #[test]
    fn a_network_holds_what_begins_alike() {
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("192.0.2.0/24", "192.0.2.255") && !holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("0.0.0.0/0", "255.255.255.255") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::"));
        assert!(
            holds("::/0", "2001:db8::1") && !holds("::/0", "192.0.2.7"),
            "an IPv4 address is in no network of IPv6"
        );
        assert!(holds("192.0.2.7/31", "192.0.2.6"), "bits behind the prefix do not count");
    }

    #[test]
    fn ipv4_in_the_clothes_of_ipv6_is_ipv4() {
        assert!(holds("192.0.2.7", "::ffff:192.0.2.7") && holds("::ffff:192.0.2.7", "192.0.2.7"));
        assert_eq!(network("::ffff:10.1.2.3/104").to_string(), "10.0.0.0/8");
        assert_eq!(Network::parse("::ffff:10.1.2.3/64"), Err(BadPrefix));
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for (text, shown) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:DB8::1/64", "2001:db8::/64"),
            ("::1", "::1"),
        ] {
            assert_eq!(network(text).to_string(), shown);
        }
        for none in ["bob", "", "/8", "1.2.3", "192.0.2.256", "fe80::1%eth0", "10/8", "1.2.3.4.5"] {
            assert_eq!(Network::parse(none), Ok(None), "{none}");
        }
        for bad in ["10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/999"]
        {
            assert_eq!(Network::parse(bad), Err(BadPrefix), "{bad}");
        }
    }

    #[test]
    fn the_whole_world_is_too_wide() {
        for wide in ["0.0.0.0/0", "::/0", "10.0.0.0/7", "2000::/15"] {
            assert!(network(wide).is_too_wide(), "{wide}");
        }
        assert!(!network("10.0.0.0/8").is_too_wide() && !network("2001::/16").is_too_wide());
    }

    #[test]
    fn a_network_of_64_bits_is_one_subnet_and_each_ipv4_address() {
        let of = |text: &str| subnet_key(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("::1"), 0);
    }

    proptest! {
        #[test]
        fn an_address_is_in_every_network_made_of_it(bits: u128, prefix_bits in 0..=128_u8, v4: bool) {
            let address: IpAddr =
                if v4 { Ipv4Addr::from_bits(bits as u32).into() } else { Ipv6Addr::from_bits(bits | 1 << 127).into() };
            let prefix_bits = prefix_bits.min(width(address));
            let made = network(&alloc::format!("{address}/{prefix_bits}"));
            prop_assert!(made.contains(address));
            prop_assert_eq!(network(&made.to_string()), made);
        }
    }
}
