//! Owns looking at the site as a visitor who is not signed in: no token, no cookie, no invitation code.
//!
//! Redirects are followed by hand, because the transport follows none, and only on the site itself.
//! <https://learn.microsoft.com/power-pages/security/site-visibility>

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::http::{Broken, Outgoing, Transport};

/// A site that starts from cold takes half a minute.
const TIMEOUT: Duration = Duration::from_secs(40);

/// More redirects than this are a circle, or as bad as one.
const MOST_REDIRECTS: usize = 4;

/// The way to the site.
#[derive(Clone, Debug)]
pub struct Visitor {
    transport: Transport,
}

/// Where a visit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// At an answer.
    Answered {
        /// Its status.
        status: StatusCode,
        /// The address that gave it.
        at: Url,
    },
    /// At the door of another host, which was not asked.
    Elsewhere(Url),
    /// Nowhere: each page leads to another one.
    Circle,
}

/// How a visit broke, and on the way to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// How.
    pub broken: Broken,
    /// The address that was asked.
    pub at: Url,
}

impl Visitor {
    /// A visitor on this transport.
    pub const fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Opens a page and follows where it leads on the same host; no answer takes longer than `time`.
    pub async fn visit(&self, page: Url, time: Duration) -> Result<Visit, Lost> {
        let mut at = page;
        for _ in 0..MOST_REDIRECTS {
            let (status, next) = self.open(&at, time).await?;
            match next {
                Some(next) if next.origin() == at.origin() => at = next,
                Some(next) => return Ok(Visit::Elsewhere(next)),
                None => return Ok(Visit::Answered { status, at }),
            }
        }
        Ok(Visit::Circle)
    }

    /// Opens one page: its status, and where it leads.
    async fn open(&self, at: &Url, time: Duration) -> Result<(StatusCode, Option<Url>), Lost> {
        let outgoing = Outgoing {
            method: Method::GET,
            url: at.clone(),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html"))]),
            body: Bytes::new(),
        };
        let answer = self.transport.exchange(outgoing, time.min(TIMEOUT)).await;
        let reply = answer.map_err(|broken| Lost {
            broken,
            at: at.clone(),
        })?;
        let location = reply
            .headers
            .get(LOCATION)
            .filter(|_| reply.status.is_redirection());
        let next = location.and_then(|location| at.join(location.to_str().ok()?).ok());
        Ok((reply.status, next))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A site on which these pages lead on, and nobody else answers.
    fn visitor() -> Visitor {
        let carry = move |request: http::Request<Bytes>| {
            assert_eq!(request.uri().host(), Some("portal.test"));
            assert!(!request.headers().contains_key("authorization"));
            let next = match request.uri().path() {
                "/old" => Some("/new?a=b"),
                "/circle" => Some("https://portal.test/circle"),
                "/away" => Some("https://www.portal.test/new"),
                "/open" => Some("http://portal.test/new"),
                _ => None,
            };
            let mut answer = http::Response::builder();
            if let Some(next) = next {
                answer = answer.status(302).header("location", next);
            }
            let answer = answer.body(Bytes::new()).unwrap();
            Box::pin(async { Ok(answer) }) as _
        };
        Visitor::new(Transport::InProcess(Arc::new(carry)))
    }

    async fn visit(path: &str) -> Visit {
        let page = Url::parse("https://portal.test").unwrap().join(path);
        let visit = visitor().visit(page.unwrap(), TIMEOUT).await;
        visit.unwrap()
    }

    #[tokio::test]
    async fn redirects_are_followed_on_the_site_alone_and_not_for_ever() {
        let at = |url| Url::parse(url).unwrap();
        let answered = |url| Visit::Answered {
            status: StatusCode::OK,
            at: at(url),
        };
        assert_eq!(visit("/new").await, answered("https://portal.test/new"));
        assert_eq!(visit("/old").await, answered("https://portal.test/new?a=b"));
        assert_eq!(visit("/circle").await, Visit::Circle);
        let away = at("https://www.portal.test/new");
        assert_eq!(visit("/away").await, Visit::Elsewhere(away));
        let open = at("http://portal.test/new");
        assert_eq!(visit("/open").await, Visit::Elsewhere(open));
    }
}
