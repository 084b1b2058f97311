//! Secrets: what would let a reader of a report sign in as somebody. They are masked in every output, asked for or not.
//!
//! One pass over the words of a text; every look ahead or back from a word is bounded.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A kind of secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A JSON web token or a bearer token.
    Token,
    /// A product key of five groups.
    ProductKey,
    /// A password.
    Password,
    /// User and password of a proxy or of an address.
    Credentials,
    /// A private key.
    PrivateKey,
}

impl Secret {
    /// What the reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ProductKey => "product key",
            Self::Password => "password",
            Self::Credentials => "credentials",
            Self::PrivateKey => "private key",
        }
    }

    /// What stands in its place.
    pub fn mask(self) -> &'static str {
        match self {
            Self::Token => "[token masked]",
            Self::ProductKey => "[product key masked]",
            Self::Password => "[password masked]",
            Self::Credentials => "[credentials masked]",
            Self::PrivateKey => "[private key masked]",
        }
    }
}

/// Words before `=` or `:` whose value is a secret.
const PASSWORD_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pwd",
    "pass",
    "passphrase",
    "kennwort",
    "motdepasse",
    "contraseña",
    "defaultpassword",
    "altdefaultpassword",
    "proxypassword",
    "keymaterial",
    "presharedkey",
    "sharedkey",
    "psk",
    "client_secret",
    "clientsecret",
    "schlüsselinhalt",
    "securestring",
    "userpassword",
    "networkpassword",
    "adminpassword",
];

const TOKEN_WORDS: &[&str] = &[
    "access_token",
    "accesstoken",
    "refresh_token",
    "refreshtoken",
    "id_token",
    "idtoken",
    "prttoken",
    "client_assertion",
    "sessionkey",
    "session_key",
];

/// Fields of which the whole value is a secret, in lower case without blanks.
pub fn of_field(name: &str) -> Option<Secret> {
    static FOLDED: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| {
        [PASSWORD_WORDS, TOKEN_WORDS]
            .map(|words| words.iter().map(|word| super::kind::folded(word)).collect())
    });
    let [passwords, tokens] = &*FOLDED;
    let name = super::kind::folded(name);
    if matches!(name.as_str(), "digitalproductid" | "digitalproductid4" | "productkey") {
        Some(Secret::ProductKey)
    } else if name == "keycontent" || passwords.contains(&name) {
        Some(Secret::Password)
    } else {
        tokens.contains(&name).then_some(Secret::Token)
    }
}

/// Values that stand after such words and are none.
const NO_SECRET: &[&str] = &[
    "yes", "no", "ja", "nein", "true", "false", "null", "none", "never", "required", "not", "expires", "0",
    "1", "*", "set", "present", "absent", "unknown", "ok", "n/a", "is", "and", "or", "the",
];

/// The text with every secret masked; `found` gets the kinds that were there.
pub fn mask(text: &str, found: &mut BTreeSet<Secret>) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    let mut previous: Option<char> = None;
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else { break };
        let starts_word = is_word(first) && !previous.is_some_and(is_word);
        let hit = if starts_word {
            word_secret(text, at)
        } else if rest.starts_with("://") {
            in_address(rest, at)
        } else if rest.starts_with("-----BEGIN") {
            private_key(rest, at)
        } else {
            None
        };
        if let Some((from, to, secret)) = hit
            && to > from
        {
            masked.push_str(text.get(at..from).unwrap_or_default());
            masked.push_str(secret.mask());
            found.insert(secret);
            at = to;
            previous = Some(']');
            continue;
        }
        // A word is passed as a whole, anything else by one character.
        let step = if starts_word { run(rest, is_word).max(1) } else { first.len_utf8() };
        let passed = rest.get(..step).unwrap_or(rest);
        masked.push_str(passed);
        previous = passed.chars().next_back();
        at += passed.len();
    }
    masked
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bytes at the start of a text whose characters pass a test, at most 64 KiB.
fn run(text: &str, test: impl Fn(char) -> bool) -> usize {
    const MOST: usize = 64 << 10;
    text.char_indices().find(|(at, c)| !test(*c) || *at >= MOST).map_or(text.len(), |(at, _)| at)
}

/// Start and end of a secret that begins at or right behind the word at `at`.
fn word_secret(text: &str, at: usize) -> Option<(usize, usize, Secret)> {
    let rest = text.get(at..)?;
    let word_len = run(rest, is_word);
    let word = rest.get(..word_len)?;
    if word.starts_with("eyJ") {
        let token =
            run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '='));
        let dotted = rest.get(..token).is_some_and(|token| token.contains('.'));
        return (token >= 40 || (dotted && token >= 20)).then_some((at, at + token, Secret::Token));
    }
    if word_len == 5
        && let Some(length) = product_key(text, at)
    {
        return Some((at, at + length, Secret::ProductKey));
    }
    if let Some(end) = bare_credentials(rest) {
        return Some((at, at + end, Secret::Credentials));
    }
    if word_len > 24 {
        return None;
    }
    if !may_announce(word) {
        return None;
    }
    let lower = word.to_lowercase();
    let after = rest.get(word_len..)?;
    if matches!(lower.as_str(), "bearer" | "basic") {
        return scheme_token(text, at, &lower, after)
            .map(|(from, to)| (at + word_len + from, at + word_len + to, Secret::Token));
    }
    let secret = if PASSWORD_WORDS.contains(&lower.as_str()) {
        Secret::Password
    } else if TOKEN_WORDS.contains(&lower.as_str()) {
        Secret::Token
    } else if lower == "key" && after.trim_start().to_lowercase().starts_with("content") {
        // `netsh wlan show profile key=clear`
        let skip = after.len() - after.trim_start().len() + "content".len();
        let (from, to) = assigned(after.get(skip..)?, false)?;
        let base = at + word_len + skip;
        return Some((base + from, base + to, Secret::Password));
    } else {
        return None;
    };
    let dashed = text.get(..at).is_some_and(|before| before.ends_with(['-', '/']));
    // "let requests pass: it was repaired" is a sentence; a test that says "PASS : …" is no password either.
    if lower == "pass" && !dashed && after.trim_start().starts_with(": ") {
        return None;
    }
    let (from, to) = assigned(after, dashed)?;
    Some((at + word_len + from, at + word_len + to, secret))
}

/// Whether a word may be one that a secret follows, told without writing it anew: nearly no word of a text is.
fn may_announce(word: &str) -> bool {
    let is = |listed: &&str| listed.eq_ignore_ascii_case(word);
    !word.is_ascii()
        || ["bearer", "basic", "key"].iter().any(is)
        || PASSWORD_WORDS.iter().chain(TOKEN_WORDS).any(is)
}

/// Five groups of five, and nothing that goes on behind or before.
fn product_key(text: &str, at: usize) -> Option<usize> {
    let key = text.get(at..at + 29)?;
    let groups =
        key.split('-').filter(|group| group.len() == 5 && group.bytes().all(|b| b.is_ascii_alphanumeric()));
    let whole = groups.count() == 5 && key.bytes().filter(|byte| *byte == b'-').count() == 4;
    let goes_on = |c: char| is_word(c) || c == '-';
    let ends = !text.get(at + 29..).and_then(|rest| rest.chars().next()).is_some_and(goes_on);
    let starts = !text.get(..at).is_some_and(|before| before.ends_with('-'));
    (whole && starts && ends).then_some(29)
}

/// `Bearer TOKEN`, `Authorization: Basic TOKEN`: where the token stands behind the word.
fn scheme_token(text: &str, at: usize, scheme: &str, after: &str) -> Option<(usize, usize)> {
    let blank = run(after, |c| c == ' ' || c == '\t');
    let rest = after.get(blank..)?;
    let length =
        run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '+' | '/' | '-' | '='));
    let token = rest.get(..length)?;
    let header = text.get(..at).is_some_and(|before| {
        let tail: String = before.chars().rev().take(24).collect();
        tail.to_lowercase().contains("noitazirohtua")
    });
    let odd = token.bytes().any(|byte| byte.is_ascii_digit()) && !token.trim_end_matches('=').contains('=');
    let enough = if scheme == "basic" { header && length >= 4 } else { odd && length >= 16 };
    (blank > 0 && enough).then_some((blank, blank + length))
}

/// The value behind `=`, `:` or `>`; for a switch also behind a blank. Start and end, without quotes.
fn assigned(after: &str, switch: bool) -> Option<(usize, usize)> {
    let quote = after.len() - after.trim_start_matches(['"', '\'', '\\']).len();
    let rest = after.get(quote..)?;
    let blanks = run(rest, |c| c == ' ' || c == '\t' || c == '.');
    let mark = rest.get(blanks..)?;
    let from = match mark.chars().next()? {
        '=' | ':' | '>' => quote + blanks + 1,
        _ if switch && blanks > 0 && quote == 0 => blanks,
        _ => return None,
    };
    let value = after.get(from..)?;
    let lead = run(value, |c| c == ' ' || c == '\t');
    let value = value.get(lead..)?;
    let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let open = value.len() - value.trim_start_matches('\\').trim_start_matches(['"', '\'']).len();
    let body = value.get(open..)?;
    let length = match quoted {
        Some(quote) => run(body, |c| c != quote && c != '\n'),
        None => run(body, |c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '<' | '&' | ';')),
    };
    let found = body.get(..length)?;
    let plain = found.trim_end_matches([',', '.', ')']).to_lowercase();
    let none = plain.is_empty()
        || NO_SECRET.contains(&plain.as_str())
        || plain.starts_with("[password")
        || plain.starts_with("[token")
        || plain.starts_with(['(', '$', '%', '-', '{', '[']) && quoted.is_none() && plain.len() < 3
        || (switch && plain.starts_with(['-', '/', '$', '(']));
    let start = from + lead + open;
    (!none).then_some((start, start + length))
}

/// `://user:password@host`: what stands between.
fn in_address(rest: &str, at: usize) -> Option<(usize, usize, Secret)> {
    let body = rest.get(3..)?;
    let authority: usize = body
        .char_indices()
        .take(512)
        .find(|(_, c)| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>' | '\\' | ';' | '?'))
        .map_or(body.len().min(512), |(end, _)| end);
    let authority = body.get(..authority)?;
    let (user, _) = authority.rsplit_once('@')?;
    let both = user.split_once(':').is_some_and(|(_, password)| !password.is_empty());
    both.then_some((at + 3, at + 3 + user.len(), Secret::Credentials))
}

/// `user:password@host:8080` without a scheme, at the start of a word.
fn bare_credentials(rest: &str) -> Option<usize> {
    let head = rest.get(..256).unwrap_or(rest);
    let stop = |c: char| {
        c.is_whitespace() || matches!(c, '/' | '\\' | '"' | '\'' | '<' | '>' | ';' | ',' | '=' | '(' | ')')
    };
    let end = head.find(stop).unwrap_or(head.len());
    let segment = head.get(..end)?;
    let (secret, host) = segment.rsplit_once('@')?;
    let (user, password) = secret.split_once(':')?;
    let (host, port) = host.rsplit_once(':')?;
    let port = port.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !host.is_empty() && !user.is_empty() && !password.is_empty()).then_some(secret.len())
}

/// A PEM block of a private key, to its end or to the end of the text.
fn private_key(rest: &str, at: usize) -> Option<(usize, usize, Secret)> {
    let head = rest.get(..64).unwrap_or(rest);
    if !head.contains("PRIVATE KEY-----") {
        return None;
    }
    let end = rest.find("-----END").map_or(rest.len(), |end| {
        let tail = rest.get(end + 8..).unwrap_or_default();
        end + 8 + tail.find("-----").map_or(tail.len(), |close| close + 5)
    });
    Some((at, at + end, Secret::PrivateKey))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask(text, &mut BTreeSet::new())
    }

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        for (text, clean) in [
            (format!("x {jwt} y"), "x [token masked] y"),
            (format!("Authorization: Bearer {jwt}"), "Authorization: Bearer [token masked]"),
            ("Bearer abcdef0123456789ABCDEF".to_owned(), "Bearer [token masked]"),
            ("key NPPR9-FWDCX-D2C8J-H872K-2YT43.".to_owned(), "key [product key masked]."),
            ("http://ben:s3cr@t@proxy:8080/".to_owned(), "http://[credentials masked]@proxy:8080/"),
            ("http=ben:s3cret@proxy:8080".to_owned(), "http=[credentials masked]@proxy:8080"),
            ("setup /password:Geheim1 /q".to_owned(), "setup /password:[password masked] /q"),
            ("run -Password 'a b' -x".to_owned(), "run -Password '[password masked]' -x"),
            (r#"{"password": "x y"}"#.to_owned(), r#"{"password": "[password masked]"}"#),
            (
                "    Key Content            : hunter2".to_owned(),
                "    Key Content            : [password masked]",
            ),
            ("<keyMaterial>hunter2</keyMaterial>".to_owned(), "<keyMaterial>[password masked]</keyMaterial>"),
        ] {
            assert_eq!(masked(&text), clean);
            assert_eq!(masked(clean), clean, "masking twice");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for text in [
            "Password required: yes",
            "the password expires never",
            "later let requests pass: it was, and is now repaired",
            "AD Connectivity Test : PASS : none",
            "00330-80000-00000-AA123",
            "{12345678-1234-1234-1234-123456789012}",
            "http://proxy:8080/x@y",
            "UPN:ben@contoso.com",
            "Bearer authorization_uri=x",
            "Last 5 characters of installed product key: 2YT43",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
