//! Words that Windows' own outputs are made of, and the commonest ideographs and syllables.
//!
//! They only help to choose between code pages and to prove a repair, so a word that is missing or wrong costs little. Only words
//! with a letter outside ASCII are of use. Source: the label tables of the readers and the vocabulary of Windows' messages.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words of alphabets, in lower case.
const WORDS: &str = "\
    prüfen über für größe gerät verfügbar verfügbarer verfügbare verschlüsselung übertragungsrate präzision stammverzögerung \
    primäres primär ursprüngliches domäne domänenprofil öffentliches subnetzpräfix ständige läuft gültig gültige ungültig \
    schlüssel registrierungsschlüssel zurück ausführen ausgeführt zugehörige abhängigkeiten bestätigen geändert länge ändern \
    schnittstellenübersicht gewährt identität umgehungsliste können enthält während höher aktivität \
    média déconnecté activé activée désactivé propre à connexion réseau système préféré défaut passerelle paramètres mémoire \
    modèle hôte numéro accès autorité réponse dépassé délai échoué requête sécurité déjà exécution exécuter démarrage état \
    répertoire périphérique périphériques propriétaire enregistré enregistrée installé installée français itinéraires préfixe \
    métrique sous configurés régionaux régionale amorçage entrée échange contrôleur dépendances général généré vérifié créé \
    élévation nécessite expiré spécifié spécifiée clé détails liés dédiée matériel numérique \
    configuración dirección máscara túnel física físico específico específica conexión área vínculo sí dinámica sesión \
    ubicación versión compilación descripción estación máximo tamaño paginación región traducción automática concesión expira \
    autenticación revisión organización virtualización prevención está página contraseña acceso aplicación código número \
    configuração endereço máscara mídia padrão conexão específico não versão memória diretório física descrição região domínio \
    conexões configurações usuário autenticação concessão obtenção domínio serviço serviços máximo espaço página \
    può è perché già stazione proprietà qualità disponibilità modalità velocità \
    määritykset tilapäinen oletusyhdyskäytävä käytössä yhteyskohtainen lähiverkkoyhteys järjestelmä \
    nätmask länklokal tillstånd frånkopplad anslutning nätverk nätverkskort för värdnamn primärt fysisk \
    næste værtsnavn undernetmaske tilstand forbindelse fysisk ændring både på også gatewayadresse tilkoblet frakoblet trådløs \
    połączenie połączenia karta sieciowa łącza maska podsieci brama domyślna nośnik odłączony nośnika sufiks węzła przez dzierżawa \
    włączone włączony wyłączone rozłączony rozłączone właściwość ścieżka użytkownik bezprzewodowa \
    připojení brána výchozí maska podsítě přípona médium odpojeno stav místní fyzická síť síťový síťové adaptér bezdrátové \
    kapcsolat átjáró alapértelmezett alhálózati maszk állapota csatlakozás hálózati illesztő fizikai leírás leválasztva \
    bağlantı bağlantısı ağ maskesi varsayılan geçidi geçerli ayarları doğrudan erişim sunucusu fiziksel adresi açıklama kesildi \
    özgü soneki bağdaştırıcısı kablosuz yerel düğüm türü \
    настройка протокола подключение подключения по локальной сети адаптер адаптера неизвестный среда состояние среды передачи \
    недоступна суффикс суффиксов основной шлюз шлюза маска подсети канала локальный адрес адреса описание физический включен \
    включена маршрутизация прокси узла имя имя_службы тип службы код выхода контрольная точка ожидание сервер сервера серверы \
    ответ доверия заслуживающий не нет да для интерфейса разрешен метрика отсутствует временный порядок просмотра доступ \
    прямой без команда результат отказано доступе ошибка система системы версия память процессор исправление исправления \
    домен страница файл файла установлено выполняется остановлена подключено отключено профиль состояния правило брандмауэра \
    сеанса образа имени память конфигурация конфигурации параметры добавить служба запрос время ожидания истекло \
    з'єднання мережі підключення маска підмережі основний суфікс адреса стан середовища \
    ρύθμιση παραμέτρων διεύθυνση μάσκα υποδικτύου προεπιλεγμένη πύλη προσαρμογέας σύνδεση τοπική κατάσταση μέσων επίθημα \
    תצורת כתובת מסיכת רשת שער ברירת מחדל מתאם חיבור סיומת מצב מדיה מנותקת תיאור פיזית \
    تكوين عنوان قناع الشبكة الفرعية العبارة الافتراضية محول اتصال لاحقة حالة الوسائط الوصف \
    การกำหนดค่า ที่อยู่ เกตเวย์ เริ่มต้น";

/// Words of scripts without blanks between words.
const RUNS: &[&str] = &[
    "适配器",
    "以太网",
    "媒体",
    "状态",
    "已断开",
    "连接特定",
    "后缀",
    "子网掩码",
    "默认网关",
    "地址",
    "描述",
    "物理",
    "已启用",
    "配置",
    "主机名",
    "节点类型",
    "服务器",
    "代理",
    "直接访问",
    "当前",
    "绕过",
    "提供程序",
    "目录",
    "协议",
    "版本",
    "标志",
    "网络",
    "本地连接",
    "隧道",
    "无线",
    "首选",
    "租约",
    "映像名称",
    "会话",
    "内存",
    "暂缺",
    "拒绝访问",
    "接口",
    "静态",
    "防火墙",
    "找不到",
    "名称",
    "应答",
    "介面卡",
    "乙太網路",
    "媒體",
    "狀態",
    "已中斷",
    "連線",
    "尾碼",
    "子網路遮罩",
    "預設閘道",
    "位址",
    "實體",
    "伺服器",
    "目前",
    "設定",
    "アダプター",
    "イーサネット",
    "メディア",
    "状態",
    "接続",
    "サフィックス",
    "サブネット",
    "マスク",
    "ゲートウェイ",
    "アドレス",
    "説明",
    "物理",
    "有効",
    "無効",
    "はい",
    "いいえ",
    "構成",
    "プロキシ",
    "サーバー",
    "直接アクセス",
    "バイパス",
    "現在の",
    "ホスト名",
    "ノード",
    "リース",
    "優先",
    "名前",
    "権限のない",
    "ワイヤレス",
    "ローカル",
    "拒否",
    "ネットワーク",
    "어댑터",
    "이더넷",
    "연결",
    "접미사",
    "서브넷",
    "마스크",
    "게이트웨이",
    "주소",
    "설명",
    "물리적",
    "사용",
    "구성",
    "호스트",
    "이름",
    "노드",
    "유형",
    "라우팅",
    "프록시",
    "자동",
    "임대",
    "서버",
    "기본 설정",
    "아니요",
    "미디어",
    "상태",
    "로컬 영역",
    "무선",
    "액세스",
    "오전",
    "오후",
    "월요일",
    "네트워크",
];

/// The commonest ideographs of Windows' texts (simplified, traditional, Japanese) and Hangul syllables.
const COMMON: &str = "\
    的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经\
    设置络网理代服务器连接已启配址默认关端物描述媒体状态断开无线太适后缀掩码机名节点类型由本隧道首选租约获客户系统信息内存程序提供协议版\
    目录项长度最小标志路径应答找到请求超直访问当前绕列表打禁止安全防火墙策略域专公共文件处域映像会话数使用量未知错误拒绝权限管员需提升命令\
    設網際協定閘道預遮罩介面卡乙太連線媒體狀態實體說明啟動伺服器位址尾碼無線區域節點類型資訊記憶目前處理錯誤拒絕權限執\
    現在設定構成有効無接続固状態説明物理自動優先名前権限回答識別検索一覧取得期式会社年月日時分秒株語管理者更新確認\
    이의가을를은는에서로과와도만한하고다지사자기주소용설정네트워크어댑터더넷결접미서브마스게웨구성호름노드유형라우팅프록시버동임대작날짜\
    료클언일월화수목금토요오전후년니예아없음본명물리적연영역무선상태미디액세부권신인증실행파보안컴퓨운체제품제조버전메모한국";

static KNOWN: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| WORDS.split_whitespace().filter(|word| !word.is_ascii()).collect());

static SYLLABLES: LazyLock<HashSet<char>> =
    LazyLock::new(|| COMMON.chars().filter(|c| !c.is_whitespace()).collect());

/// Number of known words in a text.
pub fn count(text: &str) -> i32 {
    if text.is_ascii() {
        return 0;
    }
    let mut ideographs = false;
    let mut found = 0_usize;
    for word in text.split(|c: char| !c.is_alphabetic() && c != '\'') {
        if word.is_ascii() || word.len() > 64 {
            continue;
        }
        ideographs |= word.chars().any(|c| u32::from(c) >= 0x2e80);
        found += usize::from(KNOWN.contains(word.to_lowercase().as_str()));
    }
    if ideographs {
        found += RUNS.iter().filter(|run| text.contains(**run)).count();
    }
    i32::try_from(found).unwrap_or(i32::MAX / 64)
}

/// Whether an ideograph or syllable is one of the commonest.
pub fn is_common(c: char) -> bool {
    SYLLABLES.contains(&c)
}
