//! `kustomize.buildOptions` of argocd-cm: the flags of `kustomize build`.

use kustomize::{LoadRestrictor, MergeKeys, Options, Reorder};

use crate::flow::Problem;

use super::render_problem;

/// Flags that start programs or containers, or that lead somewhere else.
const REFUSED: [&str; 9] = [
    "--enable-alpha-plugins",
    "--enable-exec",
    "--enable-star",
    "--network",
    "--network-name",
    "--mount",
    "--env",
    "--output",
    "--as-current-user",
];

fn problem(message: impl std::fmt::Display) -> Problem {
    render_problem(format!("kustomize.buildOptions in argocd-cm: {message}"))
}

/// Reads the flags into the options of a build.
pub(super) fn read(text: &str, options: &mut Options) -> Result<(), Problem> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let is_on = || match inline {
            None | Some("true" | "t" | "T" | "TRUE" | "True" | "1") => Ok(true),
            Some("false" | "f" | "F" | "FALSE" | "False" | "0") => Ok(false),
            Some(other) => Err(problem(format!("{flag}: {other:?} is neither true nor false"))),
        };
        let mut value = || {
            let value = inline.or_else(|| words.next());
            value.ok_or_else(|| problem(format!("{flag} needs a value")))
        };
        match flag {
            "--enable-helm" => options.enable_helm = is_on()?,
            "--enable-managedby-label" => options.add_managed_by_label = is_on()?,
            // There is nothing to debug, and no helm to start.
            "--helm-debug" => drop(is_on()?),
            "--helm-command" => drop(value()?),
            "--helm-kube-version" => value()?.clone_into(&mut options.helm_kube_version),
            "--helm-api-versions" | "-a" => {
                options.helm_api_versions.extend(value()?.split(',').map(str::to_owned));
            }
            "--load-restrictor" => options.load_restrictor = load_restrictor(value()?)?,
            "--reorder" => options.reorder = reorder(value()?)?,
            "--merge-keys" => options.merge_keys = merge_keys(value()?)?,
            flag if REFUSED.contains(&flag) || matches!(flag, "-e" | "-o") => {
                return Err(problem(format!("{flag} is refused here: take it out")));
            }
            flag => return Err(problem(format!("{flag} is no flag of `kustomize build`"))),
        }
    }
    Ok(())
}

fn load_restrictor(value: &str) -> Result<LoadRestrictor, Problem> {
    match value {
        "LoadRestrictionsNone" | "none" => Ok(LoadRestrictor::None),
        "LoadRestrictionsRootOnly" | "rootOnly" => Ok(LoadRestrictor::RootOnly),
        other => Err(problem(format!(
            "--load-restrictor {other}: write LoadRestrictionsNone or LoadRestrictionsRootOnly"
        ))),
    }
}

fn reorder(value: &str) -> Result<Reorder, Problem> {
    match value {
        "none" => Ok(Reorder::None),
        "legacy" => Ok(Reorder::Legacy),
        other => Err(problem(format!("--reorder {other}: write legacy or none"))),
    }
}

fn merge_keys(value: &str) -> Result<MergeKeys, Problem> {
    match value {
        "kustomize" => Ok(MergeKeys::Kustomize),
        "kubernetes" => Ok(MergeKeys::Kubernetes),
        other => Err(problem(format!("--merge-keys {other}: write kustomize or kubernetes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Result<Options, String> {
        let mut options = Options::default();
        read(text, &mut options).map(|()| options).map_err(|problem| problem.message)
    }

    #[test]
    fn every_flag_has_its_effect() {
        let options = read_all(
            "--enable-helm --load-restrictor=LoadRestrictionsNone --reorder none --merge-keys kubernetes \
             --helm-kube-version 1.30 --helm-api-versions a/v1,b/v1 --helm-api-versions=c/v1 \
             --enable-managedby-label=true --helm-command /usr/bin/helm3 --helm-debug",
        );
        let options = options.unwrap();
        assert!(options.enable_helm && options.add_managed_by_label);
        assert_eq!(options.load_restrictor, LoadRestrictor::None);
        assert_eq!((options.reorder, options.merge_keys), (Reorder::None, MergeKeys::Kubernetes));
        assert_eq!((options.helm_kube_version.as_str(), options.helm_api_versions.len()), ("1.30", 3));
        assert!(!read_all("--enable-helm --enable-helm=false").unwrap().enable_helm);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (text, expected) in [
            ("--enable-alpha-plugins", "--enable-alpha-plugins is refused"),
            ("--enable-helm --enable-exec", "--enable-exec is refused"),
            ("-o /tmp/x", "-o is refused"),
            ("--none-such", "--none-such is no flag"),
            ("--reorder", "--reorder needs a value"),
            ("--load-restrictor all", "--load-restrictor all: write"),
            ("--enable-helm=perhaps", "neither true nor false"),
        ] {
            let message = read_all(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
