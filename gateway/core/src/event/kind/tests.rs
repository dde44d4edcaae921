use super::{EmittedKind, EmittedKindError, Kind, MadeKind};

#[test]
fn every_kind_is_read_back_from_its_name() {
    let emitted: EmittedKind = "pager_opened".parse().unwrap();
    let own: Vec<Kind> = Kind::ALL.into_iter().chain(MadeKind::ALL.map(Kind::Made)).collect();
    for kind in own.iter().copied().chain([Kind::Emitted(emitted)]) {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert_eq!(own.iter().map(Kind::as_str).collect::<Vec<_>>(), Kind::NAMES);
}

#[test]
fn a_plugin_names_its_kinds_plainly() {
    let longest = "x".repeat(64);
    for name in ["a", "7", "pager_opened", "monitor", longest.as_str()] {
        let kind: EmittedKind = name.parse().unwrap();
        assert_eq!((kind.as_str(), format!("{kind:?}")), (name, format!("{name:?}")));
    }
    let too_long = "x".repeat(65);
    for name in ["", "Pager", "pager-opened", "päger", "a b", "a\0", too_long.as_str()] {
        assert_eq!(name.parse::<EmittedKind>(), Err(EmittedKindError::NotAName), "{name:?}");
    }
}

#[test]
fn the_gateways_own_kinds_are_no_plugins() {
    for name in ["monitor_run", "activity", "monitor_down", "incident_opened", "collection_x", "backup_made"]
    {
        assert_eq!(name.parse::<EmittedKind>(), Err(EmittedKindError::Reserved), "{name}");
    }
    for kind in Kind::NAMES {
        assert_eq!(kind.parse::<EmittedKind>(), Err(EmittedKindError::Reserved), "{kind}");
    }
    assert!("monitor_rnu".parse::<Kind>().is_err());
}

#[test]
fn the_bundled_backups_make_events_of_their_own() {
    for name in ["backup_changed", "backup_damaged", "backup_secrets"] {
        assert_eq!(name.parse::<EmittedKind>().unwrap().as_str(), name);
    }
    assert_eq!("backup_changed_too".parse::<EmittedKind>(), Err(EmittedKindError::Reserved));
}
