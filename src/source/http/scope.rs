//! Where a request may go: links in posts and redirects are written by strangers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::model::account::authority_of;
use crate::model::crawl::{Failure, Outcome};

/// The addresses that one request may reach.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// An address from the operator's configuration: anywhere, but never from a public address into the own network.
    Anywhere,
    /// An address from a post: these hosts only (`host`, or `host:port`), from the first request on.
    Hosts(&'a [String]),
}

impl Scope<'_> {
    pub(super) fn check_first(self, url: &Url) -> Result<(), Failure> {
        match self {
            Self::Anywhere => Ok(()),
            Self::Hosts(_) => self.check_host(url),
        }
    }

    pub(in crate::source) fn check_hop(self, from: &Url, to: &Url) -> Result<(), Failure> {
        match self {
            Self::Anywhere if is_local(to) && !is_local(from) => {
                let (from, to) = (authority_of(from), authority_of(to));
                let detail = format!("`{from}` redirects to `{to}` in the local network: refused");
                Err(Failure::new(Outcome::ShapeChanged, detail))
            }
            Self::Anywhere => Ok(()),
            Self::Hosts(_) => self.check_host(to),
        }
    }

    fn check_host(self, url: &Url) -> Result<(), Failure> {
        let authority = authority_of(url);
        match self {
            Self::Hosts(hosts) if !hosts.contains(&authority) => {
                let detail = format!("`{authority}` is not in `crawl.article_hosts`: not fetched");
                Err(Failure::new(Outcome::ShapeChanged, detail))
            }
            _ => Ok(()),
        }
    }
}

/// Whether an address names this machine or its network: `localhost`, or an IP literal that is not public.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        None => true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => is_local_ip(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_local_ip(IpAddr::V6(ip)),
    }
}

/// Whether an address is this machine, its network, or no public host at all.
pub(super) fn is_local_ip(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_local_v4(ip),
        IpAddr::V6(ip) => embedded_v4(ip).map_or_else(
            || {
                let is_site_local = ip.segments()[0] & 0xffc0 == 0xfec0; // deprecated, but routers may still know it
                let is_local_nat64 = ip.segments().starts_with(&[0x64, 0xff9b, 1]); // RFC 8215
                let is_own = ip.is_unique_local() || ip.is_unicast_link_local() || is_site_local || is_local_nat64;
                is_own || ip.is_multicast()
            },
            is_local_v4,
        ),
    }
}

fn is_local_v4(ip: Ipv4Addr) -> bool {
    let [first, second, third, _] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second); // RFC 6598, between customers and carriers
    let is_special = (first, second, third) == (192, 0, 0) || (first == 198 && matches!(second, 18 | 19));
    let is_own = ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared || is_special;
    is_own || first == 0 || first >= 224
}

/// The IPv4 address inside a mapped (`::ffff:0:0/96`), compatible (`::/96`: loopback and unspecified among them),
/// translated (`64:ff9b::/96`) or tunnelled (`2002::/16`) one.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_public_address_may_not_lead_into_the_own_network() {
        let public = url("https://rss.example.cn/a");
        for target in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://10.1.2.3/",
            "http://172.16.0.1:8080/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b:1::7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[2002:0a00:0001::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/latest",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
        ] {
            assert!(Scope::Anywhere.check_hop(&public, &url(target)).is_err(), "{target}");
        }
        for target in ["http://example.cn/", "http://8.8.8.8/", "http://100.128.0.1/", "http://[2400:3200::1]/"] {
            assert_eq!(Scope::Anywhere.check_hop(&public, &url(target)), Ok(()), "{target}");
        }
    }

    #[test]
    fn a_local_source_may_lead_to_a_local_address() {
        assert_eq!(Scope::Anywhere.check_hop(&url("http://127.0.0.1:8001/"), &url("http://127.0.0.1:8002/")), Ok(()));
        assert_eq!(Scope::Anywhere.check_first(&url("http://192.168.1.9/feed")), Ok(()));
    }

    #[test]
    fn a_link_of_a_post_is_held_to_its_hosts_from_the_first_request_on() {
        let hosts = ["mp.weixin.qq.com".to_owned(), "127.0.0.1:8003".to_owned()];
        let scope = Scope::Hosts(&hosts);
        let good = url("https://mp.weixin.qq.com/s/x");
        assert_eq!(scope.check_first(&good), Ok(()));
        assert_eq!(scope.check_first(&url("http://127.0.0.1:8003/s/x")), Ok(()));
        for bad in ["https://mp.weixin.qq.com.evil.cn/s/x", "http://127.0.0.1:8004/", "http://mp.weixin.qq.com:8080/"] {
            assert!(scope.check_first(&url(bad)).is_err(), "{bad}");
            assert!(scope.check_hop(&good, &url(bad)).is_err(), "{bad}");
        }
    }
}
