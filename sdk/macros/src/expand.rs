//! From the arguments and the `impl` to the code of a plugin.

use std::{env, path::Path};

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, ItemImpl, LitStr, Result, parse_quote};

use crate::{args::Args, check, manifest};

/// The `impl` with what the SDK wants to know, the two symbols of a plugin, and the test that holds the schema's file.
pub(crate) fn expand(args: &Args, mut item: ItemImpl) -> Result<TokenStream> {
    if item.trait_.is_none() {
        return Err(Error::new_spanned(&item.self_ty, "this belongs on an `impl Plugin for` a type"));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a plugin is one type, without parameters"));
    }
    if let Some(file) = &args.config_schema {
        must_exist(file, "{}")?;
    }
    if let Some(file) = &args.actions {
        must_exist(file, "[]")?;
    }
    if let Ok(version) = env::var("CARGO_PKG_VERSION") {
        check::version(&version).map_err(|why| Error::new(Span::call_site(), why))?;
    }

    let path = |file: &LitStr| quote! { ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #file) };
    let (schema_path, actions_path) =
        (args.config_schema.as_ref().map(path), args.actions.as_ref().map(path));
    let member = |name: &str, path: &TokenStream| {
        let key = format!(",\"{name}\":");
        quote! { #key, ::core::include_str!(#path), }
    };
    let actions = actions_path.as_ref().map(|path| member("actions", path));
    let schema = schema_path.as_ref().map(|path| member("config_schema", path));
    let (before, after) = (manifest::before_version(args), manifest::after_version(args));
    let capabilities = args
        .capabilities
        .iter()
        .map(|name| format_ident!("POSTROOM_CAP_{}", name.to_string().to_uppercase(), span = name.span()));
    item.items.push(parse_quote! {
        #[doc(hidden)]
        const DECLARED: ::postroom_sdk::__private::Declared = ::postroom_sdk::__private::Declared {
            manifest: ::core::concat!(#before, ::core::env!("CARGO_PKG_VERSION"), #after, #actions #schema "}\0"),
            capabilities: 0 #( | ::postroom_sdk::__private::#capabilities )*,
            config_schema: ::core::option::Option::Some(
                ::postroom_sdk::__private::config_schema::<<Self as ::postroom_sdk::Plugin>::Config>
            ),
        };
    });

    let plugin = &item.self_ty;
    let test = schema_path.map(|path| {
        quote! {
            #[cfg(test)]
            #[test]
            fn the_file_of_the_schema_is_up_to_date() {
                ::postroom_sdk::__private::check_schema_file::<#plugin>(#path);
            }
        }
    });
    let actions_test = actions_path.map(|path| {
        quote! {
            #[cfg(test)]
            #[test]
            fn the_file_of_the_actions_is_up_to_date() {
                ::postroom_sdk::__private::check_actions_file::<#plugin>(#path);
            }
        }
    });
    Ok(quote! {
        #item

        const _: () = {
            const MANIFEST: &::core::primitive::str = <#plugin as ::postroom_sdk::Plugin>::DECLARED.manifest;

            #[unsafe(no_mangle)]
            #[used]
            pub static postroom_manifest_v1: [::core::primitive::u8; MANIFEST.len()] =
                ::postroom_sdk::__private::bytes(MANIFEST);

            #[unsafe(no_mangle)]
            pub extern "C" fn postroom_plugin_entry_v1(
                _host_minor: ::core::primitive::u32,
                _host_caps: ::core::primitive::u64,
                _err: *mut ::postroom_sdk::__private::postroom_errbuf,
            ) -> *const ::postroom_sdk::__private::postroom_plugin {
                ::postroom_sdk::__private::table::<#plugin>()
            }
        };

        #test
        #actions_test
    })
}

/// `include_str!` would say it too, but not what to do about it.
fn must_exist(file: &LitStr, empty: &str) -> Result<()> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    if Path::new(&folder).join(file.value()).is_file() {
        return Ok(());
    }
    let file_name = file.value();
    Err(Error::new(
        file.span(),
        format!(
            "there is no {file_name} beside Cargo.toml: write {empty} into it, and let \
             `POSTROOM_UPDATE_SCHEMA=1 cargo test` write the rest"
        ),
    ))
}
