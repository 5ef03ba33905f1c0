//! What the developer sees: plain lines, colour only on a terminal, progress for what takes long.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Prints a line to stdout; a closed pipe is no error worth a message.
pub fn line(text: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", text.as_ref());
    let _ = out.flush();
}

/// Prints a line to stderr: progress and notes, never results.
pub fn note(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// The ANSI styles that the tooling uses.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Style {
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
    Blue,
}

/// `text` in a style where stdout is a terminal, else as it is.
pub fn styled(style: Style, text: &str) -> String {
    if !io::stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Green => "32",
        Style::Yellow => "33",
        Style::Red => "31",
        Style::Blue => "34",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Shows what is under way and for how long: a running line on a terminal, else a line every 30 s.
#[derive(Debug)]
pub struct Progress {
    what: String,
    started: Instant,
    updates: Option<mpsc::Sender<String>>,
    ticker: Option<thread::JoinHandle<()>>,
}

impl Progress {
    /// Starts to show `what`.
    pub fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let started = Instant::now();
        let (updates, received) = mpsc::channel();
        let shown = what.clone();
        let ticker = thread::spawn(move || tick(&shown, started, &received));
        Self { what, started, updates: Some(updates), ticker: Some(ticker) }
    }

    /// Replaces the detail that is shown after the seconds.
    pub fn detail(&self, detail: impl Into<String>) {
        if let Some(updates) = &self.updates {
            let _ = updates.send(detail.into());
        }
    }

    /// Ends the display with a line that says how long it took.
    pub fn done(mut self) {
        self.end();
        note(format!("{}: {:.1} s", self.what, self.started.elapsed().as_secs_f32()));
    }

    fn end(&mut self) {
        drop(self.updates.take());
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn tick(what: &str, started: Instant, updates: &mpsc::Receiver<String>) {
    let terminal = io::stderr().is_terminal();
    let every = if terminal { Duration::from_secs(1) } else { Duration::from_secs(30) };
    let mut detail = String::new();
    let mut due = started + every;
    loop {
        match updates.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(update) => detail = update,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                due += every;
                let seconds = started.elapsed().as_secs();
                let mut err = io::stderr().lock();
                let _ = if terminal {
                    write!(err, "\r\x1b[2K{what}: {seconds} s {detail:.90}")
                } else {
                    writeln!(err, "{what}: {seconds} s {detail}")
                };
                let _ = err.flush();
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if terminal {
        let _ = write!(io::stderr().lock(), "\r\x1b[2K");
    }
}
