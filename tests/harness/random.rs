use std::fmt::Write as _;

/// Makes a token that no other test has, so that finding it anywhere proves where it came from.
#[must_use]
pub fn random_token() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().fold(String::new(), |mut token, byte| {
        write!(token, "{byte:02x}").expect("writing to a string cannot fail");
        token
    })
}
