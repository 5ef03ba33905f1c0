//! What a command ends with when it cannot do what it was asked.

/// A failure of a command, said so that its user knows what to do.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// The file as it was given.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file is no YAML.
    #[error("{file}: {message}")]
    Parse {
        /// The file as it was given.
        file: String,
        /// What the parser said.
        message: String,
    },
    /// A stage went wrong.
    #[error("{0}")]
    Problem(#[from] crate::flow::Problem),
    /// The arguments do not go together, or name what is not there.
    #[error("{0}")]
    Usage(String),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
}

impl CliError {
    /// The code with which the process ends.
    pub(super) fn exit_code(&self) -> u8 {
        1
    }

    pub(super) fn output(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}
