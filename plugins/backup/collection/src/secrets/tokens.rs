//! Tokens that tell by their form what they are. The text may be JSON text: an escape in it ends a word.

use std::ops::Range;

/// A family of tokens: how they begin, what they are made of and how long that is.
pub(super) struct Family {
    pub(super) rule: &'static str,
    prefixes: &'static [&'static str],
    is_part: fn(u8) -> bool,
    /// Bytes behind the prefix.
    least: usize,
    most: usize,
}

pub(super) const FAMILIES: &[Family] = &[
    family("age-key", &["AGE-SECRET-KEY-1"], upper, 58, 58),
    family("anthropic-key", &["sk-ant-"], url_safe, 32, 256),
    family("atlassian-token", &["ATATT3", "ATCTT3"], url_safe_equals, 60, 400),
    family("aws-access-key", &["AKIA", "ASIA", "ABIA", "ACCA"], upper, 16, 16),
    family("databricks-token", &["dapi"], hex, 32, 32),
    family("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], hex, 64, 64),
    family("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], alphanumeric, 36, 255),
    family("github-token", &["github_pat_"], word, 50, 255),
    family("gitlab-token", &["glpat-", "gldt-", "glrt-"], url_safe, 20, 255),
    family("google-api-key", &["AIza"], url_safe, 35, 35),
    family("google-client-secret", &["GOCSPX-"], url_safe, 28, 28),
    family("google-token", &["ya29."], url_safe, 20, 2048),
    family("hugging-face-token", &["hf_"], alphanumeric, 34, 40),
    family("linear-key", &["lin_api_"], alphanumeric, 40, 48),
    family("mailgun-key", &["key-"], hex, 32, 32),
    family("notion-token", &["ntn_"], alphanumeric, 40, 64),
    family("npm-token", &["npm_"], alphanumeric, 36, 36),
    family("openai-key", &["sk-proj-", "sk-svcacct-"], url_safe, 32, 256),
    family("postman-key", &["PMAK-", "PMAT-"], hex_dash, 26, 80),
    family("pypi-token", &["pypi-AgE"], url_safe, 50, 1024),
    family("sendgrid-key", &["SG."], url_safe_dot, 60, 70),
    family("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], hex, 32, 32),
    family(
        "slack-token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"],
        alphanumeric_dash,
        20,
        255,
    ),
    family("slack-webhook", &["hooks.slack.com/services/"], path, 30, 100),
    family("stripe-key", &["sk_live_", "rk_live_", "sk_test_", "rk_test_"], alphanumeric, 16, 255),
    family("stripe-webhook-secret", &["whsec_"], base64, 24, 88),
];

/// No real token is made of fewer characters; examples are, such as `ghp_xxxx…`.
const DISTINCT_MIN: u32 = 6;

const fn family(
    rule: &'static str,
    prefixes: &'static [&'static str],
    is_part: fn(u8) -> bool,
    least: usize,
    most: usize,
) -> Family {
    Family { rule, prefixes, is_part, least, most }
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    alphanumeric(byte) || byte == b'_'
}

fn url_safe(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn url_safe_equals(byte: u8) -> bool {
    url_safe(byte) || byte == b'='
}

fn url_safe_dot(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

fn alphanumeric_dash(byte: u8) -> bool {
    alphanumeric(byte) || byte == b'-'
}

fn base64(byte: u8) -> bool {
    alphanumeric(byte) || matches!(byte, b'+' | b'/' | b'=')
}

fn path(byte: u8) -> bool {
    alphanumeric(byte) || byte == b'/'
}

fn hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hex_dash(byte: u8) -> bool {
    hex(byte) || byte == b'-'
}

/// A text without tokens.
pub(crate) fn without_tokens(text: &str) -> String {
    let spans = tokens(text.as_bytes()).into_iter().map(|(_, span)| span).collect();
    String::from_utf8_lossy(&super::replaced(text.as_bytes(), spans)).into_owned()
}

/// All tokens in a text, with their rules.
pub(super) fn tokens(text: &[u8]) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    let (mut at, mut in_word) = (0, false);
    let mut jwts = Jwts::default();
    while let Some(&byte) = text.get(at) {
        if byte == b'\\' {
            at += escape(&text[at..]);
            in_word = false;
            continue;
        }
        let hit = match byte {
            b':' => url_password(text, at).map(|span| ("url-password", span)),
            b'-' => private_key(&text[at..]).map(|end| ("private-key", at..at + end)),
            b'e' if !in_word && text[at..].starts_with(b"eyJ") => {
                jwts.end(text, at).map(|end| ("jwt", at..end))
            }
            _ if !in_word && may_start(&text[at..]) => token_at(text, at),
            _ => None,
        };
        match hit {
            Some((rule, span)) => {
                at = span.end.max(at + 1);
                in_word = text.get(at - 1).is_some_and(|&byte| word(byte));
                found.push((rule, span));
            }
            None => {
                in_word = word(byte);
                at += 1;
            }
        }
    }
    found
}

/// The length of an escape, which may be escaped itself: JSON in a text in JSON has its line ends as `\\\\n`.
fn escape(rest: &[u8]) -> usize {
    let slashes = rest.iter().take_while(|&&byte| byte == b'\\').count();
    let is_whole = slashes % 2 == 0;
    slashes
        + match rest.get(slashes) {
            Some(b'n' | b'r' | b't') => 1,
            Some(b'u') if !is_whole => 5,
            Some(_) if !is_whole => 1,
            _ => 0,
        }
}

/// The two bytes that tokens begin with, one bit for each pair: nearly every word is ruled out by them.
static BEGINNINGS: [u64; 1024] = beginnings();

const fn beginnings() -> [u64; 1024] {
    let mut bits = [0; 1024];
    let mut family = 0;
    while family < FAMILIES.len() {
        let prefixes = FAMILIES[family].prefixes;
        let mut prefix = 0;
        while prefix < prefixes.len() {
            let bytes = prefixes[prefix].as_bytes();
            let pair = bytes[0] as usize * 256 + bytes[1] as usize;
            bits[pair / 64] |= 1 << (pair % 64);
            prefix += 1;
        }
        family += 1;
    }
    bits
}

fn may_start(rest: &[u8]) -> bool {
    let [first, second, ..] = *rest else { return false };
    let pair = usize::from(first) * 256 + usize::from(second);
    BEGINNINGS[pair / 64] >> (pair % 64) & 1 == 1
}

fn token_at(text: &[u8], at: usize) -> Option<(&'static str, Range<usize>)> {
    let rest = &text[at..];
    FAMILIES.iter().find_map(|family| {
        let prefix = family.prefixes.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
        let body = rest[prefix.len()..].iter().take(family.most + 1);
        let length = body.take_while(|&&byte| (family.is_part)(byte)).count();
        let body = &rest[prefix.len()..][..length];
        let is_token = (family.least..=family.most).contains(&length)
            && distinct(body) >= DISTINCT_MIN
            // In the documents of the services themselves.
            && !body.ends_with(b"EXAMPLE");
        is_token.then(|| (family.rule, at..at + prefix.len() + length))
    })
}

/// How many different bytes there are.
fn distinct(bytes: &[u8]) -> u32 {
    let mut seen = [0_u64; 4];
    for &byte in bytes {
        seen[usize::from(byte / 64)] |= 1 << (byte % 64);
    }
    seen.iter().map(|bits| bits.count_ones()).sum()
}

/// Finds the ends of tokens of three parts, of which the first two are base64 of JSON objects. It looks at no byte twice,
/// also when a text begins such a token again and again.
#[derive(Default)]
struct Jwts {
    /// Where the run of letters ends that was looked at last.
    header_end: usize,
    end: Option<usize>,
}

impl Jwts {
    fn end(&mut self, text: &[u8], at: usize) -> Option<usize> {
        const HEADER_BYTES_MIN: usize = 12;
        const SIGNATURE_BYTES_MIN: usize = 16;
        let run = |from: usize| from + text[from..].iter().take_while(|&&byte| url_safe(byte)).count();
        if at >= self.header_end {
            self.header_end = run(at);
            let payload = (text.get(self.header_end) == Some(&b'.')).then_some(self.header_end + 1);
            let payload = payload.filter(|&at| text[at..].starts_with(b"eyJ")).map(run);
            let signature = payload.filter(|&end| text.get(end) == Some(&b'.')).map(|end| end + 1);
            self.end = signature
                .map(|at| (at, run(at)))
                .filter(|(at, end)| end - at >= SIGNATURE_BYTES_MIN)
                .map(|(_, end)| end);
        }
        self.end.filter(|_| self.header_end - at >= HEADER_BYTES_MIN)
    }
}

/// A key in PEM, with its lines in one text. The title alone is no secret: scripts look for it.
fn private_key(rest: &[u8]) -> Option<usize> {
    /// Of the key itself, in base64.
    const LEAST: usize = 16;
    let title = key_title(rest)?;
    let (mut at, mut key_bytes, mut end) = (title, 0, title);
    while let Some(&byte) = rest.get(at) {
        match byte {
            // As long as escapes may be escaped again.
            b'\\' => {
                let slashes = rest[at..].iter().take_while(|&&byte| byte == b'\\').count();
                if !matches!(rest.get(at + slashes), Some(b'n' | b'r')) {
                    break;
                }
                at += slashes + 1;
            }
            b' ' | b'\n' | b'\r' => at += 1,
            _ if base64(byte) => {
                key_bytes += 1;
                at += 1;
                end = at;
            }
            _ => break,
        }
    }
    (key_bytes >= LEAST).then_some(end)
}

/// The length of the first line of a key in PEM.
fn key_title(rest: &[u8]) -> Option<usize> {
    const LETTERS_MAX: usize = 32;
    let title = rest.strip_prefix(b"-----BEGIN ")?;
    let letters =
        title.iter().take(LETTERS_MAX).take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
    let is_key = title[..letters].ends_with(b"PRIVATE KEY") && title[letters..].starts_with(b"-----");
    is_key.then_some(11 + letters + 5)
}

/// Whether a key in PEM begins in the line after this one.
pub(super) fn ends_in_key_title(line: &[u8]) -> bool {
    let title = line.windows(11).rposition(|window| window == b"-----BEGIN ");
    let rest = title.and_then(|at| Some(&line[at + key_title(&line[at..])?..]));
    rest.is_some_and(|rest| trimmed(rest).is_empty())
}

/// Whether a line can be one of a key in PEM, and where in it.
pub(super) fn key_line(line: &[u8]) -> Option<Range<usize>> {
    /// A word of a script is shorter, the last line of a key is padded.
    const LEAST: usize = 20;
    let inside = trimmed(line);
    if inside.len() < LEAST && !inside.ends_with(b"=") || !inside.iter().all(|&byte| base64(byte)) {
        return None;
    }
    let start = inside.as_ptr() as usize - line.as_ptr() as usize;
    Some(start..start + inside.len())
}

/// A line of a key without what a script puts around it.
fn trimmed(mut line: &[u8]) -> &[u8] {
    let is_around = |byte: u8| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b',' | b';' | b'\\');
    loop {
        line = match line {
            [first, rest @ ..] if is_around(*first) => rest,
            [rest @ .., b'\\', b'n' | b'r' | b't'] => rest,
            [rest @ .., last] if is_around(*last) => rest,
            [rest @ .., b' ', b'+'] => rest,
            _ => return line,
        }
    }
}

/// The password in `scheme://user:password@host`, whose first colon is at `at`.
fn url_password(text: &[u8], at: usize) -> Option<Range<usize>> {
    let ends =
        |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'\\' | b'<' | b'{' | b' ' | b'@');
    let authority = text[at..].strip_prefix(b"://")?;
    let length = authority.iter().position(ends).filter(|&end| authority[end] == b'@')?;
    let colon = authority[..length].iter().position(|&byte| byte == b':')?;
    let span = at + 3 + colon + 1..at + 3 + length;
    (!span.is_empty() && &text[span.clone()] != super::REDACTED.as_bytes()).then_some(span)
}
