//! What nslookup says: words that are never translated, and labels and sentences that are.

use super::super::shape::LabelRow;
use super::Outcome;

/// The reason behind the last colon of a `***` line, in lower case. Never translated.
pub(super) const REASONS: &[(&str, Outcome)] = &[
    ("non-existent domain", Outcome::NxDomain),
    ("no response from server", Outcome::NoResponse),
    ("server failed", Outcome::ServerFailed),
    ("query refused", Outcome::Refused),
    ("timed out", Outcome::Timeout),
    ("timed-out", Outcome::Timeout),
    ("no such", Outcome::NoRecord),
    ("records available", Outcome::NoRecord),
    ("no information", Outcome::NoRecord),
    ("unspecified error", Outcome::Unknown),
    ("format error", Outcome::ServerFailed),
];

/// Phrases between the owner of a record and its value. Never translated.
pub(super) const PHRASES: &[&str] = &[
    "canonical name = ",
    "internet address = ",
    "AAAA IPv6 address = ",
    "nameserver = ",
    "MX preference = ",
    "name = ",
    "text =",
    "primary name server = ",
];

/// The two labels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Server,
    Name,
}

/// What a labelled line is. Source: text_formats.md 4.6. They only tell the language, and name from server where both are possible.
pub(super) const LABELS: &[LabelRow<Key>] = &[
    (
        Key::Server,
        &[
            ("en", "Server"),
            ("de", "Server"),
            ("it", "Server"),
            ("fr", "Serveur"),
            ("es", "Servidor"),
            ("pt", "Servidor"),
            ("ja", "サーバー"),
            ("zh-CN", "服务器"),
            ("ru", "Сервер"),
            ("en", "Default Server"),
            ("de", "Standardserver"),
            ("fr", "Serveur par défaut"),
            ("zh-CN", "默认服务器"),
        ],
    ),
    (
        Key::Name,
        &[
            ("en", "Name"),
            ("de", "Name"),
            ("fr", "Nom"),
            ("es", "Nombre"),
            ("ja", "名前"),
            ("zh-CN", "名称"),
            ("ru", "Имя"),
        ],
    ),
];

/// Sentences above an answer that the server took from elsewhere, for the language only.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("en", "Non-authoritative answer"),
    ("de", "Nicht autorisierende Antwort"),
    ("fr", "Réponse ne faisant pas autorité"),
    ("es", "Respuesta no autoritativa"),
    ("ja", "権限のない回答"),
    ("zh-CN", "非权威应答"),
    ("ru", "Не заслуживающий доверия ответ"),
];
