//! Tables of sync windows, and the same windows asked of Argo CD's own code.

use serde_json::{Value, json};

use super::windows::{WindowQuestion, WindowVerdict, sync_window_verdict};
use crate::api::{ApplicationDestination, SyncWindow, Time};
use crate::flow::Destination;

fn windows(specs: Value) -> Vec<SyncWindow> {
    serde_json::from_value(specs).unwrap()
}

fn written() -> ApplicationDestination {
    ApplicationDestination { server: "https://prod".into(), namespace: "web".into(), name: String::new() }
}

fn resolved() -> Destination {
    Destination { server: "https://prod".into(), name: "prod".into(), namespace: "web".into() }
}

fn verdict(specs: &Value, manual: bool, started: Option<&str>, now: &str) -> WindowVerdict {
    let question = WindowQuestion {
        application: "shop-prod",
        written: &written(),
        resolved: &resolved(),
        manual,
        started: started.map(at),
    };
    sync_window_verdict(&windows(specs.clone()), &question, at(now))
}

fn at(text: &str) -> Time {
    format!("2026-11-{text}:00Z").parse().unwrap()
}

fn is_open(specs: &Value, now: &str) -> bool {
    verdict(specs, false, None, now) == WindowVerdict::Open
}

fn allow(schedule: &str, duration: &str) -> Value {
    json!({"kind": "allow", "schedule": schedule, "duration": duration, "applications": ["*"]})
}

fn deny(schedule: &str, duration: &str) -> Value {
    json!({"kind": "deny", "schedule": schedule, "duration": duration, "applications": ["*"]})
}

fn with(mut window: Value, field: &str, value: Value) -> Value {
    window[field] = value;
    window
}

#[test]
fn deny_beats_allow_and_closed_allow_windows_forbid() {
    let (day, lunch) = (allow("0 8 * * *", "10h"), deny("0 12 * * *", "1h"));
    assert!(is_open(&json!([]), "21T03:00"));
    assert!(!is_open(&json!([day]), "21T07:59"));
    assert!(is_open(&json!([day]), "21T08:00") && is_open(&json!([day]), "21T17:59"));
    assert!(!is_open(&json!([day]), "21T18:00"));
    assert!(!is_open(&json!([day, lunch]), "21T12:30") && is_open(&json!([day, lunch]), "21T13:00"));
    assert!(is_open(&json!([lunch]), "21T03:00"), "deny windows alone leave the rest open");
    let two = json!([allow("0 8 * * *", "1h"), allow("0 20 * * *", "1h")]);
    assert!(is_open(&two, "21T20:30"), "one of several allow windows is enough");
}

#[test]
fn the_message_says_which_window_and_until_when() {
    let specs = json!([allow("0 8 * * 1-5", "10h"), deny("0 8 * * 1", "2h")]);
    let WindowVerdict::Closed { message, opens } = verdict(&specs, false, None, "21T12:00") else {
        panic!("it is Saturday")
    };
    assert_eq!(opens, Some(at("23T10:00")), "on Monday the deny window ends at ten");
    assert_eq!(
        message,
        "Sync operation blocked by sync window (allow:0 8 * * 1-5:10h); it goes on at 2026-11-23T10:00:00Z"
    );
    assert_eq!(verdict(&specs, false, None, "21T12:00").wait(at("21T12:00")).as_secs(), 3600);
    assert_eq!(verdict(&specs, false, None, "23T09:59").wait(at("23T09:59")).as_secs(), 60);
}

#[test]
fn a_person_may_sync_where_every_window_says_so() {
    let by_hand = with(deny("* * * * *", "1h"), "manualSync", json!(true));
    let strict = deny("* * * * *", "1h");
    let open = |specs: Value| verdict(&specs, true, None, "21T12:00") == WindowVerdict::Open;
    assert!(open(json!([by_hand])) && !open(json!([by_hand, strict])));
    let closed = with(allow("0 1 * * *", "1h"), "manualSync", json!(true));
    assert!(open(json!([closed])) && !open(json!([closed, allow("0 2 * * *", "1h")])));
    assert!(!is_open(&json!([by_hand]), "21T12:00"), "the controller itself may not");
}

#[test]
fn a_sync_that_has_begun_may_end_where_the_windows_say_so() {
    let overrun = |window: Value| with(window, "syncOverrun", json!(true));
    let goes_on = |specs: Value| verdict(&specs, false, Some("21T11:30"), "21T12:30") == WindowVerdict::Open;
    let (noon, morning) = (deny("0 12 * * *", "1h"), allow("0 8 * * *", "4h"));
    assert!(goes_on(json!([overrun(noon.clone())])) && !goes_on(json!([noon])));
    assert!(goes_on(json!([overrun(morning.clone())])) && !goes_on(json!([morning])));
    assert!(goes_on(json!([morning, overrun(noon.clone())])), "it was permitted when it started");
    assert!(!goes_on(json!([overrun(morning.clone()), noon])));
    assert!(!goes_on(json!([overrun(morning), allow("0 7 * * *", "1h")])));
    assert!(!goes_on(json!([overrun(deny("0 11 * * *", "2h"))])), "it was not permitted when it started");
}

#[test]
fn windows_are_chosen_by_application_cluster_and_namespace() {
    let window = |field: &str, value: &str| {
        let mut window = deny("* * * * *", "1h");
        window.as_object_mut().unwrap().remove("applications");
        with(window, field, json!([value]))
    };
    for (field, value, concerned) in [
        ("applications", "*-prod", true),
        ("applications", "*-dev", false),
        ("clusters", "https://prod", true),
        // Also by the cluster's name, where the application names its address.
        ("clusters", "prod", true),
        ("clusters", "dev", false),
        ("namespaces", "we*", true),
        ("namespaces", "db", false),
    ] {
        assert_eq!(!is_open(&json!([window(field, value)]), "21T12:00"), concerned, "{field} {value}");
    }
    let both = with(window("applications", "*-prod"), "namespaces", json!(["db"]));
    assert!(!is_open(&json!([both]), "21T12:00"), "or");
    assert!(is_open(&json!([with(both, "andOperator", json!(true))]), "21T12:00"), "and");
    let nobody = json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "andOperator": true}]);
    assert!(is_open(&nobody, "21T12:00"));
}

#[test]
fn schedules_are_local_to_their_zone() {
    let tokyo = json!([with(allow("0 9 * * *", "1h"), "timeZone", json!("Asia/Tokyo"))]);
    assert!(is_open(&tokyo, "21T00:30") && !is_open(&tokyo, "21T09:30"));
    let unknown = json!([with(allow("0 9 * * *", "1h"), "timeZone", json!("Mars/Olympus"))]);
    assert!(is_open(&unknown, "21T09:30"), "a zone that nobody knows is UTC");
}

#[test]
fn a_window_that_cannot_be_read_forbids_and_says_so() {
    for (field, value) in [("schedule", "soon"), ("duration", "long"), ("kind", "maybe")] {
        let specs = json!([with(allow("* * * * *", "1h"), field, json!(value))]);
        let WindowVerdict::Closed { message, .. } = verdict(&specs, true, None, "21T12:00") else {
            panic!("{field} {value}")
        };
        assert!(message.contains("spec.syncWindows") && message.contains(value), "{message}");
    }
    // One that is about others harms nobody.
    let others = with(with(deny("soon", "1h"), "applications", json!(["x"])), "kind", json!("?"));
    assert!(is_open(&json!([others]), "21T12:00"));
}
