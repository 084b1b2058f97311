//! PowerShell `Get-ItemProperty` lists of registry keys.
