//! The one error of this crate, in Helm's words.

/// What stopped loading or rendering, in Helm's words. The variant says which stage failed; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The files are no valid chart (`Chart.yaml`, archive, subcharts, `.helmignore`).
    #[error("{0}")]
    Load(String),
    /// A value file or a `--set` string cannot be read, or values of the wrong shape cannot be merged.
    #[error("{0}")]
    Values(String),
    /// The options contradict the chart or themselves (release name, Kubernetes version, library chart).
    #[error("{0}")]
    Input(String),
    /// The values break the chart's `values.schema.json`, or that schema is broken.
    #[error("{0}")]
    Schema(String),
    /// The cluster's version is not one that the chart is for.
    #[error("{0}")]
    Incompatible(String),
    /// A template cannot be parsed or executed.
    #[error("{0}")]
    Template(String),
    /// What the templates printed is not YAML.
    #[error("{0}")]
    Manifest(String),
    /// A limit is used up.
    #[error("{0}")]
    Limit(String),
}

impl Error {
    /// What `helm template` prints after `Error: `: it adds a hint to whatever goes wrong after templates were begun.
    pub fn command_line_text(&self) -> String {
        match self {
            Error::Incompatible(text) | Error::Template(text) | Error::Manifest(text) => {
                format!("{text}\n\nUse --debug flag to render out invalid YAML")
            }
            other => other.to_string(),
        }
    }

    pub(crate) fn load(message: impl Into<String>) -> Self {
        Error::Load(message.into())
    }

    pub(crate) fn values(message: impl Into<String>) -> Self {
        Error::Values(message.into())
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Error::Input(message.into())
    }
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
