//! `state` of a destination: how much its plugin may keep.

use super::{
    read::{Context, Value},
    units,
};

const KEYS_MAX: u32 = 10_000_000;
const MIB: u64 = 1024 * 1024;

/// How much a destination's plugin may keep in the gateway's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginStateBounds {
    /// Keys.
    pub keys_max: u32,
    /// Bytes of all keys and values together.
    pub bytes_max: u64,
}

impl Default for PluginStateBounds {
    fn default() -> Self {
        Self { keys_max: 10_000, bytes_max: 16 * MIB }
    }
}

impl PluginStateBounds {
    pub(super) fn read(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Self> {
        let mut bounds = Self::default();
        let mut table = value.table(cx)?;
        if let Some(keys) = table.get("keys").and_then(|value| value.number(cx, 0..=KEYS_MAX)) {
            bounds.keys_max = keys;
        }
        let size = table.get("size");
        if let Some(bytes) =
            size.and_then(|value| value.parsed(cx, "a size", "like \"16 MiB\"", units::bytes))
        {
            bounds.bytes_max = bytes;
        }
        table.finish(cx);
        Some(bounds)
    }
}
