//! Every capture of the collection decodes in the encoding that its manifest names.

use actriage::artifact::text::Text;

use crate::corpus;

/// Rows of the manifest that name no single encoding, and what the file holds, read from its bytes.
const OTHERWISE: &[(&str, &str)] = &[
    // UTF-16 was planned, ASCII with 64 NULs behind it was written.
    ("netsh_winhttp_show_proxy/en-win10-trailing-nul.txt", "ascii"),
    // The only bytes outside ASCII are 0xFF between thousands: a hard blank in every OEM page.
    ("systeminfo/en-win10-3.txt", "cp850"),
    ("wmic_qfe/en-winxp-1.txt", "mixed"),
];

#[test]
fn every_encoding_is_found() {
    let Some(root) = corpus::shared() else { return println!("no corpus") };
    let captures = root.join("captures");
    let mut compared = 0;
    for row in corpus::tsv(&captures.join("MANIFEST.tsv")) {
        let path = &row["path"];
        let named = row["encoding; eol"].split(';').next().unwrap_or_default().trim().to_owned();
        let expected = match named.as_str() {
            "utf-16le BOM" | "utf-16le double BOM" | "utf-16le no BOM" => "utf-16le",
            "cp1252/latin-1" | "cp1252" => "windows-1252",
            "gb18030" => "cp936",
            other => other,
        };
        let otherwise = OTHERWISE.iter().find(|(file, _)| file == path).map(|(_, name)| *name);
        let text = Text::decode(&std::fs::read(captures.join(path)).unwrap());
        assert_eq!(text.encoding.name, otherwise.unwrap_or(expected), "{path}");
        let lost = path == "ipconfig/sv-win2008-1.txt";
        assert_eq!((text.encoding.lossy, text.as_str().contains('\u{fffd}')), (lost, lost), "{path}");
        assert_eq!(text.encoding.repaired, path.starts_with("nslookup/ru-win-"), "{path}");
        compared += 1;
    }
    println!("{compared} files compared");
}

#[test]
fn the_letters_are_right() {
    // Read by eye in the file, decoded with the page that the manifest names.
    const LINES: &[(&str, u32, &str)] = &[
        (
            "ipconfig/es-win7-1.txt",
            15,
            "   Vínculo: dirección IPv6 local. . . : fe80::6960:e696:2469:1d25%12",
        ),
        ("ipconfig/pt-win10-1.txt", 25, "   Máscara de Sub-rede . . . . . . . . . . . . : 255.255.255.0"),
        ("ipconfig/ru-win10-1.txt", 7, "   Состояние среды. . . . . . . . : Среда передачи недоступна."),
        ("ipconfig/fi-win7-1.txt", 13, "        Oletusyhdyskäytävä. . . . . . . . : fe80::1%11"),
        ("ipconfig/zh-win7-1.txt", 7, "   媒体状态  . . . . . . . . . . . . : 媒体已断开"),
        ("netsh_winhttp_show_proxy/fr-win11-2.txt", 2, "Paramètres de proxy WinHTTP actuels\u{a0}:"),
        ("netsh_winhttp_show_proxy/ja-win10-utf16nobom.txt", 4, "    プロキシ サーバー:  1.2.3.4:5678"),
        ("sc_query/ru-win10-2.txt", 4, "        Состояние          : 4  RUNNING"),
        ("nslookup/ru-win-1.txt", 4, "Сервер:  UnKnown"),
    ];
    let Some(root) = corpus::shared() else { return println!("no corpus") };
    for (path, line, expected) in LINES {
        let text = Text::decode(&std::fs::read(root.join("captures").join(path)).unwrap());
        assert_eq!(text.line(*line), *expected, "{path}");
    }
}
