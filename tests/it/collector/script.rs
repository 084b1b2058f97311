//! The script itself: it parses, it only reads, and PowerShell 2.0 can run it.

use actriage::collector::SCRIPT;
use actriage::collector::render::probe_hosts;
use actriage::collector::table::TABLE;

use super::syntax::faults;

#[test]
fn the_script_parses_and_only_reads() {
    let faults = faults(SCRIPT);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Each line is put where the script collects; the walk must name it.
#[test]
fn the_walk_catches_what_is_forbidden() {
    let bad: &[(&str, &str)] = &[
        ("Set-ItemProperty -Path 'HKLM:\\SYSTEM' -Name a -Value 1", "not an allowed command"),
        ("sc.exe config NlaSvc start= auto", "not an allowed command"),
        ("sc.exe stop NlaSvc", "not an allowed command"),
        ("netsh.exe winhttp reset proxy", "not an allowed command"),
        ("netsh.exe winsock reset", "not an allowed command"),
        ("reg.exe add HKLM\\SYSTEM /v a /d 1 /f", "not an allowed command"),
        ("reg.exe save HKLM\\SYSTEM C:\\other.hiv /y", "another place than $File"),
        ("reg.exe export HKLM\\SAM C:\\sam.reg /y", "not an allowed command"),
        ("wevtutil.exe cl System", "not an allowed command"),
        ("wevtutil.exe sl System /e:true", "not an allowed command"),
        ("cmd.exe /c del C:\\x", "not an allowed command"),
        ("dsregcmd.exe /leave", "not an allowed command"),
        ("w32tm.exe /resync", "not an allowed command"),
        ("ipconfig.exe /flushdns", "not an allowed command"),
        ("Copy-Item -LiteralPath $a -Destination C:\\Windows", "another place than $File"),
        ("Remove-Item -LiteralPath C:\\ -Recurse -Force", "not an allowed command"),
        ("Invoke-Expression $x", "not an allowed command"),
        ("iex $x", "not an allowed command"),
        ("Start-Process notepad.exe", "not an allowed command"),
        ("Invoke-WebRequest http://example.com", "not an allowed command"),
        ("New-Object Diagnostics.Process", "not an allowed command"),
        ("& $x", "what an expression gives"),
        (". $x", "what an expression gives"),
        ("& 'C:\\x.exe'", "what an expression gives"),
        ("'a' > C:\\x.txt", "redirection that writes"),
        ("ipconfig.exe /all >> C:\\x.txt", "redirection that writes"),
        ("[IO.File]::Delete('C:\\x')", "not an allowed method"),
        ("[IO.File]::WriteAllText('C:\\x', 'y')", "not an allowed call"),
        ("[Diagnostics.Process]::Start('x')", "not an allowed type"),
        ("[Microsoft.Win32.Registry]::SetValue('a', 'b', 1)", "not an allowed type"),
        ("$x.Delete()", "not an allowed method"),
        ("$x.$y()", "not an allowed method"),
        ("$env:PATH = 'C:\\x'", "no variable of the script"),
        ("${HKLM:x} = 1", "no variable of the script"),
        ("$x.Enabled = $true", "no variable of the script"),
        ("nslookup.exe example.com", "outside a probe"),
        ("(New-Object Net.WebClient).DownloadString('http://example.com')", "not an allowed call"),
        ("Test-Port example.com 443", "outside a probe"),
        ("\"$(Stop-Service NlaSvc)\"", "not an allowed command"),
        ("@\"\n$(Stop-Service NlaSvc)\n\"@", "not an allowed command"),
        ("if ($a -in $b) { 1 }", "not in PowerShell 2.0"),
        ("$a = [ordered]@{ b = 1 }", "not an allowed type"),
        ("$a = [pscustomobject]@{ b = 1 }", "not an allowed type"),
        ("[Text.StringBuilder]::new()", "not an allowed"),
        ("$a.Where({ $_ })", "not an allowed method"),
        ("$a | Where-Object Name -eq 'b'", "without a block"),
        ("Write-Host $PSScriptRoot", "not in PowerShell 2.0"),
        ("Get-NetConnectionProfile", "nothing asks whether it is there"),
        ("ConvertTo-Json $a", "nothing asks whether it is there"),
        ("Write-Host 'caf\u{e9}'", "not ASCII"),
        ("if (", "does not parse"),
    ];
    for (line, expected) in bad {
        let script = format!("{SCRIPT}\n{line}\n");
        let found = faults(&script);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{line}\n{found:#?}");
    }
    // And the lines that stand beside them in the script are fine.
    for line in ["ipconfig.exe /all", "$a = 1", "Write-Host 'x'", "$b = Get-Date"] {
        assert_eq!(faults(&format!("{SCRIPT}\n{line}\n")), Vec::<String>::new());
    }
}

#[test]
fn it_never_touches_secrets() {
    let script = SCRIPT.to_lowercase();
    // The hives of passwords, the tokens of the broker, the Security log, pictures of the screen.
    for word in [
        "hklm\\sam",
        "hklm\\security",
        "tokenbroker\\cache",
        "tokenbroker\\accounts",
        "channel = 'security'",
        "copyfromscreen",
    ] {
        assert!(!script.contains(word), "{word}");
    }
    let channels: Vec<&str> = TABLE.iter().filter_map(|item| item.channel).collect();
    assert!(!channels.iter().any(|channel| channel.eq_ignore_ascii_case("Security")));
}

/// Everything that `-Probe` asks is named before the consent: the hosts by the list that the probes use, the rest by its name.
#[test]
fn the_consent_names_every_probe() {
    let consent =
        &SCRIPT[SCRIPT.find("-Probe also asks the network").unwrap()..SCRIPT.find("if ($WhatIf)").unwrap()];
    for name in [
        "$ProbeNames",
        "crl.microsoft.com",
        "http://www.msftconnecttest.com/connecttest.txt",
        "time.windows.com",
        "8.8.8.8",
        "msoid.",
    ] {
        assert!(consent.contains(name), "{name}");
    }
    let probes: Vec<_> = TABLE.iter().filter(|item| item.is_probe()).collect();
    let asked =
        probes.iter().flat_map(|item| &item.runs).map(|run| run.command).collect::<Vec<_>>().join("\n");
    // Whatever looks like a host in the commands of the probes is in the consent text.
    for word in asked.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))) {
        let host = word.matches('.').count() >= 1 && word.ends_with(".com") || word == "8.8.8.8";
        assert!(!host || consent.contains(word), "{word}");
    }
    assert!(probe_hosts().len() > 10);
}

#[test]
fn a_security_team_can_read_it_in_ten_minutes() {
    let table = SCRIPT
        .lines()
        .skip_while(|line| !line.contains("BEGIN TABLE"))
        .take_while(|line| !line.contains("END TABLE"));
    let rest = SCRIPT.lines().count() - table.count();
    assert!(rest < 420, "{rest} lines beside the table");
}
