//! `tiphys render template`: one Go template with Helm's functions, for debugging.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::CliError;
use super::fail;

/// Execute one Go template with Helm's functions.
#[derive(Args, Debug)]
pub(super) struct TemplateArgs {
    /// The template; `-` is standard input.
    file: PathBuf,
    /// What the dot is: a file of JSON or YAML.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(super) fn run(args: &TemplateArgs, out: &mut impl Write) -> Result<u8, CliError> {
    let text = read(&args.file)?;
    let data = match &args.data {
        None => serde_json::Value::Object(serde_json::Map::new()),
        Some(file) => goyaml::from_yaml(&read(file)?).map_err(|error| CliError::Parse {
            file: file.display().to_string(),
            message: error.to_string(),
        })?,
    };
    let name = args.file.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy());
    match ::helm::render_text(&name, &text, &data, ::helm::RenderInput::default().limits) {
        Ok(rendered) => {
            out.write_all(rendered.as_bytes())?;
            Ok(0)
        }
        Err(error) => Ok(fail(&error.to_string())),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let content = if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text).map(|_| text)
    } else {
        std::fs::read(file)
    };
    content.map_err(|error| CliError::Read { file: file.display().to_string(), error })
}
