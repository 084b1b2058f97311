//! Error messages that stand where an output should be.
//!
//! A refused or unknown command says nothing of the machine: its capture is *unknown*, never "none" (domain.md 1.4). Codes and
//! untranslated phrases come first because they serve every language; the translated ones are Windows' own message texts.

use super::super::{Block, CaptureData, CaptureStatus, Reading};

/// Why a command printed an error instead of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Access was denied.
    AccessDenied,
    /// The command wants an elevated prompt.
    NeedsElevation,
    /// There is no such command, or netsh has no such context, on that machine.
    NotRecognized,
    /// The key, file or object that was asked for does not exist.
    NotFound,
    /// A service that the command asks is not running.
    ServiceDown,
    /// Another error that says so itself (`ERROR:`, a PowerShell error record).
    Other,
}

impl Failure {
    /// The failure in words, for reasons.
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessDenied => "access was denied",
            Self::NeedsElevation => "the command needs an elevated prompt",
            Self::NotRecognized => "the command is not known on that machine",
            Self::NotFound => "what was asked for does not exist",
            Self::ServiceDown => "a service that the command asks is not running",
            Self::Other => "the command failed",
        }
    }
}

/// What betrays each failure, in lower case. The first match of a line counts.
const MARKS: &[(Failure, &[&str])] = &[
    (
        Failure::NeedsElevation,
        &[
            "requires elevation",
            "run as administrator",
            "administrative privileges",
            "administrator privileges",
            "erfordert erhöhte rechte",
            "nécessite une élévation",
            "requiere elevación",
            "richiede l'esecuzione con privilegi",
            "requer elevação",
            "требует повышения",
            "昇格が必要",
            "需要提升",
            "권한 상승이 필요",
        ],
    ),
    (
        Failure::AccessDenied,
        &[
            "error_access_denied",
            "permissiondenied",
            "unauthorizedaccess",
            "0x80070005",
            "failed 5:",
            "access is denied",
            "access denied",
            "zugriff verweigert",
            "accès refusé",
            "acceso denegado",
            "accesso negato",
            "acesso negado",
            "отказано в доступе",
            "アクセスが拒否されました",
            "拒绝访问",
            "存取被拒",
            "액세스가 거부되었습니다",
            "toegang geweigerd",
            "odmowa dostępu",
            "erişim engellendi",
            "åtkomst nekad",
        ],
    ),
    (
        Failure::NotRecognized,
        &[
            "commandnotfoundexception",
            "is not recognized as",
            "the following command was not found",
            "falsch geschrieben oder",
            "folgender befehl wurde nicht gefunden",
            "n'est pas reconnu",
            "no se reconoce como",
            "non è riconosciuto come",
            "não é reconhecido como",
            "не является внутренней или внешней",
            "認識されていません",
            "认识为",
            "不是内部或外部命令",
            "不是內部或外部命令",
            "내부 또는 외부 명령",
            "wordt niet herkend",
            "nie jest rozpoznawan",
            "command not found",
        ],
    ),
    (
        Failure::ServiceDown,
        &["0x80070426", "0x800706ba", "service has not been started", "rpc server is unavailable"],
    ),
    (
        Failure::NotFound,
        &[
            "error: the system was unable to find",
            "fehler: der angegebene",
            "the system cannot find the",
            "das system kann",
            "objectnotfound",
            "itemnotfoundexception",
            "le fichier spécifié est introuvable",
            "el sistema no puede encontrar",
            "не удается найти указанный",
            "指定されたファイルが見つかりません",
            "系统找不到指定的",
        ],
    ),
    (Failure::Other, &["fullyqualifiederrorid", "error:", "fehler:", "erreur :", "erreur:", "ошибка:"]),
];

/// An error message has few lines; what is longer is an output with an error in it.
const LONGEST_MESSAGE: usize = 14;

/// The failure that one line tells of, if it does.
pub fn failure_in(line: &str) -> Option<Failure> {
    if line.len() > 2_000 {
        return None;
    }
    let line = line.to_lowercase().replace('\u{2019}', "'").replace('\u{a0}', " ");
    MARKS.iter().find(|(_, marks)| marks.iter().any(|mark| line.contains(mark))).map(|(failure, _)| *failure)
}

/// The failure that a block consists of, with the line that tells of it. `None` for a block that is longer than a message.
pub fn failure_of<'t>(block: &Block<'t>) -> Option<(u32, Failure, &'t str)> {
    let said = block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LONGEST_MESSAGE + 1);
    let said: Vec<_> = said.collect();
    if said.len() > LONGEST_MESSAGE {
        return None;
    }
    // "Other" marks (an error record's last line) give way to a line that says more.
    let found = |exact: bool| {
        said.iter().find_map(|&(number, line)| {
            failure_in(line)
                .filter(|kind| !exact || *kind != Failure::Other)
                .map(|kind| (number, kind, line.trim()))
        })
    };
    found(true).or_else(|| found(false))
}

/// Whether a block holds nothing but blanks.
pub fn is_empty(block: &Block<'_>) -> bool {
    block.lines().all(|(_, line)| line.trim().is_empty())
}

/// The reading of a block that is empty or nothing but an error message; `None` if there may be an output to read. Readers call
/// it before anything else; for commands whose good output can hold such words, after they found nothing.
pub fn failed(block: &Block<'_>) -> Option<Reading> {
    let (status, reason) = if is_empty(block) {
        (CaptureStatus::Empty, "the command printed nothing".to_owned())
    } else {
        let (line, failure, text) = failure_of(block)?;
        (CaptureStatus::ErrorOutput, format!("{} (line {line}: {text})", failure.words()))
    };
    Some(Reading { status, reason: Some(reason), language: None, data: CaptureData::Nothing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> Option<Failure> {
        let text = Text::decode(text.as_bytes());
        failure_of(&Block::whole(&text)).map(|(_, failure, _)| failure)
    }

    #[test]
    fn refusals_are_known_in_several_languages() {
        // Message texts as text_formats.md 2 quotes them, and Windows' own translations of error 5.
        assert_eq!(
            of("The requested operation requires elevation (Run as administrator)."),
            Some(Failure::NeedsElevation)
        );
        assert_eq!(of("ERROR: Access Denied."), Some(Failure::AccessDenied));
        assert_eq!(of("FEHLER: Zugriff verweigert"), Some(Failure::AccessDenied));
        assert_eq!(of("Отказано в доступе."), Some(Failure::AccessDenied));
        assert_eq!(of("拒绝访问。"), Some(Failure::AccessDenied));
        assert_eq!(
            of("'dsregcmd' is not recognized as an internal or external command,"),
            Some(Failure::NotRecognized)
        );
        assert_eq!(
            of("FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden."),
            Some(Failure::NotFound)
        );
    }

    #[test]
    fn an_error_record_is_named_by_what_it_says_first() {
        let record = "Get-Foo : The term 'Get-Foo' is not recognized as the name of a cmdlet.\nAt line:1 char:1\n\
                      + CategoryInfo : ObjectNotFound: (Get-Foo:String) [], CommandNotFoundException\n\
                      + FullyQualifiedErrorId : CommandNotFoundException";
        assert_eq!(of(record), Some(Failure::NotRecognized));
    }

    #[test]
    fn an_output_with_an_error_in_it_is_no_message() {
        let long = format!("{}Access Denied\n", "Key   value\n".repeat(30));
        assert_eq!(of(&long), None);
    }

    #[test]
    fn blanks_are_empty_and_not_a_failure() {
        let text = Text::decode(b"\r\n   \r\n");
        assert_eq!(failed(&Block::whole(&text)).map(|reading| reading.status), Some(CaptureStatus::Empty));
    }
}
