//! The attribute of `postroom-sdk`, which re-exports it with its documentation. Nobody depends on this crate directly.

mod args;
mod check;
mod expand;
mod manifest;

use proc_macro::TokenStream;
use syn::{ItemImpl, parse_macro_input};

use crate::args::Args;

/// See `postroom_sdk::postroom_plugin`.
#[proc_macro_attribute]
pub fn postroom_plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(args as Args);
    let item = parse_macro_input!(item as ItemImpl);
    expand::expand(&args, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

#[cfg(test)]
mod tests;
