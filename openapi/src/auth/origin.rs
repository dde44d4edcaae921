//! Whether a page of the gateway's own asks. A browser sends the cookie along, so a page of somebody else's must not be able
//! to have it change anything.

use poem::{
    Request,
    http::{HeaderMap, header},
};

use crate::problem::{Code, Failure};

/// Refuses a request that changes something and does not come from a page of the gateway's own, as far as the browser says.
///
/// A browser says it by `Sec-Fetch-Site`, or where that is missing, as over plain http, by `Origin`. Neither can be set by a
/// page.
pub(super) fn check(request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    if request.method().is_safe() {
        return Ok(());
    }
    let is_own = match text(headers, "sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => {
            let host =
                text(headers, header::HOST.as_str()).or_else(|| Some(request.uri().authority()?.as_str()));
            text(headers, header::ORIGIN.as_str())
                .and_then(authority)
                .zip(host)
                .is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
        }
    };
    if is_own {
        return Ok(());
    }
    Err(Failure::new(
        Code::Forbidden,
        "with the session cookie only the gateway's own pages change something; a program sends an API key",
    ))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        (None, _) => None,
        // Of two nobody can tell which one counts: this one is nobody's.
        (Some(_), Some(_)) => Some(""),
    }
}

/// The host and port of an origin, as a request names them.
fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

#[cfg(test)]
mod tests;
