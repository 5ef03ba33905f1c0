//! Random schedules, windows and projects, judged by Argo CD's own code where `TIPHYS_ORACLE_ARGO` names the oracle
//! program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::*;
use crate::api::{AppProjectSpec, ApplicationDestination, Time};
use crate::flow::Destination;
use crate::object::ResourceKey;

struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Option<Self> {
        let program = std::env::var("TIPHYS_ORACLE_ARGO").ok()?;
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, input, output })
    }

    /// The result, or nothing where the oracle says that the question makes no sense.
    fn ask(&mut self, question: &Value) -> Option<Value> {
        writeln!(self.input, "{question}").unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        answer.get("error").is_none().then(|| answer["result"].clone())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn seeds(default: u64) -> u64 {
    std::env::var("TIPHYS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn one_of<'a>(random: &mut StdRng, words: &[&'a str]) -> &'a str {
    words[random.random_range(0..words.len())]
}

fn field(random: &mut StdRng, first: u32, last: u32, words: &[&str]) -> String {
    let number = |random: &mut StdRng| random.random_range(first..=last);
    let one = |random: &mut StdRng| match random.random_range(0..12) {
        0..4 => "*".to_owned(),
        4 => format!("*/{}", random.random_range(1..9)),
        5 => format!("{}/{}", number(random), random.random_range(1..9)),
        6 => {
            let (low, high) = (number(random), number(random));
            format!("{}-{}/{}", low.min(high), low.max(high), random.random_range(1..4))
        }
        7 if !words.is_empty() => one_of(random, words).to_owned(),
        8 => one_of(random, &["?", "x", "99", "1-", "*/0", "5-2", "*,", "*-3"]).to_owned(),
        _ => number(random).to_string(),
    };
    let mut text = one(random);
    if random.random_range(0..4) == 0 {
        text = format!("{text},{}", one(random));
    }
    text
}

fn schedule(random: &mut StdRng) -> String {
    [
        field(random, 0, 59, &[]),
        field(random, 0, 23, &[]),
        field(random, 1, 31, &[]),
        field(random, 1, 12, &["jan", "FEB", "dec"]),
        field(random, 0, 6, &["sun", "MON", "sat"]),
    ]
    .join(" ")
}

#[test]
fn schedules_fire_when_robfig_cron_says() {
    let Some(mut oracle) = Oracle::start() else { return };
    let (mut wrong, mut read) = (Vec::new(), 0);
    for seed in 0..seeds(2000) {
        let mut random = StdRng::seed_from_u64(seed);
        let text = schedule(&mut random);
        let after = random.random_range(1_600_000_000..2_000_000_000_i64);
        let theirs = oracle.ask(&json!({"op": "cron", "schedule": text, "after": after}));
        let theirs = theirs.map(|next| next.as_i64().filter(|next| *next != 0));
        let ours = Schedule::parse(&text).ok().map(|schedule| schedule.next_after(after));
        read += u32::from(ours.is_some());
        if ours != theirs {
            wrong.push(format!("seed {seed}: \"{text}\" after {after}: ours {ours:?}, theirs {theirs:?}"));
        }
        // Looking back finds what looking forward found.
        if let (Ok(schedule), Some(Some(next))) = (Schedule::parse(&text), ours)
            && next - after < 300 * 86_400
        {
            assert_eq!(schedule.last_in(after, next), Some(next), "seed {seed}: \"{text}\"");
        }
    }
    assert!(read > 100, "too few schedules can be read: {read}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn window(random: &mut StdRng) -> Value {
    let hour = |random: &mut StdRng| match random.random_range(0..3) {
        0 => "*".to_owned(),
        _ => format!("{}-{}", random.random_range(0..12), random.random_range(12..24)),
    };
    let mut window = json!({
        "kind": one_of(random, &["allow", "deny"]),
        "schedule": format!("{} {} * * *", random.random_range(0..60), hour(random)),
        "duration": one_of(random, &["10m", "1h", "3h30m", "30s", "26h"]),
        "manualSync": random.random_range(0..2) == 0,
        "andOperator": random.random_range(0..2) == 0,
        "timeZone": one_of(random, &["", "UTC", "Asia/Tokyo", "America/New_York", "Nowhere/Land"]),
    });
    for (name, globs) in [
        ("applications", ["shop-*", "other"]),
        ("namespaces", ["we?", "db"]),
        ("clusters", ["https://prod", "https://dev"]),
    ] {
        if random.random_range(0..2) == 0 {
            window[name] = json!([one_of(random, &globs)]);
        }
    }
    window
}

#[test]
fn windows_open_when_argo_cd_says() {
    let Some(mut oracle) = Oracle::start() else { return };
    let (mut wrong, mut open, mut asked) = (Vec::new(), 0, 0);
    let written = ApplicationDestination {
        server: "https://prod".into(),
        namespace: "web".into(),
        name: String::new(),
    };
    // Argo CD does not look at the other name of a cluster; here it has none.
    let resolved =
        Destination { server: "https://prod".into(), name: String::new(), namespace: "web".into() };
    for seed in 0..seeds(500) {
        let mut random = StdRng::seed_from_u64(seed);
        let count = random.random_range(0..4);
        let specs: Vec<Value> = (0..count).map(|_| window(&mut random)).collect();
        let manual = random.random_range(0..2) == 0;
        let answer = oracle
            .ask(&json!({"op": "windows", "windows": specs, "application": "shop-prod", "manual": manual,
            "destination": {"server": "https://prod", "namespace": "web"}}));
        let answer = answer.unwrap();
        let now: Time = Time::new(jiff::Timestamp::from_second(answer["now"].as_i64().unwrap()).unwrap());
        let windows: Vec<crate::api::SyncWindow> = serde_json::from_value(json!(specs)).unwrap();
        let question = WindowQuestion {
            application: "shop-prod",
            written: &written,
            resolved: &resolved,
            manual,
            started: None,
        };
        let ours = sync_window_verdict(&windows, &question, now);
        asked += 1;
        open += u32::from(ours == WindowVerdict::Open);
        if Some(ours == WindowVerdict::Open) != answer["canSync"].as_bool() {
            wrong.push(format!("seed {seed} at {now}: ours {ours:?}, theirs {answer}, {specs:?}"));
        }
        if let WindowVerdict::Closed { opens: Some(opens), .. } = ours {
            let later = sync_window_verdict(&windows, &question, opens);
            assert_eq!(later, WindowVerdict::Open, "seed {seed}: it opens when it says");
        }
    }
    assert!(open > asked / 10 && open < asked, "{open} of {asked} are open");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table of random words")]
fn projects_permit_what_argo_cd_permits() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut wrong = Vec::new();
    let mut permits = [0_u32; 3];
    for seed in 0..seeds(2000) {
        let mut random = StdRng::seed_from_u64(seed);
        let not = |random: &mut StdRng| if random.random_range(0..4) == 0 { "!" } else { "" };
        let rules = |random: &mut StdRng| random.random_range(0..3);
        let repos: Vec<String> = (0..=rules(&mut random))
            .map(|_| {
                let glob = one_of(
                    &mut random,
                    &["*", "https://host/*", "https://host/**", "https://host/team/app", "git@host:team/*"],
                );
                // `!*` lets everything with a slash through in Argo CD; here it forbids everything.
                if glob == "*" { glob.to_owned() } else { format!("{}{glob}", not(&mut random)) }
            })
            .collect();
        let destinations: Vec<Value> = (0..=rules(&mut random))
            .map(|_| {
                let (server, namespace) = (
                    one_of(&mut random, &["*", "https://prod", "https://dev", "https://*", ""]),
                    one_of(&mut random, &["*", "web", "kube-*", "team-?"]),
                );
                json!({"server": format!("{}{server}", not(&mut random)), "namespace": format!("{}{namespace}", not(&mut random)),
                       "name": one_of(&mut random, &["", "", "prod", "*", "!prod", "!dev"])})
            })
            .collect();
        let kind = |random: &mut StdRng| json!({"group": one_of(random, &["", "*", "apps"]), "kind": one_of(random, &["*", "Secret", "Name*", "Deployment"])});
        let list = |random: &mut StdRng| (0..rules(random)).map(|_| kind(random)).collect::<Vec<_>>();
        let mut spec = json!({
            "sourceRepos": repos, "destinations": destinations,
            "clusterResourceWhitelist": list(&mut random), "clusterResourceBlacklist": list(&mut random),
            "namespaceResourceBlacklist": list(&mut random),
        });
        if random.random_range(0..2) == 0 {
            spec["namespaceResourceWhitelist"] = json!(list(&mut random));
        }
        let url = one_of(
            &mut random,
            &[
                "https://host/team/app.git",
                "https://Host/app",
                "git@host:team/app.git",
                "ssh://git@host/team/app",
                "https://other/team/x",
            ],
        );
        let cluster = one_of(&mut random, &["prod", "dev"]);
        let namespace = one_of(&mut random, &["web", "kube-system", "team-a"]);
        let (group, kind) =
            (one_of(&mut random, &["", "apps"]), one_of(&mut random, &["Secret", "Namespace", "Deployment"]));
        let namespaced = random.random_range(0..2) == 0;
        let destination = Destination {
            server: format!("https://{cluster}"),
            name: cluster.into(),
            namespace: namespace.into(),
        };
        let theirs = oracle
            .ask(&json!({"op": "project", "project": spec, "repoURL": url, "group": group, "kind": kind, "namespaced": namespaced,
                "destination": {"server": destination.server, "name": cluster, "namespace": namespace}}))
            .unwrap();
        let project: AppProjectSpec = serde_json::from_value(spec.clone()).unwrap();
        let ours = [
            permits_source(&project, url),
            permits_destination(&project, &destination),
            permits_kind(&project, &ResourceKey::new(group, kind, namespace, "x"), namespaced),
        ];
        for ((counter, ours), what) in permits.iter_mut().zip(ours).zip(["source", "destination", "kind"]) {
            *counter += u32::from(ours);
            let by_name_too = what == "destination" && !ours && destinations.iter().any(denies_by_name);
            if theirs[what].as_bool() != Some(ours) && !by_name_too {
                wrong.push(format!(
                    "seed {seed}: {what}: ours {ours}, theirs {theirs}: {spec} {url} {cluster}/{namespace}"
                ));
            }
        }
    }
    assert!(permits.iter().all(|count| *count > 100), "{permits:?}");
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// A namespace that a rule by name forbids: a wanted difference, since Argo CD looks at the address alone there.
fn denies_by_name(rule: &Value) -> bool {
    rule["name"] != "" && rule["namespace"].as_str().is_some_and(|namespace| namespace.starts_with('!'))
}
