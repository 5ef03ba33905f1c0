//! Charts that want too much end with an error, in bounded time and memory.

use helm::{ArchiveLimits, Chart, Error, File, RenderInput};

fn render(template: &str, helpers: &str) -> Result<String, Error> {
    let files = vec![
        File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        File::new("templates/a.yaml", template),
        File::new("templates/_h.tpl", helpers),
    ];
    let chart = Chart::load(files, &ArchiveLimits::default())?;
    let defaults = RenderInput::default();
    let limits = gotemplate::Limits { steps: 2_000_000, bytes: 16 << 20, ..defaults.limits };
    helm::render(&chart, &RenderInput { limits, ..defaults }).map(|r| r.text())
}

#[test]
fn include_in_itself_ends_as_in_helm() {
    let error =
        render("{{ include \"x\" . }}", "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("rendering template has a nested reference name: x: unable to execute template"),
        "{text:.300}"
    );
}

#[test]
fn tpl_in_itself_ends() {
    let template = "{{ $_ := set . \"t\" \"{{ tpl .t . }}\" }}{{ tpl .t . }}";
    assert!(render(template, "").is_err());
}

#[test]
fn long_loops_and_large_texts_end() {
    assert!(render("{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}", "").is_err());
    assert!(render("{{ repeat 100000000 \"x\" }}", "").is_err());
    let nested = "{{ $m := dict }}{{ range until 100000 }}{{ $m = dict \"m\" $m }}{{ end }}{{ toYaml $m }}";
    let _ = render(nested, "");
}

#[test]
fn ten_thousand_files() {
    let mut files: Vec<File> =
        (0..10_000).map(|i| File::new(format!("templates/t{i}.yaml"), format!("kind: K{i}\n"))).collect();
    files.push(File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"));
    let chart = Chart::load(files, &ArchiveLimits::default()).unwrap();
    assert_eq!(helm::render(&chart, &RenderInput::default()).unwrap().manifests.len(), 10_000);
}

#[test]
fn a_second_render_reuses_the_chart_from_another_thread() {
    let files = vec![
        File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        File::new("templates/a.yaml", "kind: A\nname: {{ .Release.Name }}\n"),
    ];
    let chart = std::sync::Arc::new(Chart::load(files, &ArchiveLimits::default()).unwrap());
    let render = |name: &str| {
        let input = RenderInput { release_name: name.into(), ..RenderInput::default() };
        helm::render(&chart, &input).unwrap().text()
    };
    assert_eq!(render("one"), "---\n# Source: c/templates/a.yaml\nkind: A\nname: one\n");
    let second = std::thread::scope(|s| s.spawn(|| render("two")).join().unwrap());
    assert_eq!(second, "---\n# Source: c/templates/a.yaml\nkind: A\nname: two\n");
}
