use super::*;

#[test]
fn names_read_back() {
    for state in ReplayState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    assert!("paused".parse::<ReplayState>().is_err());
}
