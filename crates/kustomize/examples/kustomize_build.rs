//! `kustomize build DIR` for files on disk, for comparing with the real tool.
//!
//! `kustomize_build DIR [--load-restrictor LoadRestrictionsNone|LoadRestrictionsRootOnly] [--enable-helm]
//! [--reorder legacy|none] [--chroot DIR]`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use kustomize::{Build, Entry, Error, Files, LoadRestrictor, Outcome, Reorder};

/// Files on disk; with a root, paths are taken from there and missing files are worded as kustomize's
/// in-memory file system does it.
struct Disk {
    root: Option<PathBuf>,
}

impl Disk {
    fn real(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    fn shown(&self, path: &Path) -> String {
        let path = match &self.root {
            Some(root) => {
                path.strip_prefix(root).map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
            }
            None => path.to_owned(),
        };
        path.to_string_lossy().into_owned()
    }

    fn missing(&self, path: &str) -> Error {
        if self.root.is_some() {
            return Error::with_kind(kustomize::ErrorKind::NotFound, format!("'{path}' doesn't exist"));
        }
        let mut first = PathBuf::new();
        for part in Path::new(path).components() {
            first.push(part);
            if !first.exists() {
                break;
            }
        }
        kustomize::missing(path, &first.to_string_lossy())
    }
}

impl Files for Disk {
    fn resolve(&self, path: &str) -> Result<Entry, Error> {
        let real = self.real(path).canonicalize().map_err(|_| self.missing(path))?;
        if real.is_dir() {
            return Ok(Entry::Directory(self.shown(&real)));
        }
        let directory = real.parent().map_or_else(|| "/".to_owned(), |parent| self.shown(parent));
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry::File { directory, name })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, Error> {
        std::fs::read(self.real(path)).map(Arc::from).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::new(format!("open {path}: no such file or directory")),
            std::io::ErrorKind::IsADirectory => Error::new(format!("read {path}: is a directory")),
            _ => Error::new(format!("open {path}: {error}")),
        })
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut directory = ".".to_owned();
    let mut root = None;
    let mut options = kustomize::Options::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--load-restrictor" => {
                if args.next().is_some_and(|value| value.to_lowercase().ends_with("none")) {
                    options.load_restrictor = LoadRestrictor::None;
                }
            }
            "--enable-helm" => options.enable_helm = true,
            "--managed-by" => options.add_managed_by_label = true,
            "--reorder" => {
                if args.next().as_deref() == Some("none") {
                    options.reorder = Reorder::None;
                }
            }
            "--chroot" => root = args.next().map(PathBuf::from),
            _ => directory = arg,
        }
    }
    let start = match &root {
        Some(_) => kustomize::clean_path(&format!("/{directory}")),
        None => std::path::absolute(&directory)
            .map(|path| kustomize::clean_path(&path.to_string_lossy()))
            .unwrap_or(directory),
    };
    let mut build = Build::new(Arc::new(Disk { root }));
    build.options = options;
    match build.run(&start) {
        Ok(Outcome::Done(output)) => {
            for warning in &output.warnings {
                eprintln!("{warning}");
            }
            print!("{}", output.text);
            ExitCode::SUCCESS
        }
        Ok(Outcome::Needs(needs)) => {
            eprintln!("Error: remote references are not allowed here: {}", needs.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            for warning in error.warnings() {
                eprintln!("{warning}");
            }
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
