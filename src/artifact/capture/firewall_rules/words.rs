//! Keys and words of firewall rules in the languages of which outputs are known.
//!
//! French, Chinese and English labels are those of captures or of transcripts that name a real machine; where several public
//! transcripts of a language disagree, all forms are here, because a wrong form never occurs and so does no harm. The words for
//! directions and actions must be certain: what is not in a table stays unknown.

use std::collections::BTreeMap;

use super::super::firewall_profiles::ProfileName;
use super::super::shape::find_label;
use super::super::shape::label::LabelRow;
use super::{Action, Direction, Key};

/// The keys of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    Description,
    Enabled,
    Direction,
    Profiles,
    Grouping,
    LocalIp,
    RemoteIp,
    Protocol,
    LocalPort,
    RemotePort,
    EdgeTraversal,
    Program,
    Service,
    InterfaceTypes,
    Security,
    Source,
    Action,
}

const LABELS: &[LabelRow<Field>] = &[
    (
        Field::Name,
        &[
            ("en", "Rule Name"),
            ("de", "Regelname"),
            ("fr", "Nom de la règle"),
            ("ru", "Имя правила"),
            ("zh-CN", "规则名称"),
        ],
    ),
    (
        Field::Description,
        &[("en", "Description"), ("fr", "Description"), ("de", "Beschreibung"), ("zh-CN", "描述")],
    ),
    (
        Field::Enabled,
        &[("en", "Enabled"), ("de", "Aktiviert"), ("fr", "Activé"), ("ru", "Включено"), ("zh-CN", "已启用")],
    ),
    (
        Field::Direction,
        &[
            ("en", "Direction"),
            ("fr", "Direction"),
            ("de", "Richtung"),
            ("ru", "Направление"),
            ("zh-CN", "方向"),
        ],
    ),
    (
        Field::Profiles,
        &[
            ("en", "Profiles"),
            ("fr", "Profiles"),
            ("fr", "Profils"),
            ("de", "Profile"),
            ("ru", "Профили"),
            ("zh-CN", "配置文件"),
        ],
    ),
    (
        Field::Grouping,
        &[
            ("en", "Grouping"),
            ("de", "Gruppierung"),
            ("fr", "Groupement"),
            ("ru", "Группировка"),
            ("zh-CN", "分组"),
        ],
    ),
    (
        Field::LocalIp,
        &[
            ("en", "LocalIP"),
            ("fr", "LocalIP"),
            ("de", "Lokales IP"),
            ("de", "LokaleIP"),
            ("zh-CN", "LocalIP"),
            ("zh-CN", "本地 IP"),
        ],
    ),
    (
        Field::RemoteIp,
        &[
            ("en", "RemoteIP"),
            ("fr", "RemoteIP"),
            ("de", "Remote-IP"),
            ("de", "RemoteIP"),
            ("zh-CN", "RemoteIP"),
            ("zh-CN", "远程 IP"),
        ],
    ),
    (
        Field::Protocol,
        &[
            ("en", "Protocol"),
            ("de", "Protokoll"),
            ("fr", "Protocole"),
            ("ru", "Протокол"),
            ("zh-CN", "协议"),
        ],
    ),
    (
        Field::LocalPort,
        &[
            ("en", "LocalPort"),
            ("fr", "LocalPort"),
            ("de", "Lokaler Port"),
            ("zh-CN", "LocalPort"),
            ("zh-CN", "本地端口"),
        ],
    ),
    (
        Field::RemotePort,
        &[
            ("en", "RemotePort"),
            ("fr", "RemotePort"),
            ("de", "Remoteport"),
            ("zh-CN", "RemotePort"),
            ("zh-CN", "远程端口"),
        ],
    ),
    (Field::EdgeTraversal, &[("en", "Edge traversal"), ("de", "Edgeausnahme"), ("zh-CN", "边缘遍历")]),
    (Field::Program, &[("en", "Program"), ("de", "Programm"), ("fr", "Programme"), ("zh-CN", "程序")]),
    (Field::Service, &[("en", "Service"), ("fr", "Service"), ("de", "Dienst"), ("zh-CN", "服务")]),
    (
        Field::InterfaceTypes,
        &[("en", "InterfaceTypes"), ("de", "Schnittstellentypen"), ("zh-CN", "InterfaceTypes")],
    ),
    (Field::Security, &[("en", "Security"), ("de", "Sicherheit"), ("fr", "Sécurité"), ("zh-CN", "安全")]),
    (Field::Source, &[("en", "Rule source"), ("de", "Regelquelle"), ("zh-CN", "规则源")]),
    (
        Field::Action,
        &[("en", "Action"), ("fr", "Action"), ("de", "Aktion"), ("ru", "Действие"), ("zh-CN", "操作")],
    ),
];

/// The field that a key stands for, and the languages in which it is called so.
pub(super) fn field(label: &str) -> Option<(Field, Vec<&'static str>)> {
    find_label(LABELS, label)
}

/// What the command prints instead of rules.
const NO_MATCH: &[&str] = &[
    "No rules match the specified criteria",
    "没有与指定条件相匹配的规则",
    "指定された条件に一致する規則はありません",
    "Es wurden keine Regeln gefunden, die den angegebenen Kriterien entsprechen",
];

pub(super) fn is_no_match(line: &str) -> bool {
    let line = line.trim_start();
    NO_MATCH.iter().any(|sentence| line.starts_with(sentence))
}

const ANY: &[&str] =
    &["any", "beliebig", "tout", "cualquiera", "qualsiasi", "qualquer", "любой", "任何", "任意", "모두"];

pub(super) fn is_any(word: &str) -> bool {
    ANY.contains(&word.trim().to_lowercase().as_str())
}

/// `Any` for the word of any language, else the text as it is.
pub(super) fn any_or(word: &str) -> String {
    if is_any(word) { "Any".to_owned() } else { word.trim().to_owned() }
}

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let word = word.trim().to_lowercase();
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

pub(super) fn direction(word: &str) -> Option<Direction> {
    const WORDS: &[(&str, Direction)] = &[
        ("in", Direction::In),
        ("out", Direction::Out),
        ("eingehend", Direction::In),
        ("ausgehend", Direction::Out),
        ("aus", Direction::Out),
        // A collection from a French machine prints its incoming rules (mDNS-In, UDP-In) with this word.
        ("actif", Direction::In),
        ("entrée", Direction::In),
        ("sortie", Direction::Out),
        ("входящие", Direction::In),
        ("исходящие", Direction::Out),
        ("入", Direction::In),
        ("出", Direction::Out),
        ("入站", Direction::In),
        ("出站", Direction::Out),
    ];
    look_up(WORDS, word)
}

pub(super) fn action(word: &str) -> Option<Action> {
    const WORDS: &[(&str, Action)] = &[
        ("allow", Action::Allow),
        ("block", Action::Block),
        ("bypass", Action::Bypass),
        ("zulassen", Action::Allow),
        ("blocken", Action::Block),
        ("blockieren", Action::Block),
        ("autoriser", Action::Allow),
        ("bloquer", Action::Block),
        ("permitir", Action::Allow),
        ("bloquear", Action::Block),
        ("consenti", Action::Allow),
        ("blocca", Action::Block),
        ("разрешить", Action::Allow),
        ("блокировать", Action::Block),
        ("允许", Action::Allow),
        ("阻止", Action::Block),
        ("許可", Action::Allow),
        ("ブロック", Action::Block),
        ("허용", Action::Allow),
        ("차단", Action::Block),
    ];
    look_up(WORDS, word)
}

/// `Domain,Private,Public`; `None` if one of the words is not known.
pub(super) fn profiles(words: &str) -> Option<Vec<ProfileName>> {
    const WORDS: &[(&str, ProfileName)] = &[
        ("domain", ProfileName::Domain),
        ("private", ProfileName::Private),
        ("public", ProfileName::Public),
        ("domäne", ProfileName::Domain),
        ("privat", ProfileName::Private),
        ("öffentlich", ProfileName::Public),
        ("domaine", ProfileName::Domain),
        ("privé", ProfileName::Private),
        ("dominio", ProfileName::Domain),
        ("privado", ProfileName::Private),
        ("público", ProfileName::Public),
        ("域", ProfileName::Domain),
        ("专用", ProfileName::Private),
        ("公用", ProfileName::Public),
    ];
    words.split([',', '，']).map(|word| look_up(WORDS, word)).collect()
}

/// Values of the protocol that are the same in every language and that no other key has.
pub(super) fn is_protocol(value: &str) -> bool {
    matches!(value, "TCP" | "UDP" | "ICMPv4" | "ICMPv6" | "IGMP" | "GRE" | "IPv6")
}

/// Keys of a language without a table, told by their place.
pub(super) struct Learnt<'t> {
    labels: BTreeMap<&'t str, Option<Field>>,
}

impl Learnt<'_> {
    pub(super) fn field(&self, label: &str) -> Option<Field> {
        self.labels.get(label).copied().flatten()
    }
}

/// Learns keys from the rules of a file. The protocol is the seventh key, or the eighth when a description stands first; two
/// ports follow it for TCP and UDP; the last key is the action. A key that would be two things is none.
pub(super) fn learn<'t: 'k, 'k>(rules: impl Iterator<Item = &'k [Key<'t>]>) -> Learnt<'t> {
    const BEFORE: [Field; 7] = [
        Field::Description,
        Field::Enabled,
        Field::Direction,
        Field::Profiles,
        Field::Grouping,
        Field::LocalIp,
        Field::RemoteIp,
    ];
    let mut labels: BTreeMap<&'t str, Option<Field>> = BTreeMap::new();
    let mut note = |label: &'t str, field: Field| {
        let known = labels.entry(label).or_insert(Some(field));
        if *known != Some(field) {
            *known = None;
        }
    };
    for keys in rules.filter(|keys| keys.iter().any(|key| field(key.label).is_none())) {
        let Some(at) = keys.iter().position(|key| is_protocol(key.value)) else { continue };
        let Some(skipped) = BEFORE.len().checked_sub(at).filter(|skipped| *skipped <= 1) else { continue };
        for (key, field) in keys.iter().zip(BEFORE.iter().skip(skipped)) {
            note(key.label, *field);
        }
        let behind = keys.get(at..).unwrap_or_default();
        let ports = behind.first().is_some_and(|key| matches!(key.value, "TCP" | "UDP"));
        for (key, field) in behind.iter().zip([Field::Protocol, Field::LocalPort, Field::RemotePort]) {
            if field == Field::Protocol || ports {
                note(key.label, field);
            }
        }
        if let Some(last) = behind.get(3..).unwrap_or_default().last() {
            note(last.label, Field::Action);
        }
    }
    Learnt { labels }
}
