//! Which addresses may be called. Forms of IPv6 that carry an IPv4 address are judged as that address, so that no spelling
//! leads around a rule.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use crate::Destination;

pub(crate) struct Rules {
    pub(crate) allow_private: Vec<IpNet>,
    pub(crate) own: Vec<SocketAddr>,
}

impl Rules {
    pub(crate) fn allow(&self, to: Destination, address: SocketAddr) -> bool {
        let ip = plain(address.ip());
        if is_never(ip) || self.own.iter().any(|own| is_own(*own, ip, address.port())) {
            return false;
        }
        match to {
            Destination::Operator => true,
            Destination::Tenant => {
                is_public(ip) || self.allow_private.iter().any(|range| range.contains(&ip))
            }
        }
    }
}

/// IPv4 in the clothes of IPv6: mapped and compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let segments = six.segments();
    let four = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        // `::` and `::1` are IPv6's own.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => ip,
    }
}

/// For nobody: nowhere, many at once, and where clouds hand out credentials.
fn is_never(ip: IpAddr) -> bool {
    const METADATA: [IpAddr; 4] = [
        IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
        IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
        IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    ];
    let nowhere = match ip {
        IpAddr::V4(four) => four.octets()[0] == 0 || four.is_broadcast(),
        IpAddr::V6(six) => six.is_unspecified(),
    };
    nowhere || ip.is_multicast() || METADATA.contains(&ip)
}

/// One of our listeners; one that listens everywhere has every address of this machine.
fn is_own(own: SocketAddr, ip: IpAddr, port: u16) -> bool {
    own.port() == port && (plain(own.ip()) == ip || (own.ip().is_unspecified() && is_of_this_machine(ip)))
}

fn is_of_this_machine(ip: IpAddr) -> bool {
    // Only an address of its own can be bound.
    ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

/// IANA's special-purpose registries (RFC 6890): whatever is not globally reachable is not public.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            !(four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || four.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a, b, c) == (192, 0, 0)
                || (a, b, c) == (192, 88, 99)
                || (a == 198 && (b == 18 || b == 19))
                || a >= 240)
        }
        // Global unicast only, without what is set aside inside of it: protocols' own and documentation.
        IpAddr::V6(six) => {
            let [first, second, ..] = six.segments();
            (first & 0xe000) == 0x2000
                && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], own: &[&str]) -> Rules {
        Rules {
            allow_private: allowed.iter().map(|range| range.parse().unwrap()).collect(),
            own: own.iter().map(|address| address.parse().unwrap()).collect(),
        }
    }

    fn allows(rules: &Rules, to: Destination, address: &str) -> bool {
        rules.allow(to, SocketAddr::new(address.parse().unwrap(), 443))
    }

    #[test]
    fn tenants_reach_what_is_public() {
        let rules = rules(&[], &[]);
        for public in ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(allows(&rules, Destination::Tenant, public), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.1",
            "240.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "3fff::1",
        ] {
            assert!(!allows(&rules, Destination::Tenant, private), "{private}");
        }
    }

    #[test]
    fn an_allowed_range_opens_itself_and_nothing_else() {
        let rules = rules(&["10.1.0.0/16", "fd12::/16"], &[]);
        for open in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::5"] {
            assert!(allows(&rules, Destination::Tenant, open), "{open}");
        }
        for closed in ["10.2.0.1", "127.0.0.1", "fd13::1"] {
            assert!(!allows(&rules, Destination::Tenant, closed), "{closed}");
        }
    }

    #[test]
    fn the_operator_reaches_what_is_private_and_nobody_what_is_never() {
        let rules = rules(&["0.0.0.0/0", "::/0"], &[]);
        assert!(allows(&rules, Destination::Operator, "10.0.0.1"));
        assert!(allows(&rules, Destination::Operator, "127.0.0.1"));
        for never in [
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "::",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
        ] {
            for to in [Destination::Operator, Destination::Tenant] {
                assert!(!allows(&rules, to, never), "{to:?} {never}");
            }
        }
    }

    #[test]
    fn our_own_listeners_are_for_nobody() {
        let rules = rules(&["0.0.0.0/0"], &["127.0.0.1:7717", "0.0.0.0:7718"]);
        let allow = |to, address: &str| rules.allow(to, address.parse().unwrap());
        for to in [Destination::Operator, Destination::Tenant] {
            for own in ["127.0.0.1:7717", "127.0.0.1:7718", "127.1.1.1:7718", "[::ffff:127.0.0.1]:7717"] {
                assert!(!allow(to, own), "{own}");
            }
            assert!(allow(to, "127.0.0.1:443"));
        }
    }
}
