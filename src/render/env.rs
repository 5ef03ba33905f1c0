//! The variables that Argo CD puts into parameters, names of value files, images, labels and annotations.

use std::cell::Cell;

use crate::api::ApplicationSource;

use super::RenderContext;

/// The variables of one source.
#[derive(Debug)]
pub(super) struct Env<'a> {
    context: &'a RenderContext,
    source: &'a ApplicationSource,
    told_revision: Cell<bool>,
}

impl<'a> Env<'a> {
    pub(super) fn new(context: &'a RenderContext, source: &'a ApplicationSource) -> Self {
        Self { context, source, told_revision: Cell::new(false) }
    }

    /// Whether a text came to depend on the revision, or on the name under which it was asked for.
    pub(super) fn told_revision(&self) -> bool {
        self.told_revision.get()
    }

    fn value(&self, name: &str) -> String {
        let revision = &self.context.revision;
        let revision_cut = |length: usize| revision.chars().take(length).collect::<String>();
        if name.contains("REVISION") {
            self.told_revision.set(true);
        }
        match name {
            "$" => "$".to_owned(),
            "ARGOCD_APP_NAME" => self.context.instance.clone(),
            "ARGOCD_APP_NAMESPACE" => self.context.namespace.clone(),
            "ARGOCD_APP_PROJECT_NAME" => self.context.project.clone(),
            "ARGOCD_APP_REVISION" => revision.clone(),
            "ARGOCD_APP_REVISION_SHORT" => revision_cut(7),
            "ARGOCD_APP_REVISION_SHORT_8" => revision_cut(8),
            "ARGOCD_APP_SOURCE_REPO_URL" => self.source.repo_url.clone(),
            "ARGOCD_APP_SOURCE_PATH" => self.source.path.clone(),
            "ARGOCD_APP_SOURCE_TARGET_REVISION" => self.source.target_revision.clone(),
            _ => String::new(),
        }
    }

    /// Replaces `$NAME` and `${NAME}` as Go's `os.Expand` does: unknown names become nothing, `$$` is a dollar.
    pub(super) fn substitute(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let after = after.get(1..).unwrap_or_default();
            if after.is_empty() {
                out.push('$');
                return out;
            }
            let (name, length) = variable(after);
            match name {
                // Bad syntax is eaten; a dollar before anything else stays.
                "" if length == 0 => out.push('$'),
                "" => {}
                name => out.push_str(&self.value(name)),
            }
            rest = after.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

/// The name that a text after a dollar starts with, and how many bytes it takes.
fn variable(text: &str) -> (&str, usize) {
    let special = |byte: u8| matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9');
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{') => match text.find('}') {
            Some(1) => ("", 2),
            Some(end) => (text.get(1..end).unwrap_or_default(), end + 1),
            None => ("", 1),
        },
        Some(first) if special(*first) => (text.get(..1).unwrap_or_default(), 1),
        _ => {
            let is_part = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
            let length = bytes.iter().take_while(|byte| is_part(byte)).count();
            (text.get(..length).unwrap_or_default(), length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_go_does_it() {
        let context = RenderContext {
            instance: "team_app".into(),
            revision: "0123456789abcdef".into(),
            ..RenderContext::default()
        };
        let source = ApplicationSource { path: "apps/x".into(), ..ApplicationSource::default() };
        let env = Env::new(&context, &source);
        let cases = [
            ("a-$ARGOCD_APP_NAME.yaml", "a-team_app.yaml"),
            ("${ARGOCD_APP_SOURCE_PATH}/b", "apps/x/b"),
            ("$UNKNOWN/values.yaml", "/values.yaml"),
            ("cost: 5$, $$1, $", "cost: 5$, $1, $"),
            ("${}x${", "x"),
            ("$1$@z", "z"),
            ("${$}", "$"),
        ];
        for (text, expected) in cases {
            assert_eq!(env.substitute(text), expected, "{text}");
        }
        assert!(!env.told_revision());
        assert_eq!(
            env.substitute("$ARGOCD_APP_REVISION_SHORT-$ARGOCD_APP_REVISION_SHORT_8"),
            "0123456-01234567"
        );
        assert!(env.told_revision());
    }
}
