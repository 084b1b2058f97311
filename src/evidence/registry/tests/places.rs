//! Whose hive is whose, and which machine is analysed.

use super::*;

#[test]
fn every_user_hive_goes_to_its_account() {
    let jane = "S-1-5-21-1-2-3-1001";
    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .hive("hives/evidence-1", profile(jane).key(r"Software\T").dword("v", 1))
        .hive(
            "ServiceProfiles/NetworkService/NTUSER.DAT",
            profile("S-1-5-20").key(r"Software\T").dword("v", 2),
        )
        .hive("config/DEFAULT", HiveBuilder::new().key(r"Software\T").dword("v", 3).key("Control Panel"))
        .hive(
            "Users/Default/NTUSER.DAT",
            HiveBuilder::new().key(r"Software\T").dword("v", 4).key("AppEvents"),
        )
        .hive(
            "UsrClass.dat",
            profile(jane).root_name(&format!("{jane}_Classes")).key("Local Settings").dword("v", 5),
        )
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    let value = |path: &str| found(&registry.value(path, "v")).0;
    assert_eq!(value(&format!(r"HKU\{jane}\Software\T")), 1);
    assert_eq!(value(r"HKU\S-1-5-20\Software\T"), 2);
    assert_eq!(value(r"HKU\S-1-5-18\Software\T"), 3);
    assert_eq!(value(r"HKU\.DEFAULT\Software\T"), 3);
    assert_eq!(value(&format!(r"HKU\{jane}\Software\Classes\Local Settings")), 5);
    let users: Vec<_> = registry.user_hives().collect();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].sid, Some(Sid::new(jane)));
    assert_eq!(users[0].name.as_deref(), Some("jane"));
    assert_eq!(users[0].profile.as_deref(), Some(r"C:\Users\jane"));
    assert_eq!(users[0].artifact, ArtifactId(0));
    assert_eq!(value(&users[0].path(r"Software\T")), 1);
    assert_eq!(registry.user(&Sid::new("S-1-5-20")).map(UserHive::is_service), Some(true));
    assert_eq!(registry.conflicts().len(), 1);
    assert_eq!(registry.conflicts()[0].ignored, [ArtifactId(3)]);
    assert!(registry.conflicts()[0].what.contains("template"));
}

#[test]
fn a_network_service_hive_that_lost_its_account_keeps_its_place() {
    let admin = profile("S-1-5-21-1-2-3-1001").key(r"Software\T").dword("v", 1);
    let registry = Bundle::default().hive("ServiceProfiles/NetworkService/NTUSER.DAT", admin).mount();
    assert_eq!(found(&registry.value(r"HKU\S-1-5-20\Software\T", "v")).0, 1);
    let security = registry.security(r"HKU\S-1-5-20").found().unwrap().value.clone();
    assert_eq!(security.allowed(&Sid::new("S-1-5-20")), 0);
}

#[test]
fn the_profile_list_knows_whose_folder_it_is() {
    let nobody = HiveBuilder::new().key(r"Software\T").dword("v", 1).key("Control Panel");
    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .hive("C/Users/Jane/NTUSER.DAT", nobody)
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    assert_eq!(found(&registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v")).0, 1);
}

#[test]
fn an_export_of_the_current_user_says_whose_it_is_only_with_the_volatile_environment() {
    let office = "[HKEY_CURRENT_USER\\Software\\T]\r\n\"v\"=dword:00000001\r\n";
    let registry = Bundle::default().reg("hkcu.reg", office).mount();
    let user = registry.user_hives().next().unwrap();
    assert_eq!((user.sid.as_ref(), user.mount.as_str()), (None, "HKCU"));
    assert_eq!(found(&registry.value(&user.path(r"Software\T"), "v")).0, 1);
    assert_eq!(
        unknown(registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v")).0,
        "NTUSER.DAT of the user"
    );

    let volatile = "[HKEY_CURRENT_USER\\Volatile Environment]\r\n\"USERNAME\"=\"Jane\"\r\n\"USERPROFILE\"=\"C:\\\\Users\\\\jane\"\r\n";
    let named = Bundle::default().reg("hkcu.reg", &format!("{office}\r\n{volatile}"));
    assert_eq!(named.mount().user_hives().next().unwrap().name.as_deref(), Some("Jane"));

    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .reg("hkcu.reg", &format!("{office}\r\n{volatile}"))
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    let user = registry.user_hives().next().unwrap();
    assert_eq!(user.sid, Some(Sid::new("S-1-5-21-1-2-3-1001")));
    assert_eq!(found(&registry.value(&user.path(r"Software\T"), "v")).0, 1);
    assert_eq!(found(&registry.value(r"HKCU\Software\T", "v")).0, 1);
}

#[test]
fn two_hives_of_one_place_are_not_mixed() {
    let newer =
        system().last_written(DEFAULT_TIME + DAY).key(r"ControlSet001\Services\NlaSvc").dword("Start", 3);
    let registry = Bundle::default().hive("a/SYSTEM", system()).hive("b/SYSTEM", newer).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).0, 3);
    let conflict = &registry.conflicts()[0];
    assert_eq!((conflict.used, conflict.ignored.as_slice()), (Some(ArtifactId(1)), &[ArtifactId(0)][..]));
    // A backup copy comes last, however new.
    let backup = system().last_written(DEFAULT_TIME + DAY);
    let registry =
        Bundle::default().hive("config/RegBack/SYSTEM", backup).hive("config/SYSTEM", system()).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).1.artifact, ArtifactId(1));
}

#[test]
fn the_machine_with_the_most_evidence_is_analysed() {
    // domain.md section 13, decision 24.
    let named = |name: &str| {
        system().key(r"ControlSet001\Control\ComputerName\ComputerName").sz("ComputerName", name)
    };
    let user =
        |rid: &str, number| profile(&format!("S-1-5-21-1-2-3-{rid}")).key(r"Software\T").dword("v", number);
    let registry = Bundle::default()
        .hive("pc1/config/SYSTEM", named("PC1").last_written(DEFAULT_TIME + DAY))
        .hive("pc1/users/u/NTUSER.DAT", user("1001", 1))
        .hive("pc2/config/SYSTEM", named("PC2"))
        .hive("pc2/config/SOFTWARE", software())
        .hive("pc2/users/u/NTUSER.DAT", user("1002", 2))
        .reg("pc1/x.reg", &format!("[{NLA}]\r\n\"Start\"=dword:00000004\r\n"))
        .mount();
    let start = registry.value(NLA, "Start");
    assert_eq!((found(&start).1.artifact, found(&start).1.doubts.len()), (ArtifactId(2), 0));
    assert!(registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v").is_unknown());
    assert!(registry.value(r"HKU\S-1-5-21-1-2-3-1002\Software\T", "v").found().is_some());
    let conflict = &registry.conflicts()[0];
    assert_eq!(conflict.ignored, [ArtifactId(0), ArtifactId(1), ArtifactId(5)]);
    assert!(conflict.what.contains("PC1") && conflict.what.contains("PC2"));
}
