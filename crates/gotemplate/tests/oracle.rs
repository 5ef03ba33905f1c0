//! Go's own engine, when `TIPHYS_ORACLE_GOTEMPLATE` names it. `cargo xtask test` builds it and sets the variable.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value as Json;

use crate::case::{Case, base64};

/// A running oracle: one request per line, one answer per line.
pub(crate) struct Oracle {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the oracle; `None` when there is none on this machine.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var_os("TIPHYS_ORACLE_GOTEMPLATE")?;
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the oracle starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Some(Oracle { child, input, output })
    }

    /// What Go answers.
    pub(crate) fn ask(&mut self, case: &Case) -> Result<Vec<u8>, String> {
        self.try_ask(case).expect("the oracle answers")
    }

    /// What Go answers; `None` when it dies, as it does of a map that contains itself. Start another one then.
    pub(crate) fn try_ask(&mut self, case: &Case) -> Option<Result<Vec<u8>, String>> {
        let mut line = case.request().to_string();
        line.push('\n');
        let input = self.input.as_mut()?;
        input.write_all(line.as_bytes()).ok()?;
        input.flush().ok()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).ok()?;
        let answer: Json = serde_json::from_str(&answer).ok()?;
        Some(match answer.get("error").and_then(Json::as_str) {
            Some(error) => Err(String::from_utf8_lossy(&base64(error)).into_owned()),
            None => Ok(base64(answer["output"].as_str().unwrap_or_default())),
        })
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
