//! The pass over one text: at every word the recognisers are asked in turn; each looks a bounded way ahead.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::kind::{Kind, folded, is_pseudonym};
use super::names::{Names, fold, is_id, is_name};
use super::{Redactor, keep};

/// One text on its way.
pub(super) struct Scan<'r> {
    redactor: &'r Redactor,
    names: &'r Names,
    text: &'r str,
    /// Up to here it is known that no mail address begins: the run of its characters was looked through.
    no_mail_before: usize,
    /// Where the last replacement ended: what follows begins anew there, also without a gap (`S-1-5-21-…-1001ben@contoso.com`).
    hit_end: usize,
    /// Names that were recognised by their place, for learning.
    learned: Vec<(Kind, String)>,
}

/// A replacement: the end of what it replaces.
type Hit = (usize, String);

impl<'r> Scan<'r> {
    pub fn new(redactor: &'r Redactor, names: &'r Names, text: &'r str) -> Self {
        Self { redactor, names, text, no_mail_before: 0, hit_end: 0, learned: Vec::new() }
    }

    /// The redacted text.
    pub fn run(mut self) -> String {
        self.replaced()
    }

    /// The names that stand where a name must stand (profile paths, mail domains, ids behind their label).
    pub fn learned(mut self) -> Vec<(Kind, String)> {
        self.replaced();
        self.learned
    }

    fn replaced(&mut self) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        while let Some(rest) = self.text.get(at..) {
            let gap = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
            out.push_str(rest.get(..gap).unwrap_or_default());
            at += gap;
            let Some(rest) = self.text.get(at..).filter(|rest| !rest.is_empty()) else { break };
            if let Some((end, shown)) = self.recognise(at).filter(|(end, _)| *end > at) {
                out.push_str(&shown);
                at = end;
                self.hit_end = end;
                continue;
            }
            let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            out.push_str(rest.get(..word).unwrap_or_default());
            at += word;
        }
        out
    }

    fn recognise(&mut self, at: usize) -> Option<Hit> {
        let inside = self.before(at).chars().next_back().is_some_and(char::is_alphanumeric);
        if inside && at != self.hit_end {
            return None;
        }
        self.sid(at)
            .or_else(|| self.mail(at))
            .or_else(|| self.named(at))
            .or_else(|| self.id(at))
            .or_else(|| self.host(at))
            .or_else(|| self.v4(at))
            .or_else(|| self.hardware(at))
            .or_else(|| self.v6(at))
            .or_else(|| self.profile(at))
            .or_else(|| self.account(at))
            .or_else(|| super::scan_hex::at(self.redactor, self.text, at))
    }

    fn rest(&self, at: usize) -> &'r str {
        self.text.get(at..).unwrap_or_default()
    }

    fn before(&self, at: usize) -> &'r str {
        self.text.get(..at).unwrap_or_default()
    }

    /// Bytes from `at` whose characters pass, at most `most`.
    fn run_of(&self, at: usize, most: usize, test: impl Fn(char) -> bool) -> usize {
        let rest = self.rest(at);
        rest.char_indices().find(|(end, c)| !test(*c) || *end >= most).map_or(rest.len(), |(end, _)| end)
    }

    /// `S-1-5-21-…` and `S-1-12-1-…`: the issuer is replaced, the RID stays.
    fn sid(&self, at: usize) -> Option<Hit> {
        let rest = self.rest(at);
        let head = rest.get(..9).unwrap_or(rest).to_ascii_uppercase();
        let prefix = ["S-1-5-21-", "S-1-12-1-"].into_iter().find(|prefix| head == *prefix)?;
        if let Some(end) = self.own_sid(at + prefix.len()) {
            return Some((end, self.text.get(at..end)?.to_owned()));
        }
        let length = self.run_of(at + prefix.len(), 160, |c| c.is_ascii_digit() || c == '-');
        let numbers = self.text.get(at + prefix.len()..at + prefix.len() + length)?.trim_end_matches('-');
        if !numbers.starts_with(|c: char| c.is_ascii_digit()) || numbers.starts_with("0-0-0-") {
            return None;
        }
        let end = at + prefix.len() + numbers.len();
        let domain_only = numbers.split('-').count() <= 3 || prefix == "S-1-12-1-";
        let (issuer, rid) = if domain_only { (numbers, None) } else { split_last(numbers) };
        let shown = self.redactor.pseudonym(Kind::Authority, &format!("{prefix}{issuer}"));
        let rid = rid.map(|rid| format!("-{rid}")).unwrap_or_default();
        Some((end, format!("{prefix}{shown}{rid}")))
    }

    /// The end of `REDACTED-1` and the RID behind it: what stands in place of an issuer already.
    fn own_sid(&self, at: usize) -> Option<usize> {
        let number = |from: usize| match self.run_of(from, 10, |c| c.is_ascii_digit()) {
            0 => None,
            length => Some(from + length),
        };
        let end = number(at + self.rest(at).strip_prefix("REDACTED-").map(|_| "REDACTED-".len())?)?;
        Some(self.rest(end).strip_prefix('-').and_then(|_| number(end + 1)).unwrap_or(end))
    }

    /// `ben@contoso.com`, also with the sign escaped as in addresses.
    fn mail(&mut self, at: usize) -> Option<Hit> {
        if at < self.no_mail_before {
            return None;
        }
        let local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'' | '#');
        let length = self.run_of(at, 128, local);
        let sign = ["@", "%40"].into_iter().find(|sign| self.rest(at + length).starts_with(sign));
        let Some(sign) = sign else {
            self.no_mail_before = at + length;
            return None;
        };
        let from = at + length + sign.len();
        let domain =
            self.rest(from).get(..self.run_of(from, 255, is_host_char))?.trim_end_matches(['.', '-', '_']);
        let last = domain.rsplit_once('.')?.1;
        const FILES: [&str; 8] = ["dll", "exe", "sys", "inf", "cpl", "mui", "ocx", "drv"];
        let starts = domain.starts_with(char::is_alphanumeric);
        if !starts
            || last.len() < 2
            || !last.chars().all(char::is_alphabetic)
            || FILES.contains(&fold(last).as_str())
        {
            return None;
        }
        let (user, end) = (self.rest(at).get(..length)?, from + domain.len());
        if is_pseudonym(user) && is_pseudonym(domain) {
            return Some((end, self.text.get(at..end)?.to_owned()));
        }
        let user = self.redactor.pseudonym(Kind::User, user).to_lowercase().replace('-', "");
        if !keep::is_public_host(domain) {
            self.learned.push((Kind::DnsDomain, domain.to_owned()));
        }
        let domain = self.redactor.pseudonym(Kind::DnsDomain, domain);
        Some((end, format!("{user}{sign}{domain}")))
    }

    /// A learned name; behind a domain or a computer also the account.
    fn named(&mut self, at: usize) -> Option<Hit> {
        let (end, kind) = self.names.at(self.text, at, false)?;
        let name = self.text.get(at..end)?;
        let shown = self.redactor.pseudonym(kind, &canonical(kind, name));
        let domain = matches!(kind, Kind::Domain | Kind::Computer | Kind::DnsDomain);
        if domain
            && !self.before(at).ends_with('\\')
            && let Some((to, user)) = self.account_behind(end)
        {
            return Some((to, format!("{shown}{user}")));
        }
        Some((end, shown))
    }

    /// `\user` behind a domain.
    fn account_behind(&mut self, at: usize) -> Option<Hit> {
        let slashes = self.run_of(at, 2, |c| c == '\\');
        if slashes == 0 {
            return None;
        }
        let from = at + slashes;
        let end = match self.names.at(self.text, from, true) {
            Some((end, _)) => end,
            None => from + self.run_of(from, 64, |c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-')),
        };
        let name = self.text.get(from..end)?.trim_end_matches('.');
        let end = from + name.len();
        if !is_name(name)
            || (is_pseudonym(name) && !self.names.knows(name))
            || self.rest(end).starts_with(['\\', '@'])
        {
            return None;
        }
        self.learned.push((Kind::User, name.to_owned()));
        let shown = self.redactor.pseudonym(Kind::User, name);
        Some((end, format!("{}{shown}", self.text.get(at..from)?)))
    }

    /// `AzureAD\BenMiller`: accounts of authorities that every machine has.
    fn account(&mut self, at: usize) -> Option<Hit> {
        let end = at + self.run_of(at, 32, char::is_alphanumeric);
        let authority = fold(self.text.get(at..end)?);
        if !matches!(authority.as_str(), "azuread" | "microsoftaccount" | "workgroup")
            || self.before(at).ends_with('\\')
        {
            return None;
        }
        let (to, user) = self.account_behind(end)?;
        Some((to, format!("{}{user}", self.text.get(at..end)?)))
    }

    /// An id that its label or address calls personal: `TenantId : …`, `login.microsoftonline.com/…/`.
    fn id(&mut self, at: usize) -> Option<Hit> {
        let id = self.rest(at).get(..36).filter(|id| is_id(id))?;
        if self.rest(at + 36).starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        const LABELS: [(Kind, &[&str]); 2] = [
            (
                Kind::Tenant,
                &["tenantid", "tenant", "loginmicrosoftonlinecom", "stswindowsnet", "loginwindowsnet", "tid"],
            ),
            (Kind::Device, &["deviceid", "objectid", "oid", "userid", "machineguid", "machineid", "cmid"]),
        ];
        let before = self.before(at);
        let start = before.char_indices().rev().take(48).last().map_or(0, |(start, _)| start);
        let label = folded(before.get(start..)?);
        let (kind, _) = LABELS.into_iter().find(|(_, ends)| ends.iter().any(|end| label.ends_with(end)))?;
        self.learned.push((kind, id.to_owned()));
        Some((at + 36, self.redactor.pseudonym(kind, id)))
    }

    /// A host below a domain of the machine, or below a suffix that only private networks have.
    fn host(&mut self, at: usize) -> Option<Hit> {
        const PRIVATE: &[&str] = &[
            ".local",
            ".lan",
            ".internal",
            ".corp",
            ".intra",
            ".intranet",
            ".home",
            ".localdomain",
            ".private",
            ".onmicrosoft.com",
            ".sharepoint.com",
        ];
        if self.before(at).ends_with(['.', '_']) {
            return None;
        }
        let host = self.rest(at).get(..self.run_of(at, 255, is_host_char))?.trim_end_matches(['.', '-', '_']);
        let (label, rest) = host.split_once('.')?;
        let end = at + host.len();
        let lower = fold(host);
        let suffix = PRIVATE.iter().find(|suffix| lower.ends_with(*suffix));
        if !self.names.knows_domain(rest) {
            let suffix = suffix?;
            let own = host.get(..host.len() - suffix.len()).filter(|_| lower.len() == host.len())?;
            let labels = own.split('.').count();
            if labels == 1 {
                self.learned.push((Kind::DnsDomain, host.to_owned()));
                return Some((end, self.redactor.pseudonym(Kind::DnsDomain, host)));
            }
            self.learned.push((Kind::DnsDomain, rest.to_owned()));
        }
        let domain = self.redactor.pseudonym(Kind::DnsDomain, rest);
        if keep::is_a_word(&fold(label)) || is_pseudonym(label) {
            return Some((end, format!("{label}.{domain}")));
        }
        Some((end, format!("{}.{domain}", self.redactor.pseudonym(Kind::Computer, label))))
    }

    /// An IPv4 address; four numbers behind "version" are none, nor is a part of a longer chain of numbers.
    fn v4(&self, at: usize) -> Option<Hit> {
        if !self.rest(at).starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let dotted = self
            .rest(at)
            .get(..self.run_of(at, 16, |c| c.is_ascii_digit() || c == '.'))?
            .trim_end_matches('.');
        let end = at + dotted.len();
        let mut behind = self.rest(end).chars();
        let goes_on = match behind.next() {
            Some('.') => behind.next().is_some_and(|c| c.is_ascii_digit()),
            Some(c) => c.is_alphanumeric(),
            None => false,
        };
        let chain = self
            .before(at)
            .strip_suffix('.')
            .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
        let address: Ipv4Addr = dotted.parse().ok()?;
        if goes_on || chain || keep::keeps_v4(address) || self.is_version(at, end, address) {
            return None;
        }
        let kind = if address.is_link_local() { Kind::LinkLocal } else { Kind::Address };
        Some((end, self.redactor.pseudonym(kind, dotted)))
    }

    fn is_version(&self, at: usize, end: usize, address: Ipv4Addr) -> bool {
        let before = self.before(at);
        let start = before.char_indices().rev().take(24).last().map_or(0, |(start, _)| start);
        let near = fold(before.get(start..).unwrap_or_default());
        let [first, .., last] = address.octets();
        near.ends_with('_')
            || self.rest(end).starts_with('_')
            || ["version", "firmware", "driver", "revision"].iter().any(|word| near.contains(word))
            || (first < 10 && last == 0)
    }

    /// An IPv6 address; its zone stays.
    fn v6(&self, at: usize) -> Option<Hit> {
        let chars = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        let run = self.rest(at).get(..self.run_of(at, 46, chars))?;
        if run.bytes().filter(|byte| *byte == b':').count() < 2 || self.before(at).ends_with(':') {
            return None;
        }
        let parsed = |text: &str| text.parse::<Ipv6Addr>().ok().map(|address| (text.len(), address));
        let (length, address) = parsed(run).or_else(|| parsed(run.trim_end_matches(['.', ':'])))?;
        let end = at + length;
        let digits = run.bytes().any(|byte| byte.is_ascii_digit());
        if keep::keeps_v6(address) || !digits || self.rest(end).starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let local = address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80);
        let kind = if local { Kind::LinkLocal } else { Kind::Address };
        Some((end, self.redactor.pseudonym(kind, &address.to_string())))
    }

    /// A hardware address in pairs; longer chains of pairs (DHCP client ids) hold one.
    fn hardware(&self, at: usize) -> Option<Hit> {
        let rest = self.rest(at);
        let mark = rest.as_bytes().get(2).copied().filter(|mark| matches!(mark, b'-' | b':'))?;
        let run = self.run_of(at, 192, |c| c.is_ascii_hexdigit() || u32::from(c) == u32::from(mark));
        let chain = rest.get(..run)?.trim_end_matches(char::from(mark));
        let mut pairs = chain.split(char::from(mark));
        let good = chain.len() >= 17 && pairs.all(|pair| pair.len() == 2);
        let end = at + chain.len();
        if !good || self.rest(end).starts_with(|c: char| c.is_alphanumeric()) {
            return None;
        }
        let digits = folded(chain);
        let group = ["000000000000", "ffffffffffff", "01005e", "3333"];
        if digits.len() == 12 && group.iter().any(|head| digits.starts_with(head)) {
            return None;
        }
        Some((end, self.redactor.pseudonym(Kind::Mac, &digits)))
    }

    /// The folder of a profile: `\Users\ben`.
    fn profile(&mut self, at: usize) -> Option<Hit> {
        let head = fold(self.rest(at).get(..22).unwrap_or(self.rest(at)));
        let folder =
            ["users", "documents and settings"].into_iter().find(|folder| head.starts_with(folder))?;
        let placed = self
            .before(at)
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-'));
        let slashes = self.run_of(at + folder.len(), 2, |c| matches!(c, '\\' | '/'));
        if slashes == 0 || !placed {
            return None;
        }
        let from = at + folder.len() + slashes;
        let end =
            self.names.at(self.text, from, true).map(|(end, _)| end).or_else(|| self.folder_end(from))?;
        let name = self.text.get(from..end)?;
        if !is_name(name) || (is_pseudonym(name) && !self.names.knows(name)) {
            return None;
        }
        self.learned.push((Kind::User, name.to_owned()));
        Some((end, format!("{}{}", self.text.get(at..from)?, self.redactor.pseudonym(Kind::User, name))))
    }

    /// A folder's name goes to the next separator; without one, in a sentence, to the next blank.
    fn folder_end(&self, from: usize) -> Option<usize> {
        let stop = |c: char| {
            c.is_control()
                || matches!(
                    c,
                    '\\' | '/' | '"' | '\'' | '<' | '>' | '|' | '*' | '?' | ':' | ';' | ',' | ')' | '!'
                )
        };
        let length = self.run_of(from, 65, |c| !stop(c));
        let name = self.rest(from).get(..length)?;
        let closed = self.rest(from + length).starts_with(['\\', '/', '"']) && length <= 64;
        let cut = if closed { name } else { name.split_whitespace().next()?.trim_end_matches('.') };
        (!cut.is_empty() && name.starts_with(cut)).then(|| from + cut.len())
    }
}

fn is_host_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn split_last(numbers: &str) -> (&str, Option<&str>) {
    numbers.rsplit_once('-').map_or((numbers, None), |(issuer, rid)| (issuer, Some(rid)))
}

/// One number for all spellings of one thing.
fn canonical(kind: Kind, name: &str) -> String {
    if kind == Kind::Mac { folded(name) } else { name.to_owned() }
}
