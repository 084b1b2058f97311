//! Who may talk to the page.
//!
//! Every program of this machine can reach a loopback port, and every web page that is open in a browser can make that browser send
//! requests to it, under any host name that it resolves to 127.0.0.1 (DNS rebinding). So a request must name this very host, must not come
//! from another origin, and must bring the secret that only the person at the terminal was given.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::header::{COOKIE, HOST, HeaderMap, ORIGIN};
use axum::http::{Method, Uri};

/// Bytes of a secret.
const SECRET: usize = 32;

/// What the door says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Come in.
    Enter,
    /// The one-time token was right: here is the cookie that replaces it.
    Exchange(String),
    /// No, and why.
    Refused(&'static str),
}

/// The door.
#[derive(Debug)]
pub struct Guard {
    port: u16,
    /// In the printed address, good for one use.
    token: String,
    spent: AtomicBool,
    /// In the cookie.
    session: String,
}

impl Guard {
    /// A door with new secrets.
    pub fn new(port: u16) -> Result<Self, getrandom::Error> {
        Ok(Self { port, token: secret()?, spent: AtomicBool::new(false), session: secret()? })
    }

    /// The address to open.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// Decides about a request.
    pub fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Admission {
        let Some(host) = self.host(uri, headers) else {
            return Admission::Refused("this page answers to 127.0.0.1 and localhost only");
        };
        if !headers
            .get_all(ORIGIN)
            .iter()
            .all(|origin| origin.as_bytes() == format!("http://{host}").as_bytes())
        {
            return Admission::Refused("requests from other origins are refused");
        }
        if self.exchanges(method, uri) {
            // Strict: no page of another site can make the browser send it. HttpOnly: no script can read it.
            let cookie =
                format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.session);
            return Admission::Exchange(cookie);
        }
        if !self.known(headers) {
            return Admission::Refused(
                "open the address that actriage printed; it works once, then only in the same browser",
            );
        }
        // Cookies are shared by all ports of a host: a page of another local server could use ours.
        let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
        match site {
            None | Some(b"same-origin" | b"none") => Admission::Enter,
            Some(_) => Admission::Refused("requests from other sites are refused"),
        }
    }

    /// The host that the request names, if it is this one. A request that names several is refused.
    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let mut named = headers.get_all(HOST).iter();
        let (host, None) = (named.next()?.to_str().ok()?.to_ascii_lowercase(), named.next()) else {
            return None;
        };
        let ours = ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{}", self.port));
        let same = uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
        (ours && same).then_some(host)
    }

    /// Whether the request brings the token, for the first time. Only a real visit counts: what asks with HEAD is no person.
    fn exchanges(&self, method: &Method, uri: &Uri) -> bool {
        let brought = uri.query().and_then(|query| query.strip_prefix("token="));
        method == Method::GET
            && uri.path() == "/"
            && brought.is_some_and(|brought| same(brought, &self.token))
            && !self.spent.swap(true, Ordering::SeqCst)
    }

    fn known(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies =
            pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        cookies.any(|(key, value)| key == name && same(value, &self.session))
    }

    /// With the port: two pages that run at once share one jar of cookies.
    fn cookie_name(&self) -> String {
        format!("actriage-{}", self.port)
    }
}

fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET];
    getrandom::fill(&mut bytes)?;
    Ok(crate::artifact::value::hex(&bytes))
}

/// Compares in a time that does not depend on where the texts differ.
fn same(brought: &str, expected: &str) -> bool {
    let difference = brought.bytes().zip(expected.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    brought.len() == expected.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn admit(guard: &Guard, uri: &str, pairs: &[(&'static str, String)]) -> Admission {
        guard.admit(&Method::GET, &uri.parse().unwrap(), &headers(pairs))
    }

    fn refused(admission: &Admission) -> bool {
        matches!(admission, Admission::Refused(_))
    }

    #[test]
    fn the_token_opens_once_and_the_cookie_after_it() {
        let guard = Guard::new(4000).unwrap();
        let host = || ("host", "127.0.0.1:4000".to_owned());
        let uri = guard.address().replace("http://127.0.0.1:4000", "");
        assert!(refused(&admit(&guard, "/", &[host()])));
        assert!(refused(&admit(&guard, "/?token=0", &[host()])));
        let Admission::Exchange(cookie) = admit(&guard, &uri, &[host()]) else { panic!("no exchange") };
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        assert!(refused(&admit(&guard, &uri, &[host()])));
        let pair = cookie.split(';').next().unwrap().to_owned();
        let jar = ("cookie", format!("other=1; {pair}"));
        assert_eq!(admit(&guard, "/", &[host(), jar.clone()]), Admission::Enter);
        assert!(refused(&admit(&guard, "/", &[host(), ("cookie", format!("{pair}0"))])));
        // The same cookie, but sent on behalf of a page of another local server.
        let site = ("sec-fetch-site", "same-site".to_owned());
        assert!(refused(&admit(&guard, "/", &[host(), jar.clone(), site])));
        let site = ("sec-fetch-site", "same-origin".to_owned());
        assert_eq!(admit(&guard, "/", &[host(), jar, site]), Admission::Enter);
    }

    #[test]
    fn only_this_host_and_this_origin() {
        let guard = Guard::new(4000).unwrap();
        let cookie = || ("cookie", format!("actriage-4000={}", guard.session));
        let with = |uri: &str, pairs: &[(&'static str, &str)]| {
            let mut all = vec![cookie()];
            all.extend(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())));
            admit(&guard, uri, &all)
        };
        assert_eq!(with("/", &[("host", "LocalHost:4000")]), Admission::Enter);
        let hosts =
            ["evil.example:4000", "127.0.0.1", "127.0.0.1:4001", "127.0.0.1.nip.io:4000", "[::1]:4000", ""];
        for host in hosts {
            assert!(refused(&with("/", &[("host", host)])), "{host}");
        }
        assert!(refused(&with("/", &[])));
        assert!(refused(&with("/", &[("host", "127.0.0.1:4000"), ("host", "127.0.0.1:4000")])));
        assert!(refused(&with("http://evil.example/", &[("host", "127.0.0.1:4000")])));
        let origin = |origin| with("/", &[("host", "127.0.0.1:4000"), ("origin", origin)]);
        assert_eq!(origin("http://127.0.0.1:4000"), Admission::Enter);
        let origins = [
            "http://evil.example",
            "null",
            "https://127.0.0.1:4000",
            "http://127.0.0.1:4001",
            "http://localhost:4000",
        ];
        for foreign in origins {
            assert!(refused(&origin(foreign)), "{foreign}");
        }
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, two) = (secret().unwrap(), secret().unwrap());
        assert!(one.len() == 64 && one != two);
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("ab", "abc") && !same("", "a"));
    }
}
