//! Walks the syntax tree of a PowerShell script and names everything that is more than reading, and everything that PowerShell 2.0 lacks.
//!
//! The lists below say what is allowed; whatever is not in them is a fault. So a new line of the script that does anything new fails
//! here until somebody has looked at it and put it on a list.

use tree_sitter::{Node, Parser};

/// Commands, and how their arguments must begin (blanks count as one). An empty list: with any arguments.
const COMMANDS: &[(&str, &[&str])] = &[
    // Reads, shapes and shows.
    ("ConvertTo-Json", &[]),
    ("ForEach-Object", &[]),
    ("Format-List", &[]),
    ("Get-Acl", &["-Path 'Registry::"]),
    ("Get-AppxPackage", &[]),
    ("Get-ChildItem", &["-Path 'Registry::", "-Path \"Registry::", "-Path Env:", "-Path $Folder"]),
    ("Get-Command", &[]),
    ("Get-Culture", &[]),
    ("Get-Date", &[]),
    ("Get-HotFix", &[]),
    ("Get-Item", &["-LiteralPath $Written -Force", "-LiteralPath $Zip"]),
    ("Get-ItemProperty", &["-LiteralPath 'Registry::", "-LiteralPath $Key", "-LiteralPath $_.PSPath"]),
    ("Get-NetAdapterBinding", &[]),
    ("Get-NetConnectionProfile", &[]),
    ("Get-UICulture", &[]),
    ("Group-Object", &[]),
    ("Join-Path", &[]),
    ("Out-String", &[]),
    ("Pop-Location", &[]),
    ("Push-Location", &["-LiteralPath $Each"]),
    ("Read-Host", &[]),
    ("Select-Object", &[]),
    ("Sort-Object", &[]),
    ("Split-Path", &[]),
    ("Start-Sleep", &[]),
    ("Test-Path", &[]),
    ("Where-Object", &[]),
    ("Write-Host", &[]),
    ("Write-Progress", &[]),
    ("Write-Verbose", &[]),
    // Make objects: of the types below only.
    ("Add-Type", &["-AssemblyName System.Core", "-AssemblyName System.IO.Compression.FileSystem"]),
    ("New-Object", NEW_OBJECTS),
    // Write, into the result folder only.
    ("Copy-Item", &[]),
    ("Export-Clixml", &["-Path $Result.twin"]),
    (
        "New-Item",
        &["-ItemType Directory -Path $Parent", "-ItemType Directory -Path (Join-Path $OutputPath $Name)"],
    ),
    ("Remove-Item", &["-LiteralPath $Folder -Recurse -Force"]),
    // Windows' own commands, in their reading forms.
    ("cmd.exe", &["/d /c dir /a /s"]),
    ("cscript.exe", &["//nologo $Ospp /dstatus"]),
    ("driverquery.exe", &[]),
    ("dsregcmd.exe", &["/status"]),
    ("fltmc.exe", &["filters"]),
    ("ipconfig.exe", &["/all"]),
    (
        "netsh.exe",
        &[
            "winsock show catalog",
            "winhttp show proxy",
            "winhttp show advproxy",
            "advfirewall show allprofiles",
            "advfirewall firewall show rule",
        ],
    ),
    (
        "powershell.exe",
        &["-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File $Script -action list"],
    ),
    ("reg.exe", &["save ", "export $Each $File /y", "query $Each"]),
    ("sc.exe", &["queryex "]),
    ("systeminfo.exe", &[]),
    ("tasklist.exe", &["/svc"]),
    ("w32tm.exe", &["/query ", "/stripchart "]),
    ("wevtutil.exe", &["qe $Row.Channel /c:1 /f:xml", "epl $Row.Channel $File "]),
    // Ask the network.
    ("nslookup.exe", &[]),
    ("Resolve-DnsName", &["-Name $Name"]),
    ("Test-Port", &[]),
];

const NEW_OBJECTS: &[&str] = &[
    "Collections.Specialized.OrderedDictionary",
    "-ComObject Shell.Application",
    "Net.Sockets.TcpClient",
    "Net.WebClient",
    "PSObject -Property",
    "Security.Cryptography.SHA256CryptoServiceProvider",
    "Security.Principal.NTAccount $User",
    "Security.Principal.WindowsPrincipal $Me",
    "Text.StringBuilder",
    "Text.UTF8Encoding $true",
];

/// What these must end with, besides: they name what is written.
const ENDINGS: &[(&str, &str, &str)] =
    &[("Copy-Item", "", "-Destination $File"), ("reg.exe", "save ", "$File /y")];

/// Whatever asks the network, allowed in rows of the category `probe` and in the function that only they call.
const NETWORK: &[&str] =
    &["nslookup.exe", "Resolve-DnsName", "Test-Port", "Net.WebClient", "w32tm.exe /stripchart"];

/// Methods.
const METHODS: &[&str] = &[
    "Add",
    "AddDays",
    "Append",
    "BeginConnect",
    "Close",
    "ComputeHash",
    "Contains",
    "CopyHere",
    "Create",
    "CreateFromDirectory",
    "DownloadString",
    "EndConnect",
    "ExpandEnvironmentVariables",
    "GetCurrent",
    "GetUtcOffset",
    "IndexOf",
    "IsInRole",
    "Items",
    "NameSpace",
    "OpenRead",
    "Replace",
    "Split",
    "StartNew",
    "Substring",
    "ToCharArray",
    "ToLocalTime",
    "ToLower",
    "ToString",
    "ToUniversalTime",
    "Translate",
    "Trim",
    "WaitOne",
    "WriteAllBytes",
    "WriteAllText",
];

/// Methods that write or ask, and the only calls of them.
const CALLS: &[(&str, &[&str])] = &[
    ("WriteAllText", &["[IO.File]::WriteAllText($Path, $Text, "]),
    ("WriteAllBytes", &["[IO.File]::WriteAllBytes($Zip, $Empty)"]),
    ("CreateFromDirectory", &["[IO.Compression.ZipFile]::CreateFromDirectory($Folder, $Zip)"]),
    ("CopyHere", &["$Shell.NameSpace($Zip).CopyHere($Shell.NameSpace($Folder).Items(), 20)"]),
    ("Create", &["[Security.Cryptography.SHA256]::Create()"]),
    (
        "DownloadString",
        &["(New-Object Net.WebClient).DownloadString('http://www.msftconnecttest.com/connecttest.txt')"],
    ),
    ("OpenRead", &["[IO.File]::OpenRead($Path)"]),
];

/// Types.
const TYPES: &[&str] = &[
    "array",
    "BitConverter",
    "bool",
    "byte[]",
    "CmdletBinding",
    "Collections.IDictionary",
    "Console",
    "DateTime",
    "Diagnostics.Stopwatch",
    "Environment",
    "int",
    "IO.Compression.ZipFile",
    "IO.File",
    "long",
    "Management.Automation.ErrorRecord",
    "Security.Cryptography.SHA256",
    "Security.Principal.SecurityIdentifier",
    "Security.Principal.WindowsBuiltInRole",
    "Security.Principal.WindowsIdentity",
    "string",
    "string[]",
    "switch",
    "TimeZone",
    "void",
];

/// Cmdlets of the list above that came after PowerShell 2.0 or only with Windows 8: used behind a question whether they are there.
const LATER_CMDLETS: &[&str] = &[
    "ConvertTo-Json",
    "Get-AppxPackage",
    "Get-NetAdapterBinding",
    "Get-NetConnectionProfile",
    "Resolve-DnsName",
];

/// Tokens and variables that came after PowerShell 2.0.
const LATER_WORDS: &[&str] = &[
    "-in",
    "-notin",
    "-shl",
    "-shr",
    "&&",
    "||",
    "??",
    "??=",
    "?.",
    "?[",
    "*>",
    "*>&1",
    "class",
    "enum",
    "using",
    "workflow",
    "parallel",
    "sequence",
    "inlinescript",
    "configuration",
    "$PSItem",
    "$PSCommandPath",
    "$PSScriptRoot",
    "$IsWindows",
];

/// Kinds of nodes that no version of the script needs, or that PowerShell 2.0 lacks.
const FORBIDDEN_KINDS: &[&str] = &[
    "class_statement",
    "enum_statement",
    "parallel_statement",
    "sequence_statement",
    "inlinescript_statement",
    "data_statement",
    "ternary_expression",
    "ternary_argument_expression",
    "file_redirection_operator",
    "stop_parsing",
    "trap_statement",
];

/// Everything that is wrong with a script, each with its line.
pub fn faults(script: &str) -> Vec<String> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    let mut walk = Walk { script, functions: Vec::new(), faults: Vec::new() };
    for (number, line) in script.lines().enumerate() {
        if !line.is_ascii() {
            walk.faults.push(format!("line {}: not ASCII: {line}", number + 1));
        }
    }
    let mut nodes = vec![tree.root_node()];
    let mut all = Vec::new();
    while let Some(node) = nodes.pop() {
        all.push(node);
        let mut cursor = node.walk();
        nodes.extend(node.children(&mut cursor));
    }
    walk.functions = all
        .iter()
        .filter(|node| node.kind() == "function_name")
        .map(|node| walk.text(*node).to_owned())
        .collect();
    all.sort_by_key(Node::start_byte);
    for node in all {
        walk.node(node);
    }
    walk.faults
}

struct Walk<'s> {
    script: &'s str,
    functions: Vec<String>,
    faults: Vec<String>,
}

impl<'s> Walk<'s> {
    fn text(&self, node: Node<'_>) -> &'s str {
        &self.script[node.byte_range()]
    }

    fn fault(&mut self, node: Node<'_>, what: &str) {
        let line = node.start_position().row + 1;
        let text = self.text(node).lines().next().unwrap_or_default();
        self.faults.push(format!("line {line}: {what}: {text}"));
    }

    fn node(&mut self, node: Node<'_>) {
        if node.is_error() || node.is_missing() {
            self.fault(node, "does not parse");
        }
        if FORBIDDEN_KINDS.contains(&node.kind()) {
            self.fault(node, "not allowed");
        }
        let text = self.text(node);
        let is_code = !matches!(
            node.kind(),
            "comment" | "verbatim_string_characters" | "simple_name" | "generic_token"
        );
        if is_code
            && node.child_count() == 0
            && LATER_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
        {
            self.fault(node, "not in PowerShell 2.0");
        }
        match node.kind() {
            "command" => self.command(node),
            "invokation_expression" => self.invocation(node),
            "type_literal" | "attribute" => self.type_name(node),
            "redirection" if text != "2>&1" => self.fault(node, "a redirection that writes"),
            "left_assignment_expression" => self.assignment(node),
            _ => {}
        }
    }

    fn command(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("command_name") else {
            return self.fault(node, "a command without a name");
        };
        let text = words(self.text(node));
        if name.kind() != "command_name" {
            if text != "& $Try.Block 2>&1" {
                self.fault(node, "runs what an expression gives");
            }
            return;
        }
        let name = self.text(name);
        if text.starts_with(['&', '.']) {
            return self.fault(node, "runs a name as a script");
        }
        let arguments = text.strip_prefix(name).unwrap_or_default().trim_start();
        let beginnings =
            COMMANDS.iter().find(|(command, _)| *command == name).map(|(_, beginnings)| *beginnings);
        let own = self.functions.iter().any(|function| function == name);
        let allowed = match beginnings {
            None => own,
            Some([]) => true,
            Some(list) => list.iter().any(|beginning| {
                arguments.strip_prefix(beginning).is_some_and(|rest| {
                    rest.is_empty() || beginning.ends_with([' ', ':']) || rest.starts_with([' ', ')'])
                })
            }),
        };
        if !allowed {
            self.fault(node, "not an allowed command");
        }
        for (command, beginning, ending) in ENDINGS {
            if name == *command && arguments.starts_with(beginning) && !arguments.ends_with(ending) {
                self.fault(node, "writes to another place than $File");
            }
        }
        if LATER_CMDLETS.contains(&name) && !self.is_guarded(node, name) {
            self.fault(node, "not in PowerShell 2.0, and nothing asks whether it is there");
        }
        if matches!(name, "Where-Object" | "ForEach-Object") && !arguments.starts_with('{') {
            self.fault(node, "not in PowerShell 2.0: a filter without a block");
        }
        let asks = NETWORK.iter().any(|start| text.starts_with(start) || arguments.starts_with(start));
        if asks && !self.is_in_probe(node) {
            self.fault(node, "asks the network outside a probe");
        }
    }

    fn ancestors(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
        std::iter::successors(node.parent(), Node::parent)
    }

    /// Behind `if (Get-Command NAME …)`, or in a block of the table that needs it.
    fn is_guarded(&self, node: Node<'_>, name: &str) -> bool {
        Self::ancestors(node).any(|above| match above.kind() {
            "if_statement" => {
                let condition = above.child_by_field_name("condition").map(|condition| self.text(condition));
                condition.is_some_and(|text| text.contains(&format!("Get-Command {name} ")))
            }
            "hash_literal_expression" => self.text(above).starts_with(&format!("@{{ Needs = '{name}';")),
            _ => false,
        })
    }

    fn is_in_probe(&self, node: Node<'_>) -> bool {
        Self::ancestors(node).any(|above| {
            let text = words(self.text(above).lines().next().unwrap_or_default());
            above.kind() == "hash_literal_expression" && text.contains("Category = 'probe';")
        })
    }

    fn invocation(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let member = node.children(&mut cursor).filter(|child| child.kind() == "member_name").last();
        let Some(member) = member else { return self.fault(node, "calls what an expression gives") };
        let name = self.text(member);
        if !METHODS.contains(&name) {
            self.fault(node, "not an allowed method");
        }
        let text = words(self.text(node));
        if let Some((_, calls)) = CALLS.iter().find(|(method, _)| *method == name)
            && !calls.iter().any(|call| text.starts_with(call))
        {
            self.fault(node, "not an allowed call");
        }
    }

    fn type_name(&mut self, node: Node<'_>) {
        let text = self.text(node).trim_start_matches('[');
        let text = text.strip_suffix(']').unwrap_or(text).trim_end_matches("()");
        let known = |name: &str| TYPES.contains(&name);
        if !known(text) && !known(&format!("{text}]")) {
            self.fault(node, "not an allowed type");
        }
    }

    /// Variables of the script only: no environment, no drive, no property of a foreign object.
    fn assignment(&mut self, node: Node<'_>) {
        let text = self.text(node);
        let drive = text.contains(':') && text != "$global:LASTEXITCODE";
        let property = text.contains('.') && !text.starts_with("$Result.");
        if drive || property || text.contains('[') {
            self.fault(node, "assigns to something that is no variable of the script");
        }
    }
}

/// With single blanks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
