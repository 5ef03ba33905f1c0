//! sprig's functions against Go: tables with Go's answers, random calls, limits, and what random results look like.
//!
//! `TIPHYS_UPDATE_GOLDENS=1 TIPHYS_ORACLE_GOTEMPLATE=… cargo test -p gotemplate sprig` asks Go again.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gotemplate::Limits;
use serde_json::{Value as Json, json};

use crate::case::Case;
use crate::oracle::Oracle;

mod calls;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sprig")
}

/// The data that all templates see.
fn data() -> Json {
    json!({
        "m": {"a": 1, "b": "x", "n": null, "e": "", "z": 0, "f": false, "l": [1, 2], "el": [], "em": {},
            "d": {"k": {"v": "deep"}}},
        "l": [3, "b", null, 1.5, true, [1], {"k": "v"}],
        "s": "Hello, Wörld", "nil": null, "f": 1e6, "big": 1e21, "t": true, "strs": ["b", "a", "c"],
        "vals": {"$values": {"a": {"b": 1}}},
    })
}

fn call(template: &str) -> Case {
    Case { funcs: "sprig", ..Case::one(template, data()) }
}

fn render(template: &str) -> String {
    call(template).run().unwrap_or_else(|e| panic!("{template}: {e}")).to_text().into_owned()
}

/// `{"output": …}` or `{"error": …}`, bytes that are no text replaced.
fn answer(result: Result<impl AsRef<[u8]>, String>) -> Json {
    match result {
        Ok(bytes) => json!({"output": gotemplate::Str::from_bytes(bytes.as_ref()).to_text()}),
        Err(error) => json!({"error": error}),
    }
}

/// Each line of a file is a template and Go's answer.
#[test]
fn sprig_goldens_agree() {
    let mut oracle = std::env::var_os("TIPHYS_UPDATE_GOLDENS").and_then(|_| Oracle::start());
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "jsonl")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut updated = String::new();
        for line in text.lines() {
            let (template, mut want): (String, Json) = serde_json::from_str(line).unwrap();
            let case = call(&template);
            if let Some(oracle) = &mut oracle {
                want = answer(oracle.ask(&case));
                writeln!(updated, "{}", json!([template, want])).unwrap();
            }
            let got = answer(case.run());
            count += 1;
            if got != want {
                wrong.push(format!("{}: {template}\n  go   {want}\n  rust {got}", file.display()));
            }
        }
        if oracle.is_some() {
            std::fs::write(&file, updated).unwrap();
        }
    }
    assert!(count > 4_000, "only {count} cases");
    let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{shown}", wrong.len());
}

#[test]
fn random_sprig_calls_agree_with_go() {
    let Some(mut oracle) = Oracle::start() else { return };
    let number =
        |name: &str, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (cases, seed): (u64, u64) = (number("TIPHYS_SEEDS", 5_000), number("TIPHYS_SEED", 1));
    let mut wrong = Vec::new();
    for i in 0..cases {
        let template = calls::Calls::new(seed.wrapping_mul(1_000_003) + i).template();
        let case = call(&template);
        let (want, got) = (answer(oracle.ask(&case)), answer(case.run()));
        if want != got {
            wrong.push(format!("#{i} {template}\n  go   {want}\n  rust {got}"));
        }
    }
    let shown = wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{shown}", wrong.len());
}

#[test]
fn the_readme_lists_every_function() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sprig/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut listed: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .flat_map(|line| line.split('|').nth(2).unwrap_or("").split('`').skip(1).step_by(2))
        .collect();
    listed.sort_unstable();
    let names = gotemplate::Funcs::new().with(gotemplate::sprig::FUNCS).names();
    assert_eq!(listed, names);
    assert_eq!(names.len(), gotemplate::sprig::FUNCS.len(), "a function stands in two tables");
    for name in gotemplate::sprig::NON_DETERMINISTIC {
        assert!(names.contains(name), "{name} is no function");
    }
}

#[test]
fn no_function_takes_memory_without_bound() {
    let limits = Limits { bytes: 1 << 20, steps: 100_000, ..Limits::default() };
    for template in [
        r#"{{ repeat 1000000000 "x" }}"#,
        r#"{{ repeat 9223372036854775807 "" | len }}{{ repeat 9223372036854775807 "xy" }}"#,
        "{{ until 1000000000000 }}",
        "{{ untilStep 0 9223372036854775807 1 }}",
        "{{ untilStep 0 -9223372036854775808 -1 }}",
        "{{ seq 1000000000000 }}",
        "{{ seq 0 1 9223372036854775806 }}",
        "{{ randAlphaNum 1000000000000 }}",
        "{{ randBytes 1000000000000 }}",
        r#"{{ indent 1000000000000 "a" }}"#,
        r#"{{ nindent 9223372036854775807 "a" }}"#,
        r#"{{ $x := "a" }}{{ range until 60 }}{{ $x = replace "a" "aa" $x }}{{ end }}"#,
        r#"{{ $x := "aaaaaaaa" }}{{ range until 60 }}{{ $x = replace "" $x $x }}{{ end }}"#,
        r#"{{ $x := "a" }}{{ range until 60 }}{{ $x = regexReplaceAll "a" $x "aa" }}{{ end }}"#,
        r#"{{ $x := "a" }}{{ range until 60 }}{{ $x = join $x (until 100) }}{{ end }}"#,
        r#"{{ $x := "a b" }}{{ range until 60 }}{{ $x = wrapWith 1 $x $x }}{{ end }}"#,
        r#"{{ $x := "a" }}{{ range until 60 }}{{ $x = cat $x $x }}{{ end }}"#,
        r#"{{ $x := "\"" }}{{ range until 60 }}{{ $x = quote $x $x }}{{ end }}"#,
        r#"{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}"#,
        r#"{{ $x := dict }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ toRawJson $x }}"#,
        r#"{{ $x := dict }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ deepCopy $x }}"#,
        r#"{{ $x := dict }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ mustToPrettyJson $x }}"#,
        r#"{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ deepCopy $x }}"#,
        r#"{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ toRawJson $x }}"#,
        r#"{{ $x := dict }}{{ $_ := set $x "x" $x }}{{ merge $x (dict "x" $x) (dict "x" (dict "x" $x)) }}"#,
        r#"{{ regexFind "(((a{100}){100}){100}){100}" "a" }}"#,
        r#"{{ mulf 1e300 1e300 1e300 1e300 | round 400 }}{{ range until 100000 }}{{ derivePassword 1 "long" "a" "b" "c" }}{{ end }}"#,
        r#"{{ range until 100000 }}{{ genCA "a" 1 }}{{ end }}"#,
    ] {
        assert!(call(template).run_within(&limits).is_err(), "{template} is not bounded");
    }
}

#[test]
fn certificates_form_a_chain() {
    let text = render(concat!(
        r#"{{ $ca := genCA "my-ca" 365 }}{{ $c := genSignedCert "leaf" (list "10.0.0.1" "::1") (list "a.example" "b") 30 $ca }}"#,
        "{{ list $ca.Cert $ca.Key $c.Cert $c.Key | toRawJson }}",
    ));
    let parts: Vec<String> = serde_json::from_str(&text).unwrap();
    for (part, label) in
        parts.iter().zip(["CERTIFICATE", "RSA PRIVATE KEY", "CERTIFICATE", "RSA PRIVATE KEY"])
    {
        assert!(part.starts_with(&format!("-----BEGIN {label}-----\n")), "{part}");
        assert!(part.ends_with(&format!("-----END {label}-----\n")), "{part}");
        assert!(part.lines().all(|l| l.len() <= 64));
    }
    if let Ok(folder) = std::env::var("TIPHYS_KEEP_CERTIFICATES") {
        for (part, name) in parts.iter().zip(["ca.crt", "ca.key", "leaf.crt", "leaf.key"]) {
            std::fs::write(Path::new(&folder).join(name), part).unwrap();
        }
    }
}

#[test]
fn keys_of_all_kinds_sign() {
    for kind in ["ecdsa", "ed25519"] {
        let text = render(&format!(
            concat!(
                r#"{{{{ $k := genPrivateKey "{kind}" }}}}{{{{ $ca := genCAWithKey "ca" 1 $k }}}}"#,
                r#"{{{{ $c := genSignedCertWithKey "c" nil nil 1 $ca $k }}}}{{{{ $s := genSelfSignedCertWithKey "s" nil (list "x") 1 $k }}}}"#,
                r#"{{{{ $b := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key) }}}}{{{{ eq $b.Key $k $s.Key $ca.Key }}}}"#,
            ),
            kind = kind,
        ));
        assert_eq!(text, "true", "{kind}");
    }
}
