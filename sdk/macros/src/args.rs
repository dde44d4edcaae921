//! Reading the arguments of the attribute. Every error points at the text it speaks of.

use proc_macro2::{Ident, Span};
use syn::{
    Error, LitInt, LitStr, Result, Token, bracketed, parenthesized,
    parse::{Parse, ParseStream},
};

use crate::check;

/// What the author says about the plugin, checked.
pub(crate) struct Args {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) kinds: Vec<String>,
    /// Beside those that the SDK needs itself.
    pub(crate) capabilities: Vec<Ident>,
    pub(crate) concurrency: Option<u64>,
    /// `host:port`; empty for none.
    pub(crate) network: Vec<String>,
    pub(crate) filesystem: Vec<Folder>,
    pub(crate) memory_mb: Option<u64>,
    pub(crate) threads: Option<u64>,
    /// Path of the schema's file, from the folder of the crate's `Cargo.toml`.
    pub(crate) config_schema: Option<LitStr>,
    /// Path of the actions' file, likewise.
    pub(crate) actions: Option<LitStr>,
    /// The kinds of event that it makes.
    pub(crate) emits: Vec<String>,
    pub(crate) metrics: Vec<Metric>,
}

/// A folder that the plugin asks for, or a file.
pub(crate) struct Folder {
    pub(crate) path: String,
    /// `read` or `write`.
    pub(crate) access: &'static str,
    pub(crate) file: bool,
}

/// Something that the plugin measures.
pub(crate) struct Metric {
    /// `counter`, `gauge` or `histogram`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) help: Option<String>,
}

const KEYS: &str = "id, name, description, license, homepage, kinds, capabilities, concurrency, network, \
                    filesystem, memory_mb, threads, config_schema, actions, emits and metrics";

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut id, mut name, mut description) = (None, None, None);
        let (mut license, mut homepage, mut config_schema) = (None, None, None);
        let (mut kinds, mut capabilities, mut network, mut filesystem) = (None, None, None, None);
        let (mut concurrency, mut memory_mb, mut threads, mut actions) = (None, None, None, None);
        let (mut emits, mut metrics) = (None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "id" => put(&mut id, &key, text(input, check::id)?)?,
                "name" => put(&mut name, &key, text(input, check::name)?)?,
                "description" => put(&mut description, &key, text(input, check::not_empty)?)?,
                "license" => put(&mut license, &key, text(input, check::not_empty)?)?,
                "homepage" => put(&mut homepage, &key, text(input, check::not_empty)?)?,
                "kinds" => put(&mut kinds, &key, kinds_of(input)?)?,
                "capabilities" => put(&mut capabilities, &key, capabilities_of(input)?)?,
                "concurrency" => put(&mut concurrency, &key, number(input, 1, 1024)?)?,
                "network" => put(&mut network, &key, network_of(input)?)?,
                "filesystem" => put(&mut filesystem, &key, list(input, Folder::parse)?)?,
                "memory_mb" => put(&mut memory_mb, &key, number(input, 1, u32::MAX.into())?)?,
                "threads" => put(&mut threads, &key, number(input, 1, u32::MAX.into())?)?,
                "config_schema" => put(&mut config_schema, &key, input.parse()?)?,
                "actions" => put(&mut actions, &key, input.parse()?)?,
                "emits" => put(&mut emits, &key, list(input, |input| text(input, check::emitted_kind))?)?,
                "metrics" => put(&mut metrics, &key, metrics_of(input)?)?,
                other => return Err(error(key.span(), format!("there is no `{other}`: there are {KEYS}"))),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self {
            id: required(id, "id = \"…\", what configurations call the plugin")?,
            name: required(name, "name = \"…\", what people call the plugin")?,
            kinds: required(kinds, "kinds = [\"…\"], the kinds of event it takes; [\"*\"] for all")?,
            description,
            license,
            homepage,
            capabilities: capabilities.unwrap_or_default(),
            concurrency,
            network: network.unwrap_or_default(),
            filesystem: filesystem.unwrap_or_default(),
            memory_mb,
            threads,
            config_schema,
            actions,
            emits: emits.unwrap_or_default(),
            metrics: metrics.unwrap_or_default(),
        })
    }
}

impl Folder {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let word: Ident = input.parse()?;
        let (access, file) = match word.to_string().as_str() {
            "read" => ("read", false),
            "write" => ("write", false),
            "read_file" => ("read", true),
            "write_file" => ("write", true),
            _ => {
                let words = "not an access: write read(\"…\") or write(\"…\") for a folder, read_file(\"…\") or \
                             write_file(\"…\") for a file";
                return Err(error(word.span(), words));
            }
        };
        let path;
        parenthesized!(path in input);
        Ok(Self { path: text(&path, check::folder)?, access, file })
    }
}

impl Metric {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let kind: Ident = input.parse()?;
        if !["counter", "gauge", "histogram"].iter().any(|known| kind == known) {
            return Err(error(
                kind.span(),
                "not a metric: write counter(\"…\"), gauge(\"…\") or histogram(\"…\")",
            ));
        }
        let inner;
        parenthesized!(inner in input);
        let name = text(&inner, check::metric)?;
        let mut help = None;
        if inner.peek(Token![,]) {
            inner.parse::<Token![,]>()?;
            help = (!inner.is_empty()).then(|| text(&inner, check::help)).transpose()?;
        }
        Ok(Self { kind: kind.to_string(), name, help })
    }
}

fn metrics_of(input: ParseStream<'_>) -> Result<Vec<Metric>> {
    let span = input.span();
    let metrics = list(input, Metric::parse)?;
    for (index, metric) in metrics.iter().enumerate() {
        if metrics[..index].iter().any(|before| before.name == metric.name) {
            return Err(error(span, format!("the metric `{}` is there twice", metric.name)));
        }
    }
    Ok(metrics)
}

fn kinds_of(input: ParseStream<'_>) -> Result<Vec<String>> {
    let span = input.span();
    let kinds = list(input, |input| text(input, check::kind))?;
    if kinds.is_empty() {
        return Err(error(span, "a plugin without kinds gets no event: write [\"*\"] for all of them"));
    }
    Ok(kinds)
}

fn capabilities_of(input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let capabilities: Vec<Ident> = list(input, |input| input.parse())?;
    for (index, capability) in capabilities.iter().enumerate() {
        check::capability(&capability.to_string()).map_err(|why| error(capability.span(), why))?;
        if capabilities[..index].contains(capability) {
            return Err(error(capability.span(), format!("`{capability}` is there twice")));
        }
    }
    Ok(capabilities)
}

fn network_of(input: ParseStream<'_>) -> Result<Vec<String>> {
    if input.peek(LitStr) {
        let none: LitStr = input.parse()?;
        return match none.value().as_str() {
            "none" => Ok(Vec::new()),
            _ => Err(error(none.span(), "write \"none\", or a list such as [\"api.example.com:443\"]")),
        };
    }
    list(input, |input| text(input, check::address))
}

/// A list in brackets.
fn list<T>(input: ParseStream<'_>, item: fn(ParseStream<'_>) -> Result<T>) -> Result<Vec<T>> {
    let inner;
    bracketed!(inner in input);
    let mut items = Vec::new();
    while !inner.is_empty() {
        items.push(item(&inner)?);
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
    }
    Ok(items)
}

fn text(input: ParseStream<'_>, check: fn(&str) -> std::result::Result<(), String>) -> Result<String> {
    let literal: LitStr = input.parse()?;
    let text = literal.value();
    check(&text).map_err(|why| error(literal.span(), why))?;
    Ok(text)
}

fn number(input: ParseStream<'_>, min: u64, max: u64) -> Result<u64> {
    let literal: LitInt = input.parse()?;
    match literal.base10_parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(error(literal.span(), format!("must be a whole number from {min} to {max}"))),
    }
}

fn put<T>(slot: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        Some(_) => Err(error(key.span(), format!("`{key}` is there twice"))),
        None => Ok(()),
    }
}

/// Points at the attribute itself when a key is missing: there is no better place.
fn required<T>(value: Option<T>, what: &str) -> Result<T> {
    value.ok_or_else(|| error(Span::call_site(), format!("missing: {what}")))
}

fn error(span: Span, message: impl std::fmt::Display) -> Error {
    Error::new(span, message)
}
