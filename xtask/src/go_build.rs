//! Builds programs from the Go modules that are declared under `xtask/`, once, into the cache.
//!
//! A build's folder is named by a hash over go.mod, go.sum, the module's own sources, the flags and
//! the Go version: another clone with the same declaration finds it, a changed one builds anew.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::console::Progress;
use crate::error::{Context, Error, Result};
use crate::paths;

/// A program of a module: its Go package (`.` for the module itself) and the name of its binary.
pub type Program = (&'static str, &'static str);

/// A declared Go module and the programs that are built from it.
#[derive(Clone, Copy, Debug)]
pub struct GoModule {
    /// Folder below `xtask/`, such as `cluster/kubernetes`.
    pub folder: &'static str,
    /// What is built, in one `go build`.
    pub programs: &'static [Program],
    /// Linker flags, such as `-s -w`.
    pub ldflags: &'static str,
}

impl GoModule {
    /// Builds what the cache does not hold and gives the folder of the binaries.
    ///
    /// Two processes that build the same module wait for each other.
    pub fn build(&self) -> Result<PathBuf> {
        self.build_with(&[])
    }

    /// As [`GoModule::build`], without the C library: the programs run in an image that holds nothing else.
    pub fn build_static(&self) -> Result<PathBuf> {
        self.build_with(&[("CGO_ENABLED", "0")])
    }

    /// The folder with the sources of a module that this one requires; fetched where they are not there.
    pub fn sources_of(&self, module: &str) -> Result<PathBuf> {
        let source = paths::workspace().join("xtask").join(self.folder);
        let go = |arguments: &[&str]| -> Result<String> {
            let mut command = Command::new("go");
            command.args(arguments).current_dir(&source).env("GOFLAGS", "").env("GOWORK", "off");
            let output = command.output().context("starting go (is Go 1.26 installed?)")?;
            if !output.status.success() {
                let message = String::from_utf8_lossy(&output.stderr);
                return Err(Error::new(format!("go {}: {}", arguments.join(" "), message.trim())));
            }
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        go(&["mod", "download", module])?;
        go(&["list", "-m", "-f", "{{.Dir}}", module]).map(PathBuf::from)
    }

    fn build_with(&self, environment: &[(&str, &str)]) -> Result<PathBuf> {
        let source = paths::workspace().join("xtask").join(self.folder);
        let name = self.folder.replace('/', "-");
        let cache = paths::cache()?.join("go");
        let binaries = cache.join(format!("{name}-{}", self.key(&source, environment)?));
        if binaries.is_dir() {
            return Ok(binaries);
        }
        fs::create_dir_all(&cache).context("making the cache folder")?;
        let lock = File::create(cache.join(format!("{name}.lock"))).context("making a lock file")?;
        lock.lock().context("waiting for another build")?;
        if binaries.is_dir() {
            return Ok(binaries);
        }
        let unfinished = cache.join(format!("{name}.unfinished"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).context("making a build folder")?;
        self.compile(&source, &unfinished, environment)?;
        fs::rename(&unfinished, &binaries).context("publishing the build")?;
        Ok(binaries)
    }

    fn key(&self, source: &Path, environment: &[(&str, &str)]) -> Result<String> {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(go_version()?.as_bytes());
        add(self.ldflags.as_bytes());
        for (first, second) in self.programs.iter().chain(environment) {
            add(first.as_bytes());
            add(second.as_bytes());
        }
        for file in declaring_files(source)? {
            add(file.file_name().unwrap_or_default().as_encoded_bytes());
            add(&fs::read(&file).context(file.display())?);
        }
        let digest = hash.finalize();
        Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    fn compile(&self, source: &Path, into: &Path, environment: &[(&str, &str)]) -> Result<()> {
        let name = self.folder;
        let progress = Progress::start(format!("building {name} (once, a cold build takes minutes)"));
        let mut child = Command::new("go")
            .args([
                "build",
                "-v",
                "-mod=readonly",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                self.ldflags,
                "-o",
            ])
            .arg(into.join(""))
            .args(self.programs.iter().map(|(package, _)| package))
            .current_dir(source)
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting go (is Go 1.26 installed?)")?;
        let mut tail = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            for (count, line) in BufReader::new(stderr).lines().map_while(|line| line.ok()).enumerate() {
                progress.detail(format!("({count} packages) {line}"));
                tail.push(line);
                if tail.len() > 40 {
                    tail.remove(0);
                }
            }
        }
        let status = child.wait().context("waiting for go")?;
        if !status.success() {
            return Err(Error::new(format!("go build of {name} failed:\n{}", tail.join("\n"))));
        }
        for (package, program) in self.programs {
            let built = into.join(default_name(package, source));
            if built != into.join(program) {
                fs::rename(&built, into.join(program)).context(format!("naming {program}"))?;
            }
        }
        progress.done();
        Ok(())
    }
}

/// The name that `go build` gives: the last path element that is not a major version.
fn default_name(package: &str, source: &Path) -> String {
    let is_version = |part: &&str| part.starts_with('v') && part[1..].chars().all(|c| c.is_ascii_digit());
    if package == "." {
        let module = fs::read_to_string(source.join("go.mod")).unwrap_or_default();
        let path = module.lines().find_map(|line| line.strip_prefix("module ")).unwrap_or_default();
        return default_name(path.trim(), source);
    }
    package.rsplit('/').find(|part| !is_version(part)).unwrap_or(package).to_owned()
}

/// go.mod, go.sum and every `.go` file of the module, in a stable order.
fn declaring_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).context(folder.display())? {
            let path = entry.context(folder.display())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name == "go.mod" || name == "go.sum" || name.ends_with(".go") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn go_version() -> Result<String> {
    let output = Command::new("go").arg("version").output().context("running go (is Go 1.26 installed?)")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
