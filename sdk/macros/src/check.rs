//! What the gateway will accept in a manifest, checked when the plugin is built.

type Checked = Result<(), String>;

const ID_BYTES_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 80;
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
    ensure((1..=NAME_BYTES_MAX).contains(&name.len()), || "a name has 1 to 80 bytes".into())
}

pub(crate) fn not_empty(text: &str) -> Checked {
    ensure(!text.is_empty(), || "empty: write something or leave it out".into())
}

pub(crate) fn kind(kind: &str) -> Checked {
    let fits = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic());
    ensure(fits, || "a kind is a name such as \"monitor_run\", or a glob such as \"*\"".into())
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
