use tokio::time::advance;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_session_lasts_while_it_is_used_and_no_longer_than_its_life() {
    let sessions = Sessions::new(None);
    let cookie = sessions.begin("key").unwrap();
    let left = sessions.used(&cookie).unwrap();
    assert_eq!(left, Left { key_sha256: hash("key"), life: LIFE_MAX, idle: IDLE_MAX });
    let mut lasted = Duration::ZERO;
    while sessions.used(&cookie).is_some() {
        advance(IDLE_MAX - MINUTE).await;
        lasted += IDLE_MAX - MINUTE;
    }
    assert!(lasted >= LIFE_MAX && lasted < LIFE_MAX + IDLE_MAX, "{lasted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_uses_ends() {
    let sessions = Sessions::new(None);
    let cookie = sessions.begin("key").unwrap();
    advance(IDLE_MAX).await;
    assert_eq!(sessions.used(&cookie), None);
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_at_a_session_does_not_use_it() {
    let sessions = Sessions::new(None);
    let cookie = sessions.begin("key").unwrap();
    advance(IDLE_MAX - MINUTE).await;
    assert_eq!(sessions.key_of(&cookie), Some(hash("key")));
    advance(MINUTE).await;
    assert_eq!((sessions.key_of(&cookie), sessions.key_of("made up")), (None, None));
    assert_eq!(sessions.used(&cookie), None);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_is_ended_and_no_other_does() {
    let sessions = Sessions::new(None);
    let (one, other) = (sessions.begin("key").unwrap(), sessions.begin("key").unwrap());
    assert_ne!(one, other);
    sessions.end(&one);
    assert!(sessions.used(&one).is_none() && sessions.used(&other).is_some());
    assert!(sessions.used("made up").is_none());
}

#[tokio::test(start_paused = true)]
async fn of_too_many_sessions_of_a_key_the_one_that_was_not_used_for_longest_ends_and_no_other_keys() {
    let sessions = Sessions::new(None);
    let others = sessions.begin("another key").unwrap();
    let mut cookies = Vec::new();
    for _ in 0..OF_ONE_KEY_MAX {
        advance(Duration::from_millis(1)).await;
        cookies.push(sessions.begin("key").unwrap());
    }
    advance(Duration::from_millis(1)).await;
    assert!(sessions.used(&cookies[0]).is_some());
    let new = sessions.begin("key").unwrap();
    assert!(sessions.used(&cookies[0]).is_some() && sessions.used(&new).is_some());
    assert!(sessions.used(&cookies[1]).is_none());
    assert_eq!(sessions.sessions().len(), OF_ONE_KEY_MAX + 1);
    for _ in 0..20 * OF_ONE_KEY_MAX {
        sessions.begin("key").unwrap();
    }
    assert!(sessions.used(&others).is_some());
    assert_eq!(sessions.sessions().len(), OF_ONE_KEY_MAX + 1);
}

#[tokio::test(start_paused = true)]
async fn all_keys_together_have_a_bound_too() {
    let sessions = Sessions::new(None);
    let now = Instant::now();
    for number in 0..SESSIONS_MAX {
        let key_sha256 = hash(&number.to_string());
        sessions.sessions().insert(key_sha256, Session { key_sha256, begun: now, used: now });
    }
    sessions.begin("key").unwrap();
    assert_eq!(sessions.sessions().len(), SESSIONS_MAX);
    advance(IDLE_MAX).await;
    sessions.begin("key").unwrap();
    assert_eq!(sessions.sessions().len(), 1, "those that are over go first");
}

#[tokio::test]
async fn a_cookie_is_for_https_alone_where_the_world_comes_by_https() {
    let sessions = Sessions::new(Some("https://hooks.example.com"));
    assert!(sessions.secure());
    sessions.put(Some("http://hooks.example.com"));
    assert!(!sessions.secure());
}
