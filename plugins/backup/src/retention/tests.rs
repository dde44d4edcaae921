use chrono::NaiveDateTime;
use proptest::prelude::*;

use super::*;

fn ms(time: &str) -> u64 {
    let time = NaiveDateTime::parse_from_str(&format!("{time}:00"), "%Y-%m-%d %H:%M:%S").unwrap();
    u64::try_from(time.and_utc().timestamp_millis()).unwrap()
}

/// Of versions received at these times, the oldest first, those with a `+` stay.
#[track_caller]
fn check(retention: &Retention, now: &str, times: &[&str]) {
    let received: Vec<u64> = times.iter().map(|time| ms(time.trim_start_matches(['+', '-']))).collect();
    let plan = retention.plan(&received, ms(now));
    let seen: Vec<String> = times
        .iter()
        .zip(&plan)
        .map(|(time, reasons)| {
            let mark = if reasons.is_empty() { '-' } else { '+' };
            format!("{mark}{}", time.trim_start_matches(['+', '-']))
        })
        .collect();
    assert_eq!(seen, times, "{plan:?}");
}

const NOW: &str = "2026-11-21 12:00";

#[test]
fn the_last_so_many_stay() {
    let retention = Retention { last: 2, ..Retention::default() };
    check(&retention, NOW, &["-2026-01-01 00:00", "+2026-01-01 00:01", "+2026-01-01 00:02"]);
    check(&retention, NOW, &[]);
}

#[test]
fn the_newest_stays_whatever_the_rules_say() {
    check(&Retention::default(), NOW, &["-2020-01-01 00:00", "+2020-01-02 00:00"]);
}

#[test]
fn of_each_day_the_newest_stays_and_days_without_one_do_not_count() {
    let retention = Retention { daily: 3, ..Retention::default() };
    let times = [
        "-2026-11-01 10:00",
        "-2026-11-02 10:00",
        "+2026-11-02 23:59",
        "-2026-11-20 00:00",
        "+2026-11-20 23:59",
        "-2026-11-21 10:00",
        "+2026-11-21 11:00",
    ];
    check(&retention, NOW, &times);
}

#[test]
fn hours_weeks_months_and_years_are_told_apart() {
    let hourly = Retention { hourly: 2, ..Retention::default() };
    check(
        &hourly,
        NOW,
        &["-2026-11-20 11:30", "-2026-11-21 11:00", "+2026-11-21 11:59", "+2026-11-21 12:00"],
    );
    // 2027-01-03 is a Sunday, of the last week of 2026.
    let weekly = Retention { weekly: 2, ..Retention::default() };
    check(&weekly, "2027-01-04 12:00", &["-2026-12-28 00:00", "+2027-01-03 23:59", "+2027-01-04 00:00"]);
    let monthly = Retention { monthly: 2, ..Retention::default() };
    check(
        &monthly,
        NOW,
        &["-2025-11-30 00:00", "-2026-10-01 00:00", "+2026-10-31 00:00", "+2026-11-01 00:00"],
    );
    let yearly = Retention { yearly: 2, ..Retention::default() };
    check(
        &yearly,
        NOW,
        &["-2024-12-31 00:00", "+2025-12-31 00:00", "-2026-01-01 00:00", "+2026-11-01 00:00"],
    );
}

#[test]
fn the_minimum_age_counts_from_when_a_version_was_replaced() {
    let retention = Retention { min_age: Duration::from_secs(24 * 3600), ..Retention::default() };
    // The second was the newest for months, and until this morning.
    let times = ["-2026-01-01 00:00", "+2026-03-01 00:00", "+2026-11-21 09:00", "+2026-11-21 10:00"];
    check(&retention, NOW, &times);
}

#[test]
fn rules_are_read_as_operators_write_them() {
    let retention: Retention = serde_json::from_str(r#"{"last": 30, "min_age": "2d"}"#).unwrap();
    assert_eq!(
        retention,
        Retention { last: 30, min_age: Duration::from_secs(2 * 86_400), ..Retention::default() }
    );
    assert!(!retention.is_empty() && Retention::default().is_empty());
    serde_json::from_str::<Retention>(r#"{"keep_last": 30}"#).unwrap_err();
}

proptest! {
    #[test]
    fn plans_keep_what_they_promise(
        mut times in prop::collection::vec(0_u64..4_000_000_000_000, 0..60),
        (last, daily, yearly) in (0_u32..5, 0_u32..5, 0_u32..5),
        age_ms in 0_u64..100_000_000_000,
    ) {
        times.sort_unstable();
        let now = 4_000_000_000_000;
        let retention = Retention { last, daily, yearly, min_age: Duration::from_millis(age_ms), ..Retention::default() };
        let plan = retention.plan(&times, now);
        prop_assert_eq!(plan.len(), times.len());
        if let Some(newest) = plan.last() {
            prop_assert!(newest.contains(&Reason::Newest));
        }
        let kept = |reason| plan.iter().filter(|reasons| reasons.contains(&reason)).count();
        prop_assert_eq!(kept(Reason::Last), times.len().min(last as usize));
        prop_assert!(kept(Reason::Daily) <= daily as usize && kept(Reason::Yearly) <= yearly as usize);
        // What stays today stays when the same rule looks at what stayed.
        let stayed: Vec<u64> = times.iter().zip(&plan).filter(|(_, why)| !why.is_empty()).map(|(time, _)| *time).collect();
        let again = retention.plan(&stayed, now);
        prop_assert!(again.iter().all(|reasons| !reasons.is_empty()));
    }
}
