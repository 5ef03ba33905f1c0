//! The fuzz target: lexer, parser and executor on any bytes.

use std::sync::Arc;

use gotemplate::{Funcs, Limits, List, Map, MissingKey, TemplateSet, Value, sprig};

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    entries.into_iter().collect::<Map>().into()
}

fn data() -> Value {
    let list: List = ["a", "b", "c"].into_iter().map(Value::from).collect();
    let inner = map([("x", 1.5.into()), ("y", "text".into()), ("z", Value::Nil), ("l", list.clone().into())]);
    map([
        ("a", inner.clone()),
        ("b", list.into()),
        ("c", "{{ .a }}".into()),
        ("n", 3.0.into()),
        ("Values", inner),
    ])
}

/// Parses the bytes as a template, and executes it within small limits.
pub(crate) fn run(bytes: &[u8]) {
    let _guard = gotemplate::value::CycleGuard::new();
    let funcs = Funcs::new().with(sprig::FUNCS).without(&SLOW);
    let missing = [MissingKey::Default, MissingKey::Zero, MissingKey::Error][bytes.len() % 3];
    let mut set = TemplateSet::new("fuzz", missing);
    let Ok(()) = set.parse("t", bytes, &funcs) else { return };
    let limits = Limits { steps: 20_000, bytes: 1 << 18, ..Limits::default() };
    let _ = Arc::new(set).execute("t", data(), &funcs, &limits);
}

/// What makes keys takes its time, on purpose.
const SLOW: [&str; 11] = [
    "bcrypt",
    "htpasswd",
    "derivePassword",
    "genPrivateKey",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "buildCustomCert",
];
