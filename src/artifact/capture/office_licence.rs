//! A licence file of Microsoft 365 Apps (`%LOCALAPPDATA%\Microsoft\Office\Licenses`, `%ProgramData%\Microsoft\Office\Licenses`).
//!
//! The file is JSON in UTF-16LE, with or without a byte order mark. Its property `License` is Base64 of a second JSON in UTF-8, and only
//! that one says when the licence runs out (domain.md R42; read from the source of `vNextDiag.ps1`). Names of people are not kept.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::Value;

use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// `ProductReleaseId`.
    pub product: Option<String>,
    /// `LicenseType` (`Subscription` …).
    pub license_type: Option<String>,
    /// `Status`, which `vnextdiag.ps1` prints as `EntitlementStatus`.
    pub status: Option<String>,
    /// `ReasonCode`.
    pub reason_code: Option<String>,
    /// `ExpiresOn`: the end of the entitlement.
    pub expires_on: Option<String>,
    /// `Metadata.NotBefore`.
    pub not_before: Option<String>,
    /// `Metadata.NotAfter`: the end of the licence file, after which functions are reduced.
    pub not_after: Option<String>,
    /// `Metadata.RenewAfter`.
    pub renew_after: Option<String>,
    /// `EWW` for a work account, `CWW` for a personal one: what stands before the first underscore of `LicenseId`.
    pub license_id_prefix: Option<String>,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::OfficeLicence, recognise, starts: |_| false, read };

/// A licence is a few kilobytes; a longer text is something else.
const LONGEST: usize = 1 << 20;

fn recognise(block: &Block<'_>) -> u8 {
    let text = block.text.span(block.from, block.to).trim();
    let is_one = text.len() <= LONGEST && text.starts_with('{') && text.contains("\"License\"");
    if is_one && outer(text).is_some() { 95 } else { 0 }
}

/// The Base64 text of the outer JSON.
fn outer(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    json.get("License")?.as_str().map(str::to_owned)
}

/// Base64 as it is found in files: white space is skipped, padding ends it and may be missing, and bits that are left over say nothing.
fn decoded(text: &str) -> Option<Vec<u8>> {
    const FOUND: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut letters: String =
        text.chars().filter(|c| !c.is_ascii_whitespace()).take_while(|c| *c != '=').collect();
    // A single letter behind the last group is no byte.
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    FOUND.decode(letters).ok()
}

fn inner(text: &str) -> Option<Value> {
    let bytes = decoded(&outer(text)?)?;
    let text = String::from_utf8(bytes).ok()?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok().filter(Value::is_object)
}

/// A property by its name, whose case the script does not mind; numbers become text.
fn property(json: &Value, name: &str) -> Option<String> {
    let found = json.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match found.1 {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let text = block.text.span(block.from, block.to).trim();
    let Some(json) = inner(text) else {
        return Reading::unrecognized("the property License of the licence file is not Base64 of JSON");
    };
    let metadata = json.as_object().and_then(|map| {
        map.iter().find(|(key, _)| key.eq_ignore_ascii_case("Metadata")).map(|(_, value)| value)
    });
    let of = |name: &str| property(metadata?, name);
    let prefix = |id: String| id.split_once('_').map(|(prefix, _)| prefix.to_owned());
    let data = Data {
        product: property(&json, "ProductReleaseId"),
        license_type: property(&json, "LicenseType"),
        status: property(&json, "Status"),
        reason_code: property(&json, "ReasonCode"),
        expires_on: property(&json, "ExpiresOn"),
        not_before: of("NotBefore"),
        not_after: of("NotAfter"),
        renew_after: of("RenewAfter"),
        license_id_prefix: property(&json, "LicenseId").and_then(prefix),
    };
    let reason = data.not_after.is_none().then(|| "the licence has no Metadata.NotAfter".to_owned());
    Reading::of(CaptureData::OfficeLicence(data), reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::CaptureStatus;
    use super::*;
    use crate::artifact::text::Text;

    #[test]
    fn base64_of_rfc_4648() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(decoded(coded).as_deref(), Some(plain.as_bytes()), "{coded}");
        }
        assert_eq!(decoded("Zm9*"), None);
    }

    #[test]
    fn a_file_in_utf_16_without_a_mark() {
        // The layout that domain.md R42 gives. Base64 made with Python's base64 module from
        // {"LicenseId":"EWW_1_2","ProductReleaseId":"O365ProPlusRetail","Status":"Active","Metadata":{"NotAfter":"2026-12-01T00:00:00Z"}}
        let file = r#"{"License":"eyJMaWNlbnNlSWQiOiJFV1dfMV8yIiwiUHJvZHVjdFJlbGVhc2VJZCI6Ik8zNjVQcm9QbHVzUmV0YWlsIiwiU3RhdHVzIjoiQWN0aXZlIiwiTWV0YWRhdGEiOnsiTm90QWZ0ZXIiOiIyMDI2LTEyLTAxVDAwOjAwOjAwWiJ9fQ=="}"#;
        let bytes: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let text = Text::decode(&bytes);
        let captures = super::super::read(&text);
        assert_eq!(captures.len(), 1);
        assert_eq!(captures[0].status, CaptureStatus::Parsed, "{:?}", captures[0]);
        let CaptureData::OfficeLicence(data) = &captures[0].data else { panic!("{:?}", captures[0]) };
        assert_eq!(data.product.as_deref(), Some("O365ProPlusRetail"));
        assert_eq!(data.not_after.as_deref(), Some("2026-12-01T00:00:00Z"));
        assert_eq!(
            (data.status.as_deref(), data.license_id_prefix.as_deref()),
            (Some("Active"), Some("EWW"))
        );
        assert_eq!(data.expires_on, None);
    }

    #[test]
    fn a_licence_that_cannot_be_decoded_is_not_understood() {
        let text = Text::decode(br#"{"License":"not base64 of json!"}"#);
        let captures = super::super::read(&text);
        assert_eq!(captures[0].kind, CaptureKind::OfficeLicence);
        assert_eq!(captures[0].status, CaptureStatus::Unrecognized);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\{\"License\":\"[ -~]{0,80}\"\\}?") {
            let _ = super::super::read(&Text::decode(text.as_bytes()));
        }
    }
}
