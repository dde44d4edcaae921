//! Which networks a client may connect to.

use std::{
    borrow::Cow,
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::outcome::Failure;

/// How far an [`HttpClient`](super::HttpClient) reaches, by the addresses that it connects to and not by their names:
/// a name is looked up, and what lies beyond the reach is left out, each time a connection is made.
///
/// It keeps a plugin that takes addresses from elsewhere from being sent to the services beside it. Where the operator
/// alone says where to, [`Reach::Private`] is right; or make it a setting:
///
/// ```
/// use postroom_sdk::http::Reach;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Config {
///     url: String,
///     /// "private" also allows addresses of this machine and of private networks.
///     #[serde(default)]
///     reach: Reach,
/// }
/// # let config: Config = serde_json::from_str(r#"{"url": "", "reach": "private"}"#).unwrap();
/// # assert_eq!(config.reach, Reach::Private);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// The public internet.
    #[default]
    Public,
    /// Also this machine and private networks, but no link-local address and none where clouds keep credentials for their
    /// machines.
    Private,
    /// Everything.
    Any,
}

impl Reach {
    /// Whether `address` lies within.
    ///
    /// ```
    /// use postroom_sdk::http::Reach;
    ///
    /// let metadata_of_a_cloud = "169.254.169.254".parse().unwrap();
    /// assert!(!Reach::Private.allows(metadata_of_a_cloud));
    /// assert!(Reach::Private.allows("10.0.0.1".parse().unwrap()));
    /// assert!(!Reach::Public.allows("10.0.0.1".parse().unwrap()));
    /// ```
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => place(address) == Place::Public,
            Self::Private => matches!(place(address), Place::Public | Place::Private),
            Self::Any => true,
        }
    }

    /// Refuses a URL that names an address beyond the reach: such a one is never looked up.
    pub(super) fn check(self, url: &str) -> Result<(), Failure> {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        // The parser has turned every spelling of an address into the usual one; IPv6 stands in brackets.
        let address = host.and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        if address.is_none_or(|address| self.allows(address)) { Ok(()) } else { Err(refusal()) }
    }
}

impl JsonSchema for Reach {
    fn schema_name() -> Cow<'static, str> {
        "Reach".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["public", "private", "any"] })
    }
}

/// What an address is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    /// This machine, or a network with addresses of its own.
    Private,
    /// Addresses of a link, of groups, and those with no use here.
    Special,
}

fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    let [a, b, c, d] = address.octets();
    // What a cloud's machines ask for their credentials, at addresses that look like any other: Alibaba and Azure.
    if matches!((a, b, c, d), (100, 100, 100, 200) | (168, 63, 129, 16)) {
        return Place::Special;
    }
    // 0.0.0.0 leads to this machine; 100.64/10 is shared by the customers of one provider.
    let shared = a == 100 && b & 0xc0 == 64;
    if address.is_loopback() || address.is_private() || address.is_unspecified() || shared {
        return Place::Private;
    }
    let reserved = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a == 198 && b & 0xfe == 18);
    if address.is_link_local() || address.is_multicast() || address.is_documentation() || reserved {
        return Place::Special;
    }
    Place::Public
}

/// Where clouds keep credentials for their machines, in the midst of unique local addresses: AWS, Google, Oracle and
/// Scaleway.
const CREDENTIALS: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

fn place_v6(address: Ipv6Addr) -> Place {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        place_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        _ if address.is_loopback() || address.is_unspecified() => Place::Private,
        // An IPv4 address in another dress: mapped, compatible, translated (64:ff9b::/96) or tunnelled (6to4).
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        (0x2002, ..) => v4(b, c),
        _ if CREDENTIALS.contains(&address) => Place::Special,
        _ if address.is_unique_local() => Place::Private,
        // Addresses are handed out from 2000::/3 alone; 2001:db8::/32 is for documents, 2001::/32 a tunnel to anywhere.
        (0x2001, 0 | 0xdb8, ..) => Place::Special,
        _ if a & 0xe000 == 0x2000 => Place::Public,
        _ => Place::Special,
    }
}

/// Looks names up and leaves out what lies beyond the reach, so that no name can lead there.
#[derive(Debug)]
pub(super) struct Resolver(pub(super) Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(|error| denied().unwrap_or(error))?;
            let found: Vec<SocketAddr> = found.collect();
            let within: Vec<_> = found.iter().copied().filter(|found| reach.allows(found.ip())).collect();
            if within.is_empty() && !found.is_empty() {
                return Err(Beyond.into());
            }
            let within: Addrs = Box::new(within.into_iter());
            Ok(within)
        })
    }
}

/// The error of a process that may have no sockets: whoever looks names up does not tell it from a name server that does
/// not answer.
fn denied() -> Option<io::Error> {
    let error = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).err()?;
    (error.kind() == io::ErrorKind::PermissionDenied).then_some(error)
}

/// All addresses of a name lie beyond the reach.
#[derive(Debug, Error)]
#[error("the address lies beyond the plugin's reach")]
struct Beyond;

/// The failure that stands for `error` if the reach has caused it.
pub(super) fn refused(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Beyond>() {
            return Some(refusal());
        }
        cause = error.source();
    }
    None
}

fn refusal() -> Failure {
    Failure::misconfigured(
        "beyond_reach",
        "the address is not on the public internet, where this plugin may connect to: correct it, or allow private \
         addresses if the plugin has a setting for it",
    )
}

#[cfg(test)]
mod tests;
