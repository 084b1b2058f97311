//! Lines of ipconfig in the forms that trap readers (text_formats.md 4.4 and 6).

use super::*;
use crate::artifact::capture::{self, CaptureStatus};
use crate::artifact::text::Text;

fn read_one(text: &str) -> (CaptureStatus, Option<String>, Data) {
    let captures = capture::read(&Text::decode(text.as_bytes()));
    assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::Ipconfig), "{captures:?}");
    match &captures[0].data {
        CaptureData::Ipconfig(data) => (captures[0].status, captures[0].language.clone(), data.clone()),
        _ => panic!("{captures:?}"),
    }
}

#[test]
fn labels_with_colons_and_lines_that_look_like_labels() {
    // Pitfall 6: the Spanish label with a colon inside, the DoH line of Windows 11.
    let (status, language, data) = read_one(
        "Configuración IP de Windows\n\nAdaptador de Ethernet Ethernet:\n\n   Vínculo: dirección IPv6 local. . . : fe80::1%12\n   \
         Dirección IPv4. . . . . . . . . . . . . . : 10.1.6.84(Preferido)\n   Máscara de subred . . . . . . . . . . . . : 255.255.255.0\n   \
         Servidores DNS. . . . . . . . . . . . . . : 1.1.1.1\n                                       \
         DoH: https://cloudflare-dns.com/dns-query\n                                       9.9.9.9\n",
    );
    assert_eq!((status, language.as_deref()), (CaptureStatus::Parsed, Some("es")));
    let adapter = &data.adapters[0];
    assert_eq!((adapter.name.as_deref(), adapter.medium), (Some("Ethernet"), Some(Medium::Ethernet)));
    assert_eq!((adapter.ipv6[0].scope, adapter.ipv6[0].link_local), (Some(12), true));
    assert_eq!(
        (adapter.ipv4[0].address.as_str(), adapter.ipv4[0].mask.as_deref()),
        ("10.1.6.84", Some("255.255.255.0"))
    );
    let servers: Vec<_> =
        adapter.dns_servers.iter().map(|server| (server.address.as_str(), server.line)).collect();
    assert_eq!(servers, [("1.1.1.1", 8), ("9.9.9.9", 10)]);
}

#[test]
fn each_mask_belongs_to_the_address_before_it() {
    let mut text = "Windows IP 配置\n\n以太网适配器 本地连接 2:\n\n".to_owned();
    for last in 2..37 {
        text.push_str(&format!(
            "   IPv4 地址 . . . . . . . . . . . . : 192.168.1.{last}(首选) \n   子网掩码  . . . . . . . . . . . . : 255.255.255.{}\n",
            if last % 2 == 0 { 0 } else { 128 }
        ));
    }
    let (_, _, data) = read_one(&text);
    assert_eq!(data.adapters[0].ipv4.len(), 35);
    assert_eq!(data.adapters[0].ipv4[1].mask.as_deref(), Some("255.255.255.128"));
}

#[test]
fn an_unknown_language_is_read_by_type_and_what_may_be_several_things_is_said() {
    // Estonian: no table has it. The gateway cannot be told from an address by its type.
    let (status, language, data) = read_one(
        "Ethernet adapter Ethernet:\n\n   Füüsiline aadress . . . . . . . . : 00-0C-29-BE-22-8A\n   IPv4-aadress. . . . . . . . . . . : 10.0.0.5\n   \
         Alamvõrgu mask. . . . . . . . . . : 255.255.255.0\n   Vaikelüüs . . . . . . . . . . . . : 10.0.0.1\n   DNS-serverid. . . . . . . . . . . : 10.0.0.2\n",
    );
    let adapter = &data.adapters[0];
    assert_eq!((status, language), (CaptureStatus::Partial, None));
    assert_eq!(
        (adapter.mac.as_deref(), adapter.ipv4[0].mask.as_deref()),
        (Some("00-0C-29-BE-22-8A"), Some("255.255.255.0"))
    );
    assert_eq!((adapter.dns_servers.len(), adapter.gateways.len()), (1, 0));
}

#[test]
fn console_wrapping_inside_an_address() {
    // Pitfall 9; the lines are 80 wide as in ipconfig/it-win7-1.
    let line = "   Indirizzo IPv6 . . . . . . . . . . . . . . . . . : 2001:0:9d38:78cf:c02:3711:";
    assert_eq!(line.len(), 80);
    let (_, _, data) = read_one(&format!(
        "Scheda Tunnel x:\n\n   Suffisso DNS specifico per connessione: y\n{line}\na4ee:a12d\n   Gateway predefinito . . . . . . . . . :\n"
    ));
    assert_eq!(data.adapters.len(), 1);
    assert_eq!(data.adapters[0].ipv6[0].address, "2001:0:9d38:78cf:c02:3711:a4ee:a12d");
}

#[test]
fn empty_names_and_empty_values() {
    let (_, _, data) = read_one(
        "Windows IP Configuration\n\nEthernet adapter :\n\n   Default Gateway . . . . . . . . . : \n   Media State . . . : Media disconnected\n",
    );
    let adapter = &data.adapters[0];
    assert_eq!(
        (adapter.name.as_deref(), adapter.gateways.len(), adapter.media_disconnected),
        (Some(""), 0, true)
    );
}
