//! Making a crate a plugin: the manifest and the entry.

/// Makes this crate a plugin: puts its manifest and its entry function into the library.
///
/// The crate is a `cdylib` called `postroom-plugin-<id>`, has one `export!`, and may say `#![forbid(unsafe_code)]`. Two
/// plugins must not be linked into one program: their entries have the same name.
///
/// The values are JSON, so a text is a plain literal, not a raw one. Its version is the crate's.
///
/// | field | meaning |
/// |---|---|
/// | `plugin` | the type that implements [`Plugin`](crate::Plugin) |
/// | `id` | what configurations call it, `^[a-z0-9]+([.-][a-z0-9]+)*$` |
/// | `name` | what people call it |
/// | `description` | one sentence |
/// | `kinds` | list of globs over event kinds, such as `["monitor_run"]` or `["*"]` |
/// | `concurrency` | most deliveries side by side, 1 to 1024 |
/// | `network` | `"none"` or a list of `"host:port"` |
/// | `filesystem` | a list of `{ "path": …, "access": "read" or "write" }` |
/// | `config_schema` | JSON Schema 2020-12 of the settings, in place or by `include_str!`; a secret has `"writeOnly": true` |
///
/// ```
/// # use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin};
/// # #[derive(serde::Deserialize)] struct Config {}
/// # struct Hello;
/// # impl Plugin for Hello {
/// #     type Config = Config;
/// #     async fn create(_: Host, _: Config) -> Result<Self, CreateError> { Ok(Self) }
/// #     async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> { Ok(Outcome::delivered()) }
/// # }
/// postroom_sdk::export! {
///     plugin: Hello,
///     id: "hello",
///     name: "Hello",
///     description: "Says hello to every event",
///     kinds: ["*"],
///     concurrency: 8,
///     network: "none",
///     filesystem: [],
///     config_schema: { "type": "object", "additionalProperties": false },
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    (@with $plugin:ty, $id:literal, $name:literal, $description:literal, $kinds:tt, $concurrency:literal,
     $network:tt, $filesystem:tt, $schema:expr) => {
        const _: () = {
            assert!($crate::__private::is_id($id), "id must match ^[a-z0-9]+([.-][a-z0-9]+)*$");
            assert!($concurrency >= 1 && $concurrency <= 1024, "concurrency must be from 1 to 1024");
        };

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        #[used]
        pub static postroom_manifest_v1: [u8; {
            $crate::__manifest!($id, $name, $description, $kinds, $concurrency, $network, $filesystem, $schema).len()
        }] = $crate::__private::bytes(
            $crate::__manifest!($id, $name, $description, $kinds, $concurrency, $network, $filesystem, $schema),
        );

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn postroom_plugin_entry_v1(
            _host_minor: u32,
            _host_caps: u64,
            _err: *mut $crate::__private::postroom_errbuf,
        ) -> *const $crate::__private::postroom_plugin {
            $crate::__private::table::<$plugin>()
        }
    };
    (plugin: $plugin:ty, id: $id:literal, name: $name:literal, description: $description:literal,
     kinds: $kinds:tt, concurrency: $concurrency:literal, network: $network:tt, filesystem: $filesystem:tt,
     config_schema: { $($schema:tt)* } $(,)?) => {
        $crate::export!(@with $plugin, $id, $name, $description, $kinds, $concurrency, $network, $filesystem,
            stringify!({ $($schema)* }));
    };
    (plugin: $plugin:ty, id: $id:literal, name: $name:literal, description: $description:literal,
     kinds: $kinds:tt, concurrency: $concurrency:literal, network: $network:tt, filesystem: $filesystem:tt,
     config_schema: $schema:expr $(,)?) => {
        $crate::export!(@with $plugin, $id, $name, $description, $kinds, $concurrency, $network, $filesystem, $schema);
    };
}

/// The manifest as one NUL-ended text. `stringify!` of a literal or a list of them is JSON already.
#[doc(hidden)]
#[macro_export]
macro_rules! __manifest {
    ($id:literal, $name:literal, $description:literal, $kinds:tt, $concurrency:literal, $network:tt, $filesystem:tt,
     $schema:expr) => {
        concat!(
            "{\"manifest\":1,\"abi\":\"1.0\",\"id\":",
            stringify!($id),
            ",\"name\":",
            stringify!($name),
            ",\"description\":",
            stringify!($description),
            ",\"version\":\"",
            env!("CARGO_PKG_VERSION"),
            "\",\"capabilities\":[\"log\",\"secrets\",\"clock\"],\"kinds\":",
            stringify!($kinds),
            ",\"concurrency\":",
            stringify!($concurrency),
            ",\"network\":",
            stringify!($network),
            ",\"filesystem\":",
            stringify!($filesystem),
            ",\"config_schema\":",
            $schema,
            "}\0"
        )
    };
}

/// What [`export!`](crate::export) expands to needs.
#[doc(hidden)]
pub mod __private {
    pub use postroom_abi::{postroom_errbuf, postroom_plugin};

    use crate::{ffi::Entry, plugin::Plugin};

    #[must_use]
    pub fn table<P: Plugin>() -> *const postroom_plugin {
        Entry::<P>::TABLE
    }

    /// The bytes of a text of `N` bytes.
    #[must_use]
    pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(text.as_bytes());
        bytes
    }

    /// Whether `id` matches `^[a-z0-9]+([.-][a-z0-9]+)*$`.
    #[must_use]
    pub const fn is_id(id: &str) -> bool {
        let id = id.as_bytes();
        let mut after_letter = false;
        let mut at = 0;
        while at < id.len() {
            match id[at] {
                b'a'..=b'z' | b'0'..=b'9' => after_letter = true,
                b'.' | b'-' if after_letter => after_letter = false,
                _ => return false,
            }
            at += 1;
        }
        after_letter
    }
}

#[cfg(test)]
mod tests;
