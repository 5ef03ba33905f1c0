//! What must not outlive us when the developer presses Ctrl-C or the system asks us to end.

use std::process;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

type Cleanup = Box<dyn Fn() + Send>;

static CLEANUPS: Mutex<Vec<(u64, Cleanup)>> = Mutex::new(Vec::new());
static LISTENER: Once = Once::new();

/// Forgets its clean-up when dropped.
#[derive(Debug)]
#[must_use = "the clean-up is forgotten when this is dropped"]
pub struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        cleanups().retain(|(id, _)| *id != self.0);
    }
}

/// Runs `cleanup` when a signal ends this program before the guard is dropped.
pub fn on_interrupt(cleanup: impl Fn() + Send + 'static) -> Guard {
    LISTENER.call_once(|| {
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    cleanups().drain(..).rev().for_each(|(_, cleanup)| cleanup());
                    process::exit(128 + signal);
                }
            });
        }
    });
    let mut cleanups = cleanups();
    let id = cleanups.iter().map(|(id, _)| id + 1).max().unwrap_or_default();
    cleanups.push((id, Box::new(cleanup)));
    Guard(id)
}

fn cleanups() -> std::sync::MutexGuard<'static, Vec<(u64, Cleanup)>> {
    CLEANUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
