//! The number by which the history tells the part of an address that one subscriber has alone.

use core::net::IpAddr;

use crate::moderation::subnet;

/// Returns a number that is the same for all addresses of one [`subnet`], and never 0.
pub fn subnet_key(address: IpAddr) -> u128 {
    match subnet(address) {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() | u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_subnet_and_each_ipv4_address() {
        let of = |text: &str| subnet_key(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("::1"), 0);
    }
}
