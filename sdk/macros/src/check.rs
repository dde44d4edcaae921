//! What the gateway will accept in a manifest, checked when the plugin is built.

type Checked = Result<(), String>;

const ID_BYTES_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 80;
const KIND_BYTES_MAX: usize = 64;
const HELP_BYTES_MAX: usize = 256;
const VERSION_BYTES_MAX: usize = 64;
const CAPABILITIES: [&str; 6] = ["log", "metrics", "state", "secrets", "clock", "progress"];

pub(crate) fn id(id: &str) -> Checked {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let fits = id.len() <= ID_BYTES_MAX && id.split(['.', '-']).all(word);
    ensure(fits, || {
        "an id is lower-case words joined by `.` or `-`, at most 128 bytes: \"com.example.pager\"".into()
    })
}

pub(crate) fn name(name: &str) -> Checked {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control);
    ensure(fits, || "a name has 1 to 80 bytes and no control characters".into())
}

/// The version of the crate.
pub(crate) fn version(version: &str) -> Checked {
    ensure((1..=VERSION_BYTES_MAX).contains(&version.len()), || {
        format!(
            "the version in Cargo.toml has {} bytes: the gateway takes 1 to {VERSION_BYTES_MAX}",
            version.len()
        )
    })
}

pub(crate) fn folder(path: &str) -> Checked {
    let setting = path.strip_prefix("{config.").and_then(|path| path.strip_suffix('}'));
    let fits = match setting {
        Some(keys) => keys.split('.').all(|key| !key.is_empty()),
        None => path.starts_with('/'),
    };
    ensure(fits, || {
        "a place is an absolute path, or \"{config.root}\" for the one that the setting `root` names".into()
    })
}

pub(crate) fn not_empty(text: &str) -> Checked {
    ensure(!text.is_empty(), || "empty: write something or leave it out".into())
}

pub(crate) fn kind(kind: &str) -> Checked {
    let fits = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic());
    ensure(fits, || "a kind is a name such as \"monitor_run\", or a glob such as \"*\"".into())
}

/// How the gateway's own kinds begin, those to come included.
const RESERVED: [&str; 6] = ["monitor_", "collection_", "incident_", "backup_", "delivery_", "destination_"];

/// Those that begin so and that a plugin makes all the same: the bundled one that keeps backups.
const BUNDLED: [&str; 3] = ["backup_changed", "backup_damaged", "backup_secrets"];

pub(crate) fn emitted_kind(kind: &str) -> Checked {
    let is_own =
        ["activity", "unrecognized"].contains(&kind) || RESERVED.iter().any(|own| kind.starts_with(own));
    let is_own = is_own && !BUNDLED.contains(&kind);
    ensure(is_plain(kind), || {
        "a kind of the plugin's own has 1 to 64 of the characters a-z, 0-9 and _".into()
    })?;
    ensure(!is_own, || format!("the gateway keeps names such as `{kind}` for itself"))
}

pub(crate) fn metric(name: &str) -> Checked {
    ensure(is_plain(name), || "a metric's name has 1 to 64 of the characters a-z, 0-9 and _".into())
}

pub(crate) fn help(help: &str) -> Checked {
    let fits = help.len() <= HELP_BYTES_MAX && !help.contains(char::is_control);
    ensure(fits, || "what a metric says has at most 256 bytes and no control characters".into())
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=KIND_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain)
}

pub(crate) fn capability(name: &str) -> Checked {
    ensure(CAPABILITIES.contains(&name), || {
        format!("there is no capability `{name}`: there are {}", CAPABILITIES.join(", "))
    })
}

pub(crate) fn address(address: &str) -> Checked {
    let fits = address.rsplit_once(':').is_some_and(|(host, port)| {
        let host_fits = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        host_fits && (port == "*" || port.parse::<u16>().is_ok_and(|port| port > 0))
    });
    ensure(fits, || "an address is \"host:port\"; `*` stands for any host or any port".into())
}

fn ensure(fits: bool, message: impl FnOnce() -> String) -> Checked {
    if fits { Ok(()) } else { Err(message()) }
}
