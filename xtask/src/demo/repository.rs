//! The sample repository: a working copy that commits and pushes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::git_server::run_git;

pub(super) struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// Copies `sample` into a new working copy and pushes it to `url`.
    pub(super) fn create(folder: &Path, sample: &Path, url: &str) -> Result<Self> {
        copy(sample, folder)?;
        let repository = Self { folder: folder.to_path_buf() };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        repository.git(&["remote", "add", "origin", url])?;
        repository.commit_and_push("Begin")?;
        Ok(repository)
    }

    pub(super) fn head(&self) -> Result<String> {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Replaces text in a file, commits, pushes, and gives the new revision.
    pub(super) fn replace_in(&self, file: &str, from: &str, to: &str) -> Result<String> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).context(path.display())?;
        if !text.contains(from) {
            return Err(Error::new(format!("{file} does not contain {from}")));
        }
        fs::write(&path, text.replace(from, to)).context(path.display())?;
        self.commit_and_push("Change")?;
        self.head()
    }

    fn commit_and_push(&self, message: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        self.git(&["push", "--quiet", "origin", "main"])?;
        Ok(())
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let folder = self.folder.display().to_string();
        run_git(&[&["-C", folder.as_str()], arguments].concat())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context(to.display())?;
    for entry in fs::read_dir(from).context(from.display())? {
        let source = entry.context(from.display())?.path();
        let target = to.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).context(source.display())?;
        }
    }
    Ok(())
}
