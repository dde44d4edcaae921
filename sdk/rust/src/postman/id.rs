//! Postman's ids: a UUID, in some places with the owner's number before it.

use uuid::Uuid;

/// The id without owner prefix: `127862-711a2044-c4fc-441b-b169-233c07489031` → `711a2044-…`.
///
/// Only a whole UUID behind the prefix counts, because the first group of a plain UUID may be all digits too.
pub(super) fn without_owner(uid: &str) -> &str {
    match uid.split_once('-') {
        Some((owner, id)) if is_number(owner) && Uuid::try_parse(id).is_ok() => id,
        _ => uid,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
