//! `tiphys crds`: the CustomResourceDefinitions, for `kubectl apply --server-side -f -`.

use std::io::Write;

use clap::Args;

use crate::api::{application_crd, project_crd};

use super::CliError;

/// Print the CustomResourceDefinitions of Application and AppProject.
#[derive(Args, Debug)]
pub(super) struct CrdsArgs {
    /// Print only the CRD of this kind.
    #[arg(long, value_parser = ["Application", "AppProject"])]
    kind: Option<String>,
}

pub(super) fn run(args: &CrdsArgs, out: &mut impl Write) -> Result<(), CliError> {
    let crds = [("Application", application_crd()), ("AppProject", project_crd())];
    let wanted = crds.iter().filter(|(kind, _)| args.kind.as_deref().is_none_or(|only| only == *kind));
    for (index, (_, crd)) in wanted.enumerate() {
        if index > 0 {
            writeln!(out, "---")?;
        }
        let text = goyaml::to_yaml(crd).map_err(|error| CliError::Usage(error.to_string()))?;
        write!(out, "{text}")?;
    }
    Ok(())
}
