//! Children of this program that run what cannot be interrupted: one request per line in, one answer per line out.
//! A child that does not answer in time is killed, and another takes its place.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lua::{MAX_RUN, run_in_process};

/// What a child may use of address space.
const MAX_ADDRESS_SPACE: u64 = 1 << 30;
/// A longer answer is refused.
const MAX_ANSWER: usize = 16 << 20;
/// Time for the child to start and to convert, besides the script's own second.
const START: Duration = Duration::from_millis(500);

#[derive(Serialize, Deserialize)]
struct Request {
    script: String,
    object: Value,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Returned(Value),
    Failed(String),
}

/// Sandboxes that wait for work. Each holds one process; more are started when all are busy.
#[derive(Debug)]
pub struct SandboxPool {
    program: PathBuf,
    idle: Mutex<Vec<Sandbox>>,
}

#[derive(Debug)]
struct Sandbox {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl SandboxPool {
    /// A pool whose children are `program sandbox`: this program, by its path.
    pub fn new(program: PathBuf) -> Self {
        Self { program, idle: Mutex::new(Vec::new()) }
    }

    /// Runs a script with the standard libraries open, and gives what it returned.
    ///
    /// # Errors
    /// In words: a failure of the script, or a limit.
    pub fn run(&self, script: &str, object: &Value) -> Result<Value, String> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut sandbox = match idle {
            Some(sandbox) => sandbox,
            None => self.start().map_err(|error| format!("cannot start a sandbox: {error}"))?,
        };
        let request = Request { script: script.to_owned(), object: object.clone() };
        let answer = sandbox.ask(&request)?;
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(sandbox);
        }
        match answer {
            Answer::Returned(value) => Ok(value),
            Answer::Failed(message) => Err(message),
        }
    }

    fn start(&self) -> std::io::Result<Sandbox> {
        let mut child = Command::new(&self.program)
            .arg("sandbox")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || std::io::Error::other("the child has no pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.len() > MAX_ANSWER || sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Sandbox { child, input, answers })
    }
}

impl Sandbox {
    fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.input.write_all(&line).map_err(|error| format!("the sandbox ended: {error}"))?;
        match self.answers.recv_timeout(MAX_RUN + START) {
            Ok(answer) => serde_json::from_str(&answer).map_err(|error| error.to_string()),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("the script ran longer than {} s", MAX_RUN.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err("the script ended its sandbox: too much memory?".to_owned())
            }
        }
    }
}

/// The child's side: answers requests until its input ends.
///
/// # Errors
/// Where a limit cannot be set or a pipe breaks.
pub fn serve_sandbox(input: &mut dyn BufRead, output: &mut dyn Write) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit { current: Some(MAX_ADDRESS_SPACE), maximum: Some(MAX_ADDRESS_SPACE) };
    setrlimit(Resource::As, limit)?;
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) => match run_in_process(&request.script, true, &request.object) {
                Ok(value) => Answer::Returned(value),
                Err(message) => Answer::Failed(message),
            },
            Err(error) => Answer::Failed(error.to_string()),
        };
        serde_json::to_writer(&mut *output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}
