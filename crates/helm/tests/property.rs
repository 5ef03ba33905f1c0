//! Random charts, values and flags: the same bytes and errors as the real `helm template`.
//!
//! Runs only when `TIPHYS_ORACLE_HELM` names the program; `cargo xtask test` sets it. `TIPHYS_SEEDS` says how many charts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use helm::TemplateCommand;

/// A small generator of numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % n.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Keys with what they hold: a scalar (`s`), a number (`n`), a list (`l`), a map (`m`). Templates rely on it.
const KEYS: &[(&str, char)] = &[
    ("a", 'm'),
    ("b", 'm'),
    ("c", 'm'),
    ("list", 'l'),
    ("text", 's'),
    ("on", 's'),
    ("n", 'n'),
    ("deep-er", 's'),
    ("sub", 'm'),
    ("global", 'm'),
    ("enabled", 'b'),
];
const SCALARS: &[&str] = &[
    "1",
    "-7",
    "0",
    "1.5",
    "1e3",
    "0755",
    "1_000",
    "true",
    "no",
    "~",
    "\"\"",
    "text",
    "'1'",
    "\"a b\"",
    "\"{{ .Release.Name }}\"",
    "2001-12-14",
    "12:30",
    "1234567890123",
    "0.1",
    "\"multi\\nline\\n\"",
    "é",
    "\"# no comment\"",
];
const NUMBERS: &[&str] = &["1", "-7", "0", "1.5", "1e3", "0755", "1234567890123", "0.1", "\"12\""];
const LISTS: &[&str] =
    &["[]", "[1, x, {k: v}]", "[b, a, c]", "[[1], [2]]", "[null, 0, \"\"]", "\n  - one\n  - 2"];
const BOOLS: &[&str] = &["true", "false", "on"];
/// Paths by what they lead to; those of any kind are last.
const SCALAR_PATHS: &[&str] = &[".text", ".on", ".n", ".a.text", ".c.on"];
const MAP_PATHS: &[&str] = &[".a", ".b", ".c", ".sub", ".global", ""];
const LIST_PATHS: &[&str] = &[".list", ".a.list"];
const ANY_PATHS: &[&str] = &[
    ".a",
    ".b",
    ".c",
    ".a.b",
    ".b.c",
    ".c.a",
    ".list",
    ".text",
    ".n",
    ".global.a",
    ".sub.a",
    ".sub",
    "",
    ".none",
    ".a.none",
];
/// What a template may hold. `@` is replaced by a value of any kind, `%` by a scalar, `^` by a map, `&` by a list.
const PIECES: &[&str] = &[
    "v: {{ @ | toJson }}",
    "v: {{ % | quote }}",
    "v: {{ default \"other\" @ | toString | quote }}",
    "v:\n  {{- toYaml @ | nindent 2 }}",
    "v:\n  {{- toYaml (list @ %) | nindent 2 }}",
    "{{- with @ }}\nv: {{ . | toJson | quote }}\n{{- else }}\nw: none\n{{- end }}",
    "{{- if % }}\nv: yes\n{{- else if eq (toString %) \"0\" }}\nv: zero\n{{- end }}",
    "{{- range $k, $v := ^ }}\n{{ $k | quote }}: {{ $v | toJson | squote }}\n{{- end }}",
    "l:\n{{- range $i, $v := & }}\n- {{ $i }}{{ $v | toJson | quote }}\n{{- else }} []\n{{- end }}",
    "v: {{ printf \"%v %T %q\" @ % (toString %) | quote }}",
    "v: {{ include \"c.part\" (dict \"v\" @ \"root\" $) | trim | quote }}",
    "v: {{ tpl (toString %) $ | quote }}",
    "v: {{ tpl \"{{ .Values.text | toJson }}\" $ }}",
    "v: {{ required \"a value is needed\" (default 1 ^) | toJson }}",
    "v: {{ required \"a scalar is needed\" (default 1 %) | toJson }}",
    "v: {{ hasKey .Values \"a\" }}{{ kindOf @ }}",
    "v: {{ @ | toYaml | sha256sum }}",
    "v: {{ (merge (dict \"x\" 1) (dict \"x\" 2 \"y\" @)) | toJson | quote }}",
    "v: {{ mergeOverwrite (deepCopy ^) (dict \"text\" %) | toJson | quote }}",
    "v: {{ ternary \"t\" \"f\" (empty @) }} {{ coalesce % \"c\" | toJson | squote }}",
    "v: {{ int64 % | add 1 }} {{ float64 % | mulf 2 }} {{ len (toString @) }}",
    "v: {{ % | toString | upper | trunc 5 | b64enc }} # {{ % | kindOf | replace \"a\" \"b\" | title }}",
    "v: {{ .Capabilities.KubeVersion.Minor }} {{ .Release.Revision }} {{ .Chart.Name }} {{ .Template.Name }}",
    "{{- $x := % }}\nv: {{ list $x 1 \"z\" | join \"-\" | quote }}\nw: {{ toToml (dict \"k\" (toString $x)) | quote }}",
    "v: {{ (fromYaml (toYaml (dict \"k\" @))).k | toJson | quote }}",
    "v: {{ .Files.Get \"file.txt\" | quote }}\nw:\n{{ (.Files.Glob \"*.txt\").AsConfig | indent 2 }}",
    "v: {{ range until 3 }}{{ . }}{{ end }}{{ index (list 1 2) 1 }}{{ ^ | keys | sortAlpha | join \",\" }}",
    "v: {{ & | first | toJson | quote }} # {{ & | len }} {{ & | has \"a\" }}",
    "v: {{ dig \"text\" \"none\" (merge (dict) (deepCopy ^)) | toJson | quote }}",
    "v: {{ @ | toPrettyJson | b64enc }}",
    "v: {{ @ | toString | trunc 20 | squote }}",
];
/// What ends in an error for most values.
const BRITTLE: &[&str] = &[
    "v: {{ @ | quote }} {{ @ | keys | len }}",
    "v: {{ @.text.more }}",
    "v: {{ index @ \"a\" \"b\" }}",
    "v: {{ @ | toString | lower | fail }}",
    "v: {{ @ }}",
    "v: {{ required \"a value is needed\" .Values.none }}",
    "v: {{ include \"c.none\" @ }}",
    "v: {{ @ | trunc 3 }}",
    "v: {{ tpl \"{{ .Values.text.more }}\" $ }}",
];
const KINDS: &[&str] = &["ConfigMap", "Service", "Deployment", "Namespace", "Job", "Role", "Odd"];
const SETS: &[&str] = &[
    "a.text=1",
    "b.c.on=x",
    "list[1].k=v",
    "list[0]=w",
    "text=null",
    "a.b=null",
    "n=0755",
    "list={p,q}",
    "sub.a.text=set",
    "global.a.n=4",
    "a.text=t\\,u",
    "on=false",
];

fn values(random: &mut Random, depth: usize, indent: usize, out: &mut String) {
    for (key, holds) in KEYS {
        // At the top most keys are there, further in few.
        let is_there = if indent == 0 { !random.one_in(20) } else { random.one_in(3) };
        if !is_there {
            continue;
        }
        let _ = write!(out, "{}{key}:", " ".repeat(indent));
        let kinds: &[&str] = match holds {
            'm' if depth == 0 => &["{}", "{text: t, on: 1}", "{n: 3}"],
            'm' => {
                let before = out.len();
                out.push('\n');
                values(random, depth - 1, indent + 2, out);
                if out.len() == before + 1 {
                    out.insert_str(before, " {}");
                }
                continue;
            }
            'l' if indent > 0 => &LISTS[..4],
            'l' => LISTS,
            'n' => NUMBERS,
            'b' => BOOLS,
            _ => SCALARS,
        };
        // Now and then a value is of another kind than templates believe.
        let text = if random.one_in(40) { random.pick(SCALARS) } else { random.pick(kinds) };
        let _ = writeln!(out, " {text}");
    }
}

/// A piece with values in the places of its signs.
fn piece(random: &mut Random) -> String {
    let text = if random.one_in(60) { random.pick(BRITTLE) } else { random.pick(PIECES) };
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        // `%v` is a verb of printf.
        let is_verb = c == '%' && letters.peek().is_some_and(char::is_ascii_alphabetic);
        let paths = match c {
            '@' => ANY_PATHS,
            '%' if !is_verb => SCALAR_PATHS,
            '^' => MAP_PATHS,
            '&' => LIST_PATHS,
            _ => &[],
        };
        match random.pick(if paths.is_empty() { &["-"] } else { paths }) {
            "-" => out.push(c),
            "" => out.push_str("$.Values"),
            path => out.push_str(&format!("($.Values{path})")),
        }
    }
    out
}

fn template(random: &mut Random, number: usize) -> String {
    let mut text = String::new();
    for i in 0..1 + random.below(2) {
        let kind = random.pick(KINDS);
        let _ = write!(text, "---\napiVersion: v1\nkind: {kind}\nmetadata:\n  name: x{number}-{i}\n");
        if random.one_in(4) {
            let event = random.pick(&["pre-install", "post-upgrade,test", "crd-install", "test"]);
            let _ = write!(
                text,
                "  annotations:\n    helm.sh/hook: {event}\n    helm.sh/hook-weight: \"{}\"\n",
                random.below(9)
            );
        }
        let _ = writeln!(text, "{}", piece(random));
    }
    text
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes a chart with a subchart; gives the flags.
fn chart(seed: u64, folder: &Path) -> TemplateCommand {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let _ = fs::remove_dir_all(folder);
    let mut meta = "apiVersion: v2\nname: c\nversion: 1.0.0\nappVersion: \"2.0\"\n".to_owned();
    if random.one_in(2) {
        meta.push_str("dependencies:\n- name: sub\n  version: '>=0.1.0'\n");
        meta.push_str(random.pick(&["", "  condition: sub.enabled\n", "  alias: b\n", "  tags: [on]\n"]));
        meta.push_str(random.pick(&[
            "",
            "  import-values: [data]\n",
            "  import-values:\n  - child: a\n    parent: c\n",
        ]));
    }
    write(folder, "Chart.yaml", &meta);
    write(folder, "file.txt", "first\nsecond\n");
    let mut defaults = String::new();
    values(&mut random, 2, 0, &mut defaults);
    write(folder, "values.yaml", &defaults);
    for number in 0..1 + random.below(3) {
        write(folder, &format!("templates/t{number}.yaml"), &template(&mut random, number));
    }
    write(
        folder,
        "templates/_part.tpl",
        "{{ define \"c.part\" }}{{ .v | toJson }}{{ .root.Release.Name }}{{ end }}",
    );
    write(folder, "charts/sub/Chart.yaml", "apiVersion: v1\nname: sub\nversion: 0.2.0\n");
    let mut inner = String::new();
    values(&mut random, 1, 0, &mut inner);
    write(folder, "charts/sub/values.yaml", &format!("{inner}exports:\n  data: {{c: imported, z: 1}}\n"));
    write(folder, "charts/sub/templates/s.yaml", &template(&mut random, 9));
    let mut command = TemplateCommand {
        names: vec!["rel".into(), folder.to_string_lossy().into_owned()],
        namespace: "ns".into(),
        kube_version: Some("1.35.0".into()),
        is_upgrade: random.one_in(3),
        ..TemplateCommand::default()
    };
    if random.one_in(2) {
        let mut over = String::new();
        values(&mut random, 2, 0, &mut over);
        write(folder, "over.yaml", &over);
        command.values.push(folder.join("over.yaml").to_string_lossy().into_owned());
    }
    for _ in 0..random.below(3) {
        let flags = if random.one_in(4) { &mut command.set_string } else { &mut command.set };
        flags.push(random.pick(SETS).to_owned());
    }
    command
}

fn ours(folder: &Path, command: &TemplateCommand) -> Result<String, String> {
    let (_, mut input) = command.input().map_err(|error| error.to_string())?;
    input.values = command.layers(|name| fs::read(name).map_err(|error| error.to_string()))?;
    let chart = crate::golden::load(folder)?;
    helm::render(&chart, &input).map(|rendered| rendered.text()).map_err(|error| error.command_line_text())
}

fn theirs(program: &str, command: &TemplateCommand) -> Result<String, String> {
    let mut process = Command::new(program);
    process.arg("template").args(&command.names).args([
        "--namespace",
        &command.namespace,
        "--kube-version",
        "1.35.0",
    ]);
    for (flag, list) in
        [("-f", &command.values), ("--set", &command.set), ("--set-string", &command.set_string)]
    {
        process.args(list.iter().flat_map(|value| [flag, value]));
    }
    if command.is_upgrade {
        process.arg("--is-upgrade");
    }
    let output = process.output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8(output.stderr).unwrap();
    Err(text.find("Error: ").map_or(&*text, |at| &text[at + 7..]).trim_end().to_owned())
}

#[test]
fn random_charts_render_as_helm_renders_them() {
    let Ok(program) = std::env::var("TIPHYS_ORACLE_HELM") else { return };
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let folder = std::env::temp_dir().join(format!("helm-property-{}", std::process::id()));
    let mut wrong = Vec::new();
    let first = number("TIPHYS_SEED", 1).wrapping_mul(1_000_003);
    let mut rendered = 0;
    let count = number("TIPHYS_SEEDS", 40);
    for seed in (0..count).map(|i| first.wrapping_add(i)) {
        let command = chart(seed, &folder);
        let (ours, theirs) =
            (ours(&folder, &command).map_err(|e| e.trim_end().to_owned()), theirs(&program, &command));
        rendered += u64::from(theirs.is_ok());
        if let Err(error) = &theirs {
            println!("seed {seed}: {}", error.replace('\n', " "));
        }
        if ours != theirs {
            wrong.push(format!("seed {seed}, {command:?}\n--- ours\n{ours:#?}\n--- helm\n{theirs:#?}"));
        }
    }
    let _ = fs::remove_dir_all(&folder);
    let shown: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} differ, {rendered} rendered:\n{}",
        wrong.len(),
        shown.join("\n").replace("\\n", "\n")
    );
    println!("{rendered} of {count} rendered, the others ended with the same error");
    assert!(
        rendered * 10 >= count * 6,
        "too many of the charts that this test makes are errors: {rendered} of {count}"
    );
}
