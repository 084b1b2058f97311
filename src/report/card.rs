//! The machine card: what stands at the top of every report. Null where something is not known, never a guess.

use serde::Serialize;

use crate::checks::case::Case;
use crate::evidence::Lookup;
use crate::evidence::registry::UserHive;
use crate::facts::licence::Mode;
use crate::facts::machine::{JoinState, Machine};
use crate::facts::network::Network;

/// The machine.
#[derive(Debug, Serialize)]
pub struct Card {
    /// Computer name.
    pub computer: Option<String>,
    /// Windows.
    pub os: OsInfo,
    /// Office.
    pub office: OfficeInfo,
    /// SIDs of the users whose hives were collected.
    pub users: Vec<String>,
    /// The user who is taken for the affected one.
    pub affected_user: Option<UserInfo>,
    /// Users whose hives were collected, the affected one first.
    pub accounts: Vec<Account>,
    /// How the device is joined.
    pub join: JoinInfo,
    /// The way to the internet of each stack.
    pub proxy: ProxyInfo,
    /// Connected networks; null when that is not known.
    pub networks: Option<Vec<Network>>,
    /// Time zone.
    pub time_zone: TimeZoneInfo,
    /// What made the collection, or the layout that it has.
    pub collected_by: &'static str,
}

/// Windows.
#[derive(Debug, Serialize)]
pub struct OsInfo {
    /// Product, named by its build.
    pub product: Option<String>,
    /// Build.
    pub build: Option<u32>,
    /// Update build revision.
    pub ubr: Option<u32>,
    /// `client` or `server`.
    pub edition: Option<&'static str>,
    /// `x86`, `x64` or `arm64`.
    pub architecture: Option<&'static str>,
}

/// Office.
#[derive(Debug, Serialize)]
pub struct OfficeInfo {
    /// `VersionToReport`.
    pub version: Option<String>,
    /// `ProductReleaseIds`.
    pub products: Vec<String>,
    /// `x86` or `x64`.
    pub bitness: Option<String>,
    /// Update channel.
    pub channel: Option<String>,
    /// How it is licensed.
    pub licence_mode: Option<Mode>,
}

/// The affected user.
#[derive(Debug, Serialize)]
pub struct UserInfo {
    /// SID; null when the hive does not show it.
    pub sid: Option<String>,
    /// Name of the profile.
    pub name: Option<String>,
    /// How the user was chosen.
    pub why: String,
    /// Why another user may be meant.
    pub doubt: Option<String>,
}

/// A user whose hive was collected.
#[derive(Debug, Serialize)]
pub struct Account {
    /// SID.
    pub sid: Option<String>,
    /// Name of the profile.
    pub name: Option<String>,
    /// Whether this is the affected user.
    pub affected: bool,
}

/// `dsregcmd /status`.
#[derive(Debug, Serialize)]
pub struct JoinInfo {
    /// In a word.
    pub state: Option<JoinState>,
    /// Joined to the cloud directory.
    pub entra: Option<bool>,
    /// Joined to a domain.
    pub domain: Option<bool>,
    /// Joined to an on-premises registration service.
    pub enterprise: Option<bool>,
    /// A work account is registered.
    pub workplace: Option<bool>,
}

/// What is in force, in words, without credentials.
#[derive(Debug, Serialize)]
pub struct ProxyInfo {
    /// Services (WinHTTP).
    pub winhttp: Option<String>,
    /// Programs of the affected user (WinINET).
    pub wininet: Option<String>,
    /// For whom the programs' proxy is kept, by policy.
    pub scope: Option<&'static str>,
    /// Environment variables that name a proxy.
    pub environment: Option<Vec<String>>,
}

/// The time zone.
#[derive(Debug, Serialize)]
pub struct TimeZoneInfo {
    /// As Windows calls it.
    pub name: Option<String>,
    /// Minutes that local time is ahead of UTC.
    pub utc_offset_minutes: Option<i32>,
}

fn known<T>(answer: Lookup<T>) -> Option<T> {
    match answer {
        Lookup::Found(found) => Some(found.value),
        Lookup::Absent(_) | Lookup::Unknown(_) => None,
    }
}

fn sid(user: &UserHive) -> Option<String> {
    user.sid.as_ref().map(|sid| sid.0.clone())
}

impl Card {
    /// The card of a machine.
    pub fn of(case: &Case<'_>) -> Self {
        let machine = Machine::read(case);
        let users = &case.evidence.users;
        let affected = known(machine.affected);
        let mut sids: Vec<String> = case.evidence.registry.user_hives().filter_map(sid).collect();
        sids.sort();
        sids.dedup();
        let account =
            |user: &UserHive, affected: bool| Account { sid: sid(user), name: user.name.clone(), affected };
        let mut accounts: Vec<Account> = affected.iter().map(|user| account(user, true)).collect();
        accounts.extend(users.others().map(|user| account(user, false)));
        let affected_user = affected.zip(users.choice()).map(|(user, choice)| UserInfo {
            sid: sid(&user),
            name: user.name,
            why: choice.why.clone(),
            doubt: choice.doubt.clone(),
        });
        Self {
            computer: known(machine.computer),
            os: OsInfo {
                product: known(machine.windows.product),
                build: known(machine.windows.build),
                ubr: known(machine.windows.ubr),
                edition: known(machine.windows.edition),
                architecture: known(machine.windows.architecture),
            },
            office: OfficeInfo {
                version: known(machine.office.version),
                products: known(machine.office.products).unwrap_or_default(),
                bitness: known(machine.office.platform),
                channel: known(machine.office.channel),
                licence_mode: known(machine.office.licence),
            },
            users: sids,
            affected_user,
            accounts,
            join: JoinInfo {
                state: known(machine.join.state()),
                entra: known(machine.join.entra),
                domain: known(machine.join.domain),
                enterprise: known(machine.join.enterprise),
                workplace: known(machine.join.workplace),
            },
            proxy: ProxyInfo {
                winhttp: known(machine.routes.winhttp),
                wininet: known(machine.routes.wininet),
                scope: known(machine.routes.scope),
                environment: known(machine.routes.environment),
            },
            networks: known(machine.networks),
            time_zone: TimeZoneInfo {
                name: known(machine.time_zone),
                utc_offset_minutes: known(machine.utc_offset),
            },
            collected_by: machine.tool,
        }
    }

    /// The card as rows of a label and a line: at most five, each of which may be longer than a terminal is wide. The time of the
    /// collection belongs to the bundle and is no part of it.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let rows = [
            ("Machine", self.machine_row()),
            ("Office", self.office_row()),
            ("User", self.user_row()),
            ("Proxy", self.proxy_row()),
            ("Network", self.network_row()),
        ];
        rows.into_iter().filter(|(_, line)| !line.is_empty()).collect()
    }

    fn machine_row(&self) -> String {
        let os = &self.os;
        let mut parts: Vec<String> = self.computer.iter().cloned().collect();
        if let Some(product) = &os.product {
            let ubr = os.ubr.map(|ubr| format!(".{ubr}")).unwrap_or_default();
            let build = os.build.map(|build| format!(" (build {build}{ubr})")).unwrap_or_default();
            parts.push(format!("{product}{build}"));
        }
        parts.extend(os.architecture.map(str::to_owned));
        parts.extend(self.join.state.map(|state| state.name().to_owned()));
        if parts.is_empty() { "unknown".to_owned() } else { parts.join(" · ") }
    }

    fn office_row(&self) -> String {
        let office = &self.office;
        let Some(version) = &office.version else { return String::new() };
        let mut parts =
            vec![format!("{version} {}", office.bitness.as_deref().unwrap_or_default()).trim().to_owned()];
        parts.extend(office.channel.clone());
        parts.extend((!office.products.is_empty()).then(|| office.products.join(", ")));
        parts.extend(office.licence_mode.map(|mode| format!("licence mode {}", mode.name())));
        parts.join(" · ")
    }

    fn user_row(&self) -> String {
        let others = self.accounts.iter().filter(|account| !account.affected);
        let name = |name: &Option<String>, sid: &Option<String>| {
            name.clone().or_else(|| sid.clone()).unwrap_or_else(|| "without a name".to_owned())
        };
        let others: Vec<String> = others.map(|account| name(&account.name, &account.sid)).collect();
        let mut parts = Vec::new();
        match &self.affected_user {
            Some(user) => {
                let doubt = if user.doubt.is_some() { ", doubtful" } else { "" };
                parts.push(format!("{} ({}{doubt})", name(&user.name, &user.sid), user.why));
            }
            None if others.is_empty() => return String::new(),
            None => parts.push("affected user unknown".to_owned()),
        }
        parts.extend((!others.is_empty()).then(|| format!("others: {}", others.join(", "))));
        parts.join(" · ")
    }

    fn proxy_row(&self) -> String {
        let proxy = &self.proxy;
        let mut parts = Vec::new();
        parts.extend(proxy.winhttp.as_ref().map(|words| format!("services {words}")));
        parts.extend(proxy.wininet.as_ref().map(|words| format!("programs {words}")));
        parts.extend(
            proxy.scope.filter(|scope| *scope != "each user").map(|scope| format!("policy: {scope}")),
        );
        let named = proxy.environment.as_ref().filter(|named| !named.is_empty());
        parts.extend(named.map(|named| named.join(", ")));
        parts.join(" · ")
    }

    fn network_row(&self) -> String {
        let Some(networks) = &self.networks else { return String::new() };
        if networks.is_empty() {
            return "not connected".to_owned();
        }
        let one = |network: &Network| {
            let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            let category = network.category.iter().map(|category| format!(" {category}")).collect::<String>();
            let name = network.interface.as_deref().unwrap_or("adapter");
            format!("{name}{category}: IPv4 {}, IPv6 {}", known(&network.ipv4), known(&network.ipv6))
        };
        networks.iter().map(one).collect::<Vec<_>>().join(" · ")
    }

    /// The time zone for people: `UTC+01:00, W. Europe Standard Time`.
    pub fn zone(&self) -> Option<String> {
        let offset = self.time_zone.utc_offset_minutes.map(|minutes| {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("UTC{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
        });
        match (offset, &self.time_zone.name) {
            (Some(offset), Some(name)) => Some(format!("{offset}, {name}")),
            (offset, name) => offset.or_else(|| name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_from_east_to_west() {
        let zone = |minutes, name: Option<&str>| {
            let time_zone = TimeZoneInfo { name: name.map(str::to_owned), utc_offset_minutes: minutes };
            card(time_zone).zone()
        };
        assert_eq!(
            zone(Some(60), Some("W. Europe Standard Time")).unwrap(),
            "UTC+01:00, W. Europe Standard Time"
        );
        assert_eq!(zone(Some(-210), None).unwrap(), "UTC-03:30");
        assert_eq!(zone(None, None), None);
    }

    #[test]
    fn an_empty_card_says_so_and_nothing_else() {
        let rows = card(TimeZoneInfo { name: None, utc_offset_minutes: None }).rows();
        assert_eq!(rows, [("Machine", "unknown".to_owned())]);
    }

    fn card(time_zone: TimeZoneInfo) -> Card {
        Card {
            computer: None,
            os: OsInfo { product: None, build: None, ubr: None, edition: None, architecture: None },
            office: OfficeInfo {
                version: None,
                products: Vec::new(),
                bitness: None,
                channel: None,
                licence_mode: None,
            },
            users: Vec::new(),
            affected_user: None,
            accounts: Vec::new(),
            join: JoinInfo { state: None, entra: None, domain: None, enterprise: None, workplace: None },
            proxy: ProxyInfo { winhttp: None, wininet: None, scope: None, environment: None },
            networks: None,
            time_zone,
            collected_by: "loose",
        }
    }
}
