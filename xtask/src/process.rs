//! Background programs: each in a process group of its own, with a log and a pidfile.
//!
//! A pidfile holds the pid and the start time of the process, so that a pid that the system has given
//! to a stranger since is never signalled.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Context, Error, Result};

/// A program that was started in the background, known by its pidfile.
#[derive(Clone, Debug)]
pub struct Background {
    /// The program's name, as in its pidfile and log.
    pub name: String,
    pid: i32,
    started: String,
    pidfile: PathBuf,
}

impl Background {
    /// Starts `command` with output to `<folder>/<name>.log` and writes `<folder>/<name>.pid`.
    pub fn start(name: &str, folder: &Path, mut command: Command) -> Result<Self> {
        let log = File::create(folder.join(format!("{name}.log"))).context(format!("log of {name}"))?;
        let log_too = log.try_clone().context(format!("log of {name}"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .process_group(0)
            .spawn()
            .context(format!("starting {name}"))?;
        let pid = i32::try_from(child.id()).context("pid")?;
        let started = start_time(pid).unwrap_or_default();
        let pidfile = folder.join(format!("{name}.pid"));
        fs::write(&pidfile, format!("{pid}\n{started}\n")).context(pidfile.display())?;
        // Reaps the process when it ends while we live; without us, init does.
        thread::spawn(move || {
            let mut child = child;
            let _ = child.wait();
        });
        Ok(Self { name: name.to_owned(), pid, started, pidfile })
    }

    /// The programs that pidfiles in `folder` name, in the order of their start.
    pub fn all_in(folder: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut found: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "pid"))
            .filter_map(Self::from_pidfile)
            .collect();
        found.sort_by_key(|program| fs::metadata(&program.pidfile).and_then(|m| m.modified()).ok());
        found
    }

    fn from_pidfile(pidfile: PathBuf) -> Option<Self> {
        let text = fs::read_to_string(&pidfile).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.parse().ok()?;
        let started = lines.next().unwrap_or_default().to_owned();
        let name = pidfile.file_stem()?.to_string_lossy().into_owned();
        Some(Self { name, pid, started, pidfile })
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether this very process runs, not another one with its pid.
    pub fn is_running(&self) -> bool {
        start_time(self.pid).is_some_and(|started| started == self.started)
    }

    /// Asks the process group to end, insists after `patience`, and removes the pidfile.
    pub fn stop(&self, patience: Duration) {
        if self.is_running() {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + patience;
            while self.is_running() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
            if self.is_running() {
                self.signal(Signal::KILL);
                let deadline = Instant::now() + Duration::from_secs(5);
                while self.is_running() && Instant::now() < deadline {
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
        let _ = fs::remove_file(&self.pidfile);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// The last lines of the program's log, for messages.
    pub fn log_tail(&self) -> String {
        let log = self.pidfile.with_extension("log");
        let text =
            fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// An error with the log's end when the program does not run any more.
    pub fn check(&self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        Err(Error::new(format!("{} has ended:\n{}", self.name, self.log_tail())))
    }
}

/// When the process began, in the system's own terms; `None` when it does not run (zombies included).
fn start_time(pid: i32) -> Option<String> {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The command name, in parentheses, may hold spaces: fields are counted after it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?;
        return (state != "Z" && state != "X").then(|| started.to_owned());
    }
    if Path::new("/proc/self/stat").exists() {
        return None;
    }
    let listed = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let started = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
    (!started.is_empty()).then_some(started)
}

/// Waits until `ready` gives true; false after `limit`, and at once when one of `programs` has ended.
pub fn wait_until(limit: Duration, programs: &[Background], mut ready: impl FnMut() -> bool) -> Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        if ready() {
            return Ok(true);
        }
        programs.iter().try_for_each(Background::check)?;
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tiphys-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_program_is_found_again_by_its_pidfile_and_stopped_with_its_children() {
        let folder = folder("stop");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 300 & echo started; wait"]);
        let program = Background::start("sleeper", &folder, command).unwrap();
        let found = Background::all_in(&folder);
        assert_eq!(found.len(), 1);
        assert!(found[0].is_running());
        found[0].stop(Duration::from_secs(5));
        assert!(!program.is_running());
        assert!(Background::all_in(&folder).is_empty());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_strangers_process_is_left_alone() {
        let folder = folder("stranger");
        let mut stranger = Command::new("sleep").arg("300").process_group(0).spawn().unwrap();
        fs::write(folder.join("etcd.pid"), format!("{}\n1\n", stranger.id())).unwrap();
        let found = Background::all_in(&folder);
        assert!(!found[0].is_running());
        found[0].stop(Duration::from_millis(100));
        assert!(stranger.try_wait().unwrap().is_none(), "the stranger was killed");
        stranger.kill().unwrap();
        stranger.wait().unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
