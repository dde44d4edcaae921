use std::path::PathBuf;

use super::*;
use crate::config::Position;

#[test]
fn each_fault_is_one_line_with_its_hint() {
    let mut fault = Fault::new("server.listen", "not an address");
    fault.position = Some(Position { line: 3, column: 1 });
    fault.hint("like \"127.0.0.1:8080\"");
    let faults = Faults { file: PathBuf::from("p.toml"), faults: vec![fault, Fault::new("ENV", "not set")] };
    assert_eq!(
        Refusal::from(faults).reasons(),
        ["p.toml:3: server.listen: not an address (like \"127.0.0.1:8080\")", "ENV: not set"]
    );
}
