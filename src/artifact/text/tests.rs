//! What comes out of which bytes. Encoded inputs are made by hand or by the code-page libraries, never by the decoder.

use proptest::prelude::*;

use super::*;

fn decoded(bytes: &[u8]) -> (String, Encoding) {
    let text = Text::decode(bytes);
    (text.as_str().to_owned(), text.encoding)
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn page(text: &str, page: u16) -> Vec<u8> {
    codepage::encode_page(text, page).unwrap()
}

#[test]
fn every_leading_mark_goes() {
    // text_formats.md 6, pitfall 3: reg_export/any-win10-2 begins FF FE FF FE.
    for marks in [&[0xff, 0xfe][..], &[0xff, 0xfe, 0xff, 0xfe], &[0xef, 0xbb, 0xbf, 0xff, 0xfe]] {
        let bytes = [marks, &utf16le("Windows Registry\r\n[x]")].concat();
        let (text, encoding) = decoded(&bytes);
        assert_eq!((text.as_str(), &*encoding.name), ("Windows Registry\r\n[x]", "utf-16le"));
        assert!(encoding.certain);
    }
    assert_eq!(decoded(b"\xef\xbb\xbf\xef\xbb\xbfabc").0, "abc");
    assert_eq!(decoded(b"\xfe\xff\0a\0b").0, "ab");
}

#[test]
fn ascii_then_utf16_at_an_odd_offset() {
    // The form of wmic_qfe/en-winxp-1: 43 ASCII bytes without a line end, then UTF-16LE without a mark.
    let message = "Please wait while WMIC is being installed.";
    assert_eq!(message.len() % 2, 0);
    let bytes =
        [format!("{message}.").as_bytes(), &utf16le("Caption  HotFixID\r\nhttp://x  KB123456\r\n")].concat();
    let (text, encoding) = decoded(&bytes);
    assert_eq!(text, format!("{message}.Caption  HotFixID\r\nhttp://x  KB123456\r\n"));
    assert_eq!(encoding.name, "mixed");
}

#[test]
fn utf16_without_a_mark_in_any_script() {
    for text in [
        "Current WinHTTP proxy settings:\r\n\r\n    Direct access (no proxy server).\r\n",
        "\r\n現在の WinHTTP プロキシ設定:\r\n\r\n    プロキシ サーバー:  1.2.3.4:5678\r\n    バイパス一覧     : (なし)\r\n",
        "Настройка протокола IP для Windows\r\n\r\nАдаптер Ethernet\r\n",
        "直接访问(没有代理服务器)。一一一\r\n",
    ] {
        let (got, encoding) = decoded(&utf16le(text));
        assert_eq!((got.as_str(), &*encoding.name), (text, "utf-16le"));
    }
}

#[test]
fn eight_bit_text_appended_to_utf16() {
    // `ipconfig > f` in PowerShell, then `echo … >> f` in cmd.
    let tail = "C:\\>echo the second output in ASCII\r\nsecond line\r\n";
    let bytes = [&[0xff, 0xfe][..], &utf16le("First output\r\n"), tail.as_bytes()].concat();
    assert_eq!(decoded(&bytes).0, format!("First output\r\n{tail}"));
    // … and UTF-16 again behind an odd number of bytes.
    let bytes = [&bytes[..], b"x", &utf16le("Third output, long enough to be seen\r\n")].concat();
    assert_eq!(decoded(&bytes).0, format!("First output\r\n{tail}xThird output, long enough to be seen\r\n"));
}

#[test]
fn padding_and_odd_tails_are_ignored() {
    // netsh_winhttp_show_proxy/en-win10-trailing-nul: NULs behind the text.
    let text = "Direct access (no proxy server).\r\n";
    let (got, encoding) = decoded(&[utf16le(text), vec![0; 64]].concat());
    assert_eq!((got.as_str(), &*encoding.name), (text, "utf-16le"));
    assert_eq!(decoded(&[utf16le(text), vec![0; 33]].concat()).0, text);
    assert_eq!(decoded(&[text.as_bytes(), &[0; 4096]].concat()).0, text);
    assert_eq!(decoded(&[&[0xff, 0xfe][..], &utf16le("ab"), b"c"].concat()).0, "ab");
}

#[test]
fn line_ends_of_every_kind() {
    // text_formats.md 6, pitfall 4: CR CR LF is one break.
    let lines = |text: &str| {
        let text = Text::decode(text.as_bytes());
        text.lines().map(|(_, line)| line.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines("a\r\r\nb\r\nc\nd\re"), ["a", "b", "c", "d", "e"]);
    assert_eq!(lines("a\r\r\n\r\r\nb"), ["a", "", "b"]);
    assert_eq!(lines("a\r\rb"), ["a", "", "b"]);
    assert_eq!(lines(""), Vec::<String>::new());
    let text = Text::decode(b"one\r\r\ntwo\r\r\nthree");
    assert_eq!(
        (text.line(2), text.span(2, 3), text.line(4), text.line(0)),
        ("two", "two\r\r\nthree", "", "")
    );
    assert_eq!(text.span(3, 2), "");
}

#[test]
fn pages_of_western_europe() {
    // The same words in both pages of a French machine; 0xFF is an NBSP in 850 and ÿ in 1252.
    let text = "Paramètres de proxy WinHTTP actuels\u{a0}:\r\n    Accès direct (sans serveur proxy).\r\n";
    let (got, encoding) = decoded(&page(text, 850));
    assert_eq!((got.as_str(), &*encoding.name, encoding.certain), (text, "cp850", false));
    let (got, encoding) = decoded(&page(text, 1252));
    assert_eq!((got.as_str(), &*encoding.name), (text, "windows-1252"));
    assert_eq!(decoded(&page("Subnetzpräfix über Straße\r\n", 1252)).0, "Subnetzpräfix über Straße\r\n");
    assert_eq!(decoded(&page("Configuración\r\nEndereço\r\n", 850)).0, "Configuración\r\nEndereço\r\n");
}

#[test]
fn pages_of_other_scripts() {
    let cases = [
        ("Настройка протокола IP для Windows\r\n", 866, "cp866"),
        ("Настройка протокола IP для Windows\r\n", 1251, "windows-1251"),
        ("以太网适配器 本地连接 2:\r\n   媒体状态  . . . : 媒体已断开\r\n", 936, "cp936"),
        ("イーサネット アダプター ローカル エリア接続:\r\n", 932, "cp932"),
        ("이더넷 어댑터 이더넷:\r\n   연결별 DNS 접미사. . . . :\r\n", 949, "cp949"),
        ("介面卡 乙太網路:\r\n   媒體狀態 : 媒體已中斷連線\r\n", 950, "cp950"),
        ("Ethernet adapter 이더넷:\r\n", 949, "cp949"),
    ];
    for (text, number, name) in cases {
        let (got, encoding) = decoded(&page(text, number));
        assert_eq!((got.as_str(), &*encoding.name), (text, name));
    }
}

#[test]
fn two_pages_in_one_file() {
    // text_formats.md 6, pitfall 2: nslookup writes labels in the ANSI page and sentences in the OEM page.
    let bytes = [
        page("Сервер:  UnKnown\r\n", 1251),
        b"Address:  8.8.8.8\r\n\r\n".to_vec(),
        page("Не заслуживающий доверия ответ:\r\n", 866),
        page("Имя:     ozon.ru\r\n", 1251),
    ];
    let (got, encoding) = decoded(&bytes.concat());
    assert_eq!(
        got,
        "Сервер:  UnKnown\r\nAddress:  8.8.8.8\r\n\r\nНе заслуживающий доверия ответ:\r\nИмя:     ozon.ru\r\n"
    );
    assert_eq!((&*encoding.name, encoding.certain), ("mixed", false));
    let french =
        [page("Serveur par défaut :   x\r\n", 1252), page("Réponse ne faisant pas autorité :\r\n", 850)];
    assert_eq!(
        decoded(&french.concat()).0,
        "Serveur par défaut :   x\r\nRéponse ne faisant pas autorité :\r\n"
    );
}

#[test]
fn a_known_machine_decides_what_bytes_do_not() {
    // 0x88 is ê in page 850 and ł in page 852; both are letters that a name can have.
    let bytes = b"Adapter a\x88b\r\n";
    assert_eq!(decoded(bytes).0, "Adapter aêb\r\n");
    let polish = Text::decode_with(bytes, CodePages { oem: Some(852), ansi: Some(1250) });
    assert_eq!((polish.as_str(), &*polish.encoding.name), ("Adapter ałb\r\n", "cp852"));
}

#[test]
fn mojibake_is_undone_where_a_known_word_proves_it() {
    // nslookup/ru-win-2: 1251 shown as 866; its second label has lost a letter but follows the first.
    let (text, encoding) = decoded("╤хЁтхЁ:  UnKnown\nAddress:  8.8.8.4\n".as_bytes());
    assert_eq!((text.as_str(), encoding.repaired), ("Сервер:  UnKnown\nAddress:  8.8.8.4\n", true));
    for (wrong, right) in [
        ("Íàñòðîéêà ïðîòîêîëà", "Настройка протокола"),
        ("Configuraci¢n IP de Windows", "Configuración IP de Windows"),
        ("Serveur par dÚfaut", "Serveur par défaut"),
        ("MÃ©moire physique", "Mémoire physique"),
    ] {
        let (text, encoding) = decoded(wrong.as_bytes());
        assert_eq!((text.as_str(), encoding.repaired, &*encoding.name), (right, true, "utf-8"));
    }
}

#[test]
fn right_text_and_registry_values_are_not_repaired() {
    for text in [
        "Nom : Caf\u{e9} Ærøskøbing",
        "naïve Ã\n",
        "Windows Registry Editor Version 5.00\n\"a\"=\"MÃ©moire\"\n",
    ] {
        let (got, encoding) = decoded(text.as_bytes());
        assert_eq!((got.as_str(), encoding.repaired), (text, false));
    }
}

#[test]
fn lost_letters_are_said() {
    let (_, encoding) = decoded("N\u{fffd}tmask".as_bytes());
    assert!(encoding.lossy && encoding.certain);
    assert!(!decoded("Nätmask".as_bytes()).1.lossy);
}

proptest! {
    #[test]
    fn any_bytes_decode_and_every_line_is_reachable(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let text = Text::decode(&bytes);
        let all: usize = text.lines().map(|(_, line)| line.len()).sum();
        let breaks = text.as_str().bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        prop_assert_eq!(all + breaks, text.as_str().len());
    }

    #[test]
    fn utf8_without_mojibake_comes_through_unchanged(text in "[ -~éüäñ\n]{0,200}") {
        let decoded = Text::decode(text.as_bytes());
        prop_assert_eq!(decoded.as_str(), text.as_str());
    }

    #[test]
    fn utf16_with_a_mark_comes_through(text in "[A-Za-z0-9 :.\n日本語Япшü]{1,200}") {
        let bytes = [&[0xff, 0xfe][..], &utf16le(&text)].concat();
        let expected = text.trim_start_matches('\u{feff}').to_owned();
        let decoded = Text::decode(&bytes);
        prop_assert_eq!(decoded.as_str(), expected.as_str());
    }
}
