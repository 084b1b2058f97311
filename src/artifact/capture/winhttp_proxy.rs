//! `netsh winhttp show proxy`: the proxy that services use.
//!
//! The wording is localized, the form is not: a heading with `WinHTTP` that ends in a colon, and below it either one sentence
//! (direct access) or two `label: value` lines (proxy and bypass list). So the form is read first; known sentences confirm it
//! (text_formats.md 4.2). What fits neither form is unknown, never "no proxy".

use serde::Serialize;

use super::shape::cell::without_credentials;
use super::shape::{self, Languages, labelled, same_label};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// What is set.
    #[serde(flatten)]
    pub state: State,
    /// Line of the sentence or of the proxy.
    pub line: u32,
}

/// The machine's WinHTTP proxy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// No proxy.
    Direct {
        /// The sentence is a known one; otherwise only its form says so.
        confirmed: bool,
    },
    /// A named proxy.
    Proxy {
        /// `host:port`, or one per protocol (`http=host:port;https=…`); credentials are masked.
        proxy: String,
        /// Hosts that go direct, `;` between them; `None` when the list is empty.
        bypass: Option<String>,
        /// Line of the bypass list.
        bypass_line: Option<u32>,
    },
}

/// The sentence for direct access, and whether a capture confirms its wording (text_formats.md 4.2); the others are known from
/// tests and simulators only, of which half contradict each other.
const DIRECT: &[(&str, bool, &str)] = &[
    ("en", true, "Direct access (no proxy server)"),
    ("fr", true, "Accès direct (sans serveur proxy)"),
    ("ja", true, "直接アクセス (プロキシ サーバーなし)"),
    ("zh-CN", true, "直接访问(没有代理服务器)"),
    ("es", true, "Acceso directo (sin servidor proxy)"),
    ("ru", true, "Прямой доступ (без прокси-сервера)"),
    ("ko", true, "직접 액세스(프록시 서버 없음)"),
    ("de", false, "Direkter Zugriff (kein Proxyserver)"),
    ("pt-BR", false, "Acesso direto (sem servidor proxy)"),
    ("tr", false, "Doğrudan erişim (proxy sunucusu yok)"),
];

/// Headings and labels, for the language only.
const LABELS: &[(&str, &str)] = &[
    ("en", "Current WinHTTP proxy settings"),
    ("en", "Proxy Server(s)"),
    ("en", "Bypass List"),
    ("fr", "Paramètres de proxy WinHTTP actuels"),
    ("fr", "Serveur(s) proxy"),
    ("fr", "Liste de contournement"),
    ("ja", "現在の WinHTTP プロキシ設定"),
    ("ja", "プロキシ サーバー"),
    ("ja", "バイパス一覧"),
    ("zh-CN", "当前的 WinHTTP 代理服务器设置"),
    ("zh-CN", "代理服务器"),
    ("zh-CN", "绕过列表"),
    ("de", "Aktuelle WinHTTP-Proxyeinstellungen"),
    ("de", "Umgehungsliste"),
    ("pt-BR", "Configurações de proxy WinHTTP atuais"),
    ("tr", "Geçerli WinHTTP proxy ayarları"),
];

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::WinhttpProxy, recognise, starts: |line| heading(line).is_some(), read };

/// What stands behind the colon of a heading (mostly nothing), and the heading itself.
fn heading(line: &str) -> Option<(&str, &str)> {
    if line.len() > 300 || line.starts_with(['{', '|', '+']) {
        return None;
    }
    let found = labelled(line)?;
    let named = found.label.to_ascii_lowercase().contains("winhttp") && !found.label.contains('_');
    let value = found.value.trim_matches(['"', '`']);
    (named && (value.is_empty() || known_direct(value).is_some())).then_some((found.label, value))
}

/// The language of a known sentence, and whether its wording is confirmed. Its letters may be lost or folded to ASCII, its full
/// stop may be missing.
fn known_direct(line: &str) -> Option<(&'static str, bool)> {
    let line = line.trim().trim_end_matches(['.', '。', ' ']);
    if !line.ends_with(')') {
        return None;
    }
    DIRECT
        .iter()
        .find(|(.., known)| same_label(line, known) || same_label(line, &folded(known)))
        .map(|(language, confirmed, _)| (*language, *confirmed))
}

/// The language of a confirmed sentence, which may stand without its heading.
fn confirmed_direct(line: &str) -> Option<&'static str> {
    known_direct(line).filter(|(_, confirmed)| *confirmed).map(|(language, _)| language)
}

/// Turkish letters as an ASCII-only export writes them.
fn folded(known: &str) -> String {
    known
        .chars()
        .map(|c| match c {
            'ğ' => 'g',
            'ş' => 's',
            'ı' => 'i',
            'ç' => 'c',
            c => c,
        })
        .collect()
}

/// Parts of a line that a post may have put in quotes or back-ticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split(['"', '`', '“', '”'])
}

fn recognise(block: &Block<'_>) -> u8 {
    let mut score = 0;
    let mut below = None;
    for (number, line) in block.lines() {
        if heading(line).is_some() {
            below = Some(number);
            score = score.max(85);
        } else if below.is_some() && line.trim_start().starts_with('{') {
            // The heading of `show advproxy`.
            return 0;
        } else if score == 0 && line.len() < 400 && quoted(line).any(|part| confirmed_direct(part).is_some())
        {
            score = 70;
        }
    }
    score
}

fn read(block: &Block<'_>) -> Reading {
    // The last block of several is the state: `set`, `reset` and `import` print the same as `show`.
    let last = block.lines().rev().find(|(_, line)| heading(line).is_some());
    match last {
        Some((number, line)) => below_heading(block, number, line),
        None => bare_sentence(block),
    }
}

fn bare_sentence(block: &Block<'_>) -> Reading {
    let sentences: Vec<_> = block
        .lines()
        .filter_map(|(number, line)| {
            quoted(line).find_map(confirmed_direct).map(|language| (number, language))
        })
        .collect();
    match sentences.as_slice() {
        [(line, language)] => {
            let data = Data { state: State::Direct { confirmed: true }, line: *line };
            Reading {
                language: Some((*language).to_owned()),
                ..Reading::of(CaptureData::WinhttpProxy(data), None)
            }
        }
        _ => Reading::unrecognized("several sentences about a proxy and no heading"),
    }
}

fn below_heading(block: &Block<'_>, number: u32, line: &str) -> Reading {
    let mut languages = Languages::default();
    let Some((title, value)) = heading(line) else { return Reading::unrecognized("no heading") };
    vote(&mut languages, title);
    if let Some((language, confirmed)) = known_direct(value) {
        languages.vote(&[language]);
        return direct(number, confirmed, &languages);
    }
    let below = Block { from: number.saturating_add(1), ..*block };
    let said: Vec<(u32, &str)> = below
        .lines()
        .skip_while(|(_, line)| line.trim().is_empty())
        .take_while(|(_, line)| !line.trim().is_empty())
        .take(4)
        .collect();
    match said.as_slice() {
        [(line, sentence)] if labelled(sentence).is_none() => sentence_alone(*line, sentence, &mut languages),
        [(line, proxy)] => two_lines((*line, proxy), None, &mut languages),
        [(line, proxy), (other, bypass)] => two_lines((*line, proxy), Some((*other, bypass)), &mut languages),
        [] => Reading::unrecognized(format!("nothing below the heading in line {number}")),
        _ => Reading::unrecognized(format!("more than two lines below the heading in line {number}")),
    }
}

fn vote(languages: &mut Languages, label: &str) {
    let known: Vec<_> =
        LABELS.iter().filter(|(_, known)| same_label(label, known)).map(|(language, _)| *language).collect();
    languages.vote(&known);
}

fn direct(line: u32, confirmed: bool, languages: &Languages) -> Reading {
    let data = Data { state: State::Direct { confirmed }, line };
    Reading { language: languages.winner(), ..Reading::of(CaptureData::WinhttpProxy(data), None) }
}

fn sentence_alone(line: u32, sentence: &str, languages: &mut Languages) -> Reading {
    if let Some(failure) = shape::failure_in(sentence) {
        return Reading::unrecognized(format!("{} (line {line})", failure.words()));
    }
    match known_direct(sentence.trim_matches(['"', '`', ' '])) {
        Some((language, confirmed)) => {
            languages.vote(&[language]);
            direct(line, confirmed, languages)
        }
        None if has_form_of_direct(sentence) => direct(line, false, languages),
        None => Reading::unrecognized(format!("the sentence in line {line} is not known")),
    }
}

/// In every language known, direct access reads "words (no proxy server)". A label that has lost its colon has padding, and a
/// cut line has no closing bracket.
fn has_form_of_direct(sentence: &str) -> bool {
    let sentence = sentence.trim().trim_end_matches(['.', '。', ' ']);
    let Some(inner) = sentence.strip_suffix([')', '）']) else { return false };
    let Some((before, inside)) = inner.rsplit_once(['(', '（']) else { return false };
    before.chars().filter(|c| c.is_alphabetic()).count() >= 3
        && inside.chars().count() >= 5
        && !before.trim().contains("   ")
        && !sentence.contains([';', '=', '<'])
}

fn two_lines(proxy: (u32, &str), bypass: Option<(u32, &str)>, languages: &mut Languages) -> Reading {
    let (line, text) = proxy;
    let value = labelled(text).map(|found| {
        vote(languages, found.label);
        found.value.trim_matches(['"', '`'])
    });
    let Some(value) = value.filter(|value| is_proxy(value)) else {
        return Reading::unrecognized(format!("line {line} names no proxy"));
    };
    let list = bypass.and_then(|(line, text)| labelled(text).map(|found| (line, found)));
    if let Some((_, found)) = &list {
        vote(languages, found.label);
    }
    let reason = match (bypass, &list) {
        (None, _) => Some(format!("line {line}: no bypass list behind the proxy")),
        (Some((line, _)), None) => Some(format!("line {line} is no bypass list")),
        (Some(_), Some((line, found))) => {
            found.value.is_empty().then(|| format!("line {line}: the bypass list is missing"))
        }
    };
    let data = Data {
        state: State::Proxy {
            proxy: without_credentials(value),
            bypass: list
                .as_ref()
                .map(|(_, found)| found.value)
                .filter(|value| !is_none_word(value))
                .map(str::to_owned),
            bypass_line: list.as_ref().map(|(line, _)| *line),
        },
        line,
    };
    Reading { language: languages.winner(), ..Reading::of(CaptureData::WinhttpProxy(data), reason) }
}

/// `host`, `host:port`, `scheme=host:port;…`: no blanks inside, a letter or digit first.
fn is_proxy(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && value
            .split([';', ' '])
            .filter(|part| !part.is_empty())
            .all(|part| part.contains([':', '=', '.']) || part.is_ascii())
        && !value.contains(['(', '<'])
}

/// One word in brackets, or nothing, stands for an empty list.
fn is_none_word(value: &str) -> bool {
    value.is_empty()
        || (value.starts_with(['(', '（']) && value.ends_with([')', '）']) && !value.contains(';'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture::{self, CaptureStatus};
    use crate::artifact::text::Text;

    fn states(text: &str) -> Vec<(CaptureStatus, Option<State>)> {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        captures
            .iter()
            .map(|capture| match &capture.data {
                CaptureData::WinhttpProxy(data) => (capture.status, Some(data.state.clone())),
                _ => (capture.status, None),
            })
            .collect()
    }

    #[test]
    fn an_unknown_language_is_read_by_its_form() {
        // Dutch: no capture confirms a wording, so only the form speaks.
        let text = "\nHuidige WinHTTP-proxyinstellingen:\n\n    Directe toegang (geen proxyserver).\n";
        assert_eq!(states(text), [(CaptureStatus::Parsed, Some(State::Direct { confirmed: false }))]);
    }

    #[test]
    fn what_fits_no_form_is_unknown() {
        for text in [
            "Current WinHTTP proxy settings:\n\n",
            "Current WinHTTP proxy settings:\n\n    Direct acc",
            "Current WinHTTP proxy settings:\n\n    Proxy Server(s)\n",
            "Current WinHTTP proxy settings:\n\n    Bypass List     :  (none)\n",
            "Current WinHTTP proxy settings:\n\n    Bypass List        (none)\n",
            "Current WinHTTP proxy settings:\n\n    Access is denied (5 minutes).\n",
        ] {
            let states = states(text);
            assert!(
                states
                    .iter()
                    .all(|(status, state)| *status == CaptureStatus::Unrecognized && state.is_none()),
                "{text}"
            );
        }
    }

    #[test]
    fn every_settings_block_of_a_transcript_is_kept() {
        // text_formats.md 6, pitfall 5.
        let text = "C:\\>netsh winhttp set proxy a:1\n\nCurrent WinHTTP proxy settings:\n\n    Proxy Server(s) :  a:1\n    \
                    Bypass List     :  (none)\n\nC:\\>netsh winhttp reset proxy\n\nCurrent WinHTTP proxy settings:\n\n    \
                    Direct access (no proxy server).\n\n";
        let states = states(text);
        assert_eq!(states.len(), 2);
        assert_eq!(states[1].1, Some(State::Direct { confirmed: true }));
        // … and without prompts the heading cuts.
        let text = text.lines().filter(|line| !line.starts_with("C:")).collect::<Vec<_>>().join("\n");
        let bare = self::states(&text);
        assert!(matches!(&bare[0].1, Some(State::Proxy { proxy, .. }) if proxy == "a:1"));
        assert_eq!(bare[1..], states[1..]);
    }

    #[test]
    fn credentials_are_masked_and_lists_kept() {
        let text = "Current WinHTTP proxy settings:\n\n    Proxy Server(s) :  http=u:p@a:1;https=b:2\n    Bypass List     :  <local>;*.c\n";
        let state = State::Proxy {
            proxy: "http=***@a:1;https=b:2".into(),
            bypass: Some("<local>;*.c".into()),
            bypass_line: Some(4),
        };
        assert_eq!(states(text), [(CaptureStatus::Parsed, Some(state))]);
    }
}
