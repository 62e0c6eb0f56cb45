//! Owns where a caller who is answered 202 asks on: an address that this caller can reach, with what it has.
//!
//! Behind the host's proxy our own `Host` is a loopback port that means nothing to anyone. Behind a connector of Power
//! Platform the app's address is of no use either: whoever polls comes without the connection's key. The gateway says at
//! which address the connection is, and what is asked there gets the key again
//! (<https://github.com/microsoft/PowerPlatformConnectors/issues/2959>).

use axum::http::{HeaderMap, HeaderValue};
use url::Url;

use crate::domain::ids::BatchNumber;

/// Where the gateways of connectors are; nobody else's word for an address is taken.
const GATEWAYS: [&str; 2] = [".azure-apihub.net", ".azure-apim.net"];

/// Where the batch can be asked about, at the address the caller used.
pub(super) fn location(number: BatchNumber, headers: &HeaderMap) -> Option<HeaderValue> {
    let base = connection(headers).or_else(|| app(headers))?;
    HeaderValue::from_str(&format!("{base}/api/batches/{number}")).ok()
}

/// The address of the connection that the request came through.
fn connection(headers: &HeaderMap) -> Option<String> {
    let prefix = headers.get("x-ms-apim-referrer-prefix")?.to_str().ok()?;
    let url: Url = prefix.parse().ok()?;
    let of_gateway = |host: &str| GATEWAYS.iter().any(|gateway| host.ends_with(gateway));
    let known = url.scheme() == "https" && url.host_str().is_some_and(of_gateway);
    known.then(|| prefix.trim_end_matches('/').to_owned())
}

/// The address of the app.
fn app(headers: &HeaderMap) -> Option<String> {
    let first = |name: &str| Some(headers.get(name)?.to_str().ok()?.split(',').next()?.trim());
    let host = first("x-forwarded-host").or_else(|| first("host"))?;
    let scheme = first("x-forwarded-proto").unwrap_or("http");
    let scheme = if scheme.eq_ignore_ascii_case("https") {
        "https"
    } else {
        "http"
    };
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(pairs: &[(&'static str, &'static str)]) -> String {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let number = BatchNumber::try_from(1_234_567_890).unwrap();
        let location = location(number, &headers.collect()).unwrap();
        location.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_location_is_what_the_caller_can_reach() {
        let proxied = located(&[
            ("host", "127.0.0.1:40123"),
            ("x-forwarded-host", "invite.azurewebsites.net"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(
            proxied,
            "https://invite.azurewebsites.net/api/batches/1234567890"
        );
        let forwarded = located(&[("host", "localhost:7071")]);
        assert_eq!(forwarded, "http://localhost:7071/api/batches/1234567890");
    }

    #[test]
    fn who_comes_through_a_connector_asks_through_it_again() {
        let through = |prefix| {
            located(&[
                ("host", "invite.azurewebsites.net"),
                ("x-ms-apim-referrer-prefix", prefix),
            ])
        };
        let gateway = "https://europe-002.azure-apihub.net/apim/portalinvitations/c0ffee";
        assert_eq!(
            through(gateway),
            format!("{gateway}/api/batches/1234567890")
        );
        for stranger in [
            "https://azure-apihub.net.evil.example/apim/x",
            "https://evil.example/.azure-apihub.net",
            "http://europe-002.azure-apihub.net/apim/x",
            "europe-002.azure-apihub.net",
        ] {
            assert_eq!(
                through(stranger),
                "http://invite.azurewebsites.net/api/batches/1234567890",
                "{stranger}"
            );
        }
    }
}
