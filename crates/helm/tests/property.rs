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

const KEYS: &[&str] = &["a", "b", "c", "list", "text", "on", "n", "deep-er", "sub", "global", "enabled"];
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
    "[]",
    "{}",
    "[1, x, {k: v}]",
];
const PATHS: &[&str] =
    &[".a", ".b", ".c", ".a.b", ".b.c", ".c.a.b", ".list", ".text", ".n", ".global.a", ".sub.a", ".sub", ""];
/// What a template may hold; `@` is replaced by a value.
const PIECES: &[&str] = &[
    "v: {{ @ | toJson }}",
    "v: {{ @ | quote }}",
    "v: {{ default \"other\" @ | toString | quote }}",
    "v:\n  {{- toYaml @ | nindent 2 }}",
    "{{- with @ }}\nv: {{ . | toJson | quote }}\n{{- else }}\nw: none\n{{- end }}",
    "{{- if @ }}\nv: yes\n{{- else if eq (toString @) \"0\" }}\nv: zero\n{{- end }}",
    "{{- range $k, $v := @ }}\nk{{ $k }}: {{ $v | toJson | squote }}\n{{- end }}",
    "v: {{ printf \"%v %T %q\" @ @ (toString @) | quote }}",
    "v: {{ include \"c.part\" (dict \"v\" @ \"root\" $) | trim | quote }}",
    "v: {{ tpl (toString @) $ | quote }}",
    "v: {{ required \"a value is needed\" @ | toJson }}",
    "v: {{ hasKey .Values \"a\" }}{{ kindOf @ }}",
    "v: {{ @ | toYaml | sha256sum }}",
    "v: {{ (merge (dict \"x\" 1) (dict \"x\" 2 \"y\" @)) | toJson | quote }}",
    "v: {{ ternary \"t\" \"f\" (empty @) }} {{ coalesce @ \"c\" | toJson }}",
    "v: {{ int64 @ | add 1 }} {{ float64 @ | mulf 2 }} {{ len (toString @) }}",
    "v: {{ @ | toString | upper | trunc 5 | b64enc }} # {{ @ | toString | lower | replace \"a\" \"b\" | title }}",
    "v: {{ .Capabilities.KubeVersion.Minor }} {{ .Release.Revision }} {{ .Chart.Name }} {{ .Template.Name }}",
    "{{- $x := @ }}\nv: {{ list $x 1 \"z\" | join \"-\" | quote }}\nw: {{ toToml (dict \"k\" (toString $x)) | quote }}",
    "v: {{ (fromYaml (toYaml (dict \"k\" @))).k | toJson | quote }}",
    "v: {{ .Files.Get \"file.txt\" | quote }} {{ (.Files.Glob \"*.txt\").AsConfig | indent 2 }}",
    "v: {{ range until 3 }}{{ . }}{{ end }}{{ index (list 1 2) 1 }}{{ @ | default dict | keys | sortAlpha | join \",\" }}",
];
const KINDS: &[&str] = &["ConfigMap", "Service", "Deployment", "Namespace", "Job", "Role", "Odd"];
const SETS: &[&str] = &[
    "a=1",
    "b.c=x",
    "list[1].k=v",
    "text=null",
    "n=0755",
    "c={p,q}",
    "sub.a=set",
    "global.a=g",
    "a.b=t\\,u",
    "on=false",
];

fn values(random: &mut Random, depth: usize, indent: usize, out: &mut String) {
    let first = random.below(KEYS.len());
    for i in 0..1 + random.below(5) {
        // No key comes twice.
        let key = KEYS[(first + i * 2 + usize::from(i >= KEYS.len().div_ceil(2))) % KEYS.len()];
        let _ = write!(out, "{}{key}:", " ".repeat(indent));
        if depth > 0 && random.one_in(2) {
            out.push('\n');
            values(random, depth - 1, indent + 2, out);
        } else {
            let _ = writeln!(out, " {}", random.pick(SCALARS));
        }
    }
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
        let value = format!(".Values{}", random.pick(PATHS));
        let value = if value == ".Values" { value } else { format!("({value})") };
        let _ = writeln!(text, "{}", random.pick(PIECES).replace('@', &value));
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
    for seed in (0..number("TIPHYS_SEEDS", 40)).map(|i| first.wrapping_add(i)) {
        let command = chart(seed, &folder);
        let (ours, theirs) =
            (ours(&folder, &command).map_err(|e| e.trim_end().to_owned()), theirs(&program, &command));
        rendered += u64::from(theirs.is_ok());
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
    println!("{rendered} rendered, the others ended with the same error");
}
