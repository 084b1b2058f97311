//! The rows of `systeminfo` in their order, and what they are called.
//!
//! Order and number of the rows are the same in every language; the names below are those of real captures (and of one public
//! Japanese listing) and serve to name the language and to place rows when some are missing.

use serde::Serialize;

use super::super::shape::label::LabelRow;

/// A row, in the order of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Computer name.
    HostName,
    /// `Microsoft Windows 11 Pro`.
    OsName,
    /// Version, service pack and build.
    OsVersion,
    /// Maker of the system.
    OsManufacturer,
    /// Member workstation, stand-alone server …
    OsConfiguration,
    /// `Multiprocessor Free`.
    OsBuildType,
    /// Owner.
    RegisteredOwner,
    /// Organisation.
    RegisteredOrganization,
    /// Product id (not a key).
    ProductId,
    /// Date of installation, in the user's regional format.
    InstallDate,
    /// Time of the last start, in the user's regional format.
    BootTime,
    /// How long the system has been up (Windows XP, in place of the boot time).
    UpTime,
    /// Maker of the machine.
    SystemManufacturer,
    /// Model of the machine.
    SystemModel,
    /// `x64-based PC`.
    SystemType,
    /// Processors.
    Processors,
    /// BIOS.
    BiosVersion,
    /// `C:\Windows`.
    WindowsDirectory,
    /// `C:\Windows\system32`.
    SystemDirectory,
    /// `\Device\HarddiskVolume1`.
    BootDevice,
    /// `de;Deutsch (Deutschland)`.
    SystemLocale,
    /// The same for the keyboard.
    InputLocale,
    /// `(UTC+01:00) …`.
    TimeZone,
    /// Physical memory.
    TotalMemory,
    /// Free physical memory.
    AvailableMemory,
    /// Virtual memory: maximum.
    VirtualMax,
    /// Virtual memory: free.
    VirtualAvailable,
    /// Virtual memory: in use.
    VirtualInUse,
    /// Page file.
    PageFile,
    /// Domain or work group.
    Domain,
    /// Logon server.
    LogonServer,
    /// Installed updates.
    Hotfixes,
    /// Network cards.
    NetworkCards,
}

impl Slot {
    /// All rows in their order; [`Self::UpTime`] stands where [`Self::BootTime`] does.
    pub const ALL: [Self; 32] = [
        Self::HostName,
        Self::OsName,
        Self::OsVersion,
        Self::OsManufacturer,
        Self::OsConfiguration,
        Self::OsBuildType,
        Self::RegisteredOwner,
        Self::RegisteredOrganization,
        Self::ProductId,
        Self::InstallDate,
        Self::BootTime,
        Self::SystemManufacturer,
        Self::SystemModel,
        Self::SystemType,
        Self::Processors,
        Self::BiosVersion,
        Self::WindowsDirectory,
        Self::SystemDirectory,
        Self::BootDevice,
        Self::SystemLocale,
        Self::InputLocale,
        Self::TimeZone,
        Self::TotalMemory,
        Self::AvailableMemory,
        Self::VirtualMax,
        Self::VirtualAvailable,
        Self::VirtualInUse,
        Self::PageFile,
        Self::Domain,
        Self::LogonServer,
        Self::Hotfixes,
        Self::NetworkCards,
    ];
}

/// What the rows are called. The three rows of virtual memory share the first half of their label and are placed by order.
pub const LABELS: &[LabelRow<Slot>] = &[
    (
        Slot::HostName,
        &[
            ("en", "Host Name"),
            ("de", "Hostname"),
            ("fr", "Nom de l'hôte"),
            ("es", "Nombre de host"),
            ("ru", "Имя узла"),
            ("ja", "ホスト名"),
        ],
    ),
    (
        Slot::OsName,
        &[
            ("en", "OS Name"),
            ("de", "Betriebssystemname"),
            ("fr", "Nom du système d'exploitation"),
            ("es", "Nombre del sistema operativo"),
            ("ru", "Название ОС"),
            ("ja", "OS 名"),
        ],
    ),
    (
        Slot::OsVersion,
        &[
            ("en", "OS Version"),
            ("de", "Betriebssystemversion"),
            ("fr", "Version du système"),
            ("es", "Versión del sistema operativo"),
            ("ru", "Версия ОС"),
            ("ja", "OS バージョン"),
        ],
    ),
    (
        Slot::OsManufacturer,
        &[
            ("en", "OS Manufacturer"),
            ("de", "Betriebssystemhersteller"),
            ("fr", "Fabricant du système d'exploitation"),
            ("es", "Fabricante del sistema operativo"),
            ("ru", "Изготовитель ОС"),
            ("ja", "OS 製造元"),
        ],
    ),
    (
        Slot::OsConfiguration,
        &[
            ("en", "OS Configuration"),
            ("de", "Betriebssystemkonfiguration"),
            ("fr", "Configuration du système d'exploitation"),
            ("es", "Configuración del sistema operativo"),
            ("ru", "Параметры ОС"),
            ("ja", "OS 構成"),
        ],
    ),
    (
        Slot::OsBuildType,
        &[
            ("en", "OS Build Type"),
            ("de", "Betriebssystem-Buildtyp"),
            ("fr", "Type de version du système d'exploitation"),
            ("es", "Tipo de compilación del sistema operativo"),
            ("ru", "Построение ОС"),
        ],
    ),
    (
        Slot::RegisteredOwner,
        &[
            ("en", "Registered Owner"),
            ("de", "Registrierter Benutzer"),
            ("fr", "Propriétaire enregistré"),
            ("es", "Propiedad de"),
            ("ru", "Зарегистрированный владелец"),
        ],
    ),
    (
        Slot::RegisteredOrganization,
        &[
            ("en", "Registered Organization"),
            ("de", "Registrierte Organisation"),
            ("fr", "Organisation enregistrée"),
            ("es", "Organización registrada"),
            ("ru", "Зарегистрированная организация"),
        ],
    ),
    (
        Slot::ProductId,
        &[
            ("en", "Product ID"),
            ("de", "Produkt-ID"),
            ("fr", "Identificateur de produit"),
            ("es", "Id. del producto"),
            ("ru", "Код продукта"),
        ],
    ),
    (
        Slot::InstallDate,
        &[
            ("en", "Original Install Date"),
            ("de", "Ursprüngliches Installationsdatum"),
            ("fr", "Date d'installation originale"),
            ("es", "Fecha de instalación original"),
            ("ru", "Дата установки"),
        ],
    ),
    (
        Slot::BootTime,
        &[
            ("en", "System Boot Time"),
            ("en", "System Up Time"),
            ("de", "Systemstartzeit"),
            ("fr", "Heure de démarrage du système"),
            ("es", "Tiempo de arranque del sistema"),
            ("ru", "Время загрузки системы"),
            ("ja", "システム起動時間"),
        ],
    ),
    (
        Slot::SystemManufacturer,
        &[
            ("en", "System Manufacturer"),
            ("de", "Systemhersteller"),
            ("fr", "Fabricant du système"),
            ("es", "Fabricante del sistema"),
            ("ru", "Изготовитель системы"),
        ],
    ),
    (
        Slot::SystemModel,
        &[
            ("en", "System Model"),
            ("de", "Systemmodell"),
            ("fr", "Modèle du système"),
            ("es", "Modelo el sistema"),
            ("ru", "Модель системы"),
        ],
    ),
    (
        Slot::SystemType,
        &[
            ("en", "System Type"),
            ("de", "Systemtyp"),
            ("fr", "Type du système"),
            ("es", "Tipo de sistema"),
            ("ru", "Тип системы"),
            ("ja", "システムの種類"),
        ],
    ),
    (
        Slot::Processors,
        &[
            ("en", "Processor(s)"),
            ("de", "Prozessor(en)"),
            ("fr", "Processeur(s)"),
            ("es", "Procesador(es)"),
            ("ru", "Процессор(ы)"),
            ("ja", "プロセッサ"),
        ],
    ),
    (
        Slot::BiosVersion,
        &[
            ("en", "BIOS Version"),
            ("de", "BIOS-Version"),
            ("fr", "Version du BIOS"),
            ("es", "Versión del BIOS"),
            ("ru", "Версия BIOS"),
        ],
    ),
    (
        Slot::WindowsDirectory,
        &[
            ("en", "Windows Directory"),
            ("de", "Windows-Verzeichnis"),
            ("fr", "Répertoire Windows"),
            ("es", "Directorio de Windows"),
            ("ru", "Папка Windows"),
        ],
    ),
    (
        Slot::SystemDirectory,
        &[
            ("en", "System Directory"),
            ("de", "System-Verzeichnis"),
            ("fr", "Répertoire système"),
            ("es", "Directorio de sistema"),
            ("ru", "Системная папка"),
        ],
    ),
    (
        Slot::BootDevice,
        &[
            ("en", "Boot Device"),
            ("de", "Startgerät"),
            ("fr", "Périphérique d'amorçage"),
            ("es", "Dispositivo de arranque"),
            ("ru", "Устройство загрузки"),
        ],
    ),
    (
        Slot::SystemLocale,
        &[
            ("en", "System Locale"),
            ("de", "Systemgebietsschema"),
            ("fr", "Option régionale du système"),
            ("es", "Configuración regional del sistema"),
            ("ru", "Язык системы"),
            ("ja", "システム ロケール"),
        ],
    ),
    (
        Slot::InputLocale,
        &[
            ("en", "Input Locale"),
            ("de", "Eingabegebietsschema"),
            ("fr", "Paramètres régionaux d'entrée"),
            ("es", "Idioma de entrada"),
            ("ru", "Язык ввода"),
            ("ja", "入力ロケール"),
        ],
    ),
    (
        Slot::TimeZone,
        &[
            ("en", "Time Zone"),
            ("de", "Zeitzone"),
            ("fr", "Fuseau horaire"),
            ("es", "Zona horaria"),
            ("ru", "Часовой пояс"),
            ("ja", "タイム ゾーン"),
        ],
    ),
    (
        Slot::TotalMemory,
        &[
            ("en", "Total Physical Memory"),
            ("de", "Gesamter physikalischer Speicher"),
            ("fr", "Mémoire physique totale"),
            ("es", "Cantidad total de memoria física"),
            ("ru", "Полный объем физической памяти"),
        ],
    ),
    (
        Slot::AvailableMemory,
        &[
            ("en", "Available Physical Memory"),
            ("de", "Verfügbarer physikalischer Speicher"),
            ("fr", "Mémoire physique disponible"),
            ("es", "Memoria física disponible"),
            ("ru", "Доступная физическая память"),
        ],
    ),
    (
        Slot::PageFile,
        &[
            ("en", "Page File Location(s)"),
            ("de", "Auslagerungsdateipfad(e)"),
            ("fr", "Emplacements des fichiers d'échange"),
            ("es", "Ubicación(es) de archivo de paginación"),
            ("ru", "Расположение файла подкачки"),
        ],
    ),
    (
        Slot::Domain,
        &[("en", "Domain"), ("de", "Domäne"), ("fr", "Domaine"), ("es", "Dominio"), ("ru", "Домен")],
    ),
    (
        Slot::LogonServer,
        &[
            ("en", "Logon Server"),
            ("de", "Anmeldeserver"),
            ("fr", "Serveur d'ouverture de session"),
            ("es", "Servidor de inicio de sesión"),
            ("ru", "Сервер входа в сеть"),
        ],
    ),
    (
        Slot::Hotfixes,
        &[
            ("en", "Hotfix(s)"),
            ("de", "Hotfix(es)"),
            ("fr", "Correctif(s)"),
            ("es", "Revisión(es)"),
            ("ru", "Исправление(я)"),
        ],
    ),
    (
        Slot::NetworkCards,
        &[
            ("en", "Network Card(s)"),
            ("de", "Netzwerkkarte(n)"),
            ("fr", "Carte(s) réseau"),
            ("es", "Tarjeta(s) de red"),
            ("ru", "Сетевые адаптеры"),
        ],
    ),
];
