//! Random templates: the engine and Go give the same bytes or the same error.

use crate::generate::Generator;
use crate::oracle::Oracle;

/// Cases per run; `TIPHYS_SEEDS` overrides it.
fn count() -> u64 {
    std::env::var("TIPHYS_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000)
}

fn seed() -> u64 {
    std::env::var("TIPHYS_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Asks both about `count` random templates and lists what differs.
fn compare(sprig: bool, count: u64) {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut wrong = Vec::new();
    for i in 0..count {
        let case = Generator::new(seed() * 1_000_003 + i, sprig).case();
        let got = case.run();
        let Some(want) = oracle.try_ask(&case) else {
            assert!(got.is_err(), "{:?}", case.templates);
            oracle = Oracle::start().unwrap();
            continue;
        };
        let same = match (&want, &got) {
            (Ok(w), Ok(g)) => w == g.as_bytes(),
            (Err(w), Err(g)) => w == g,
            _ => false,
        };
        if !same {
            let show = want.map(|b| String::from_utf8_lossy(&b).into_owned());
            let templates = &case.templates;
            wrong.push(format!("#{i} {} {templates:?}\n  go   {show:?}\n  rust {got:?}", case.missing_key));
        }
    }
    let shown = wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{shown}", wrong.len());
}

#[test]
fn random_templates_agree_with_go() {
    compare(false, count());
}

#[test]
fn random_templates_with_sprig_agree_with_go() {
    compare(true, count());
}
