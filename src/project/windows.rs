//! Sync windows: when a project lets syncs run.
//!
//! As in Argo CD: an active deny window forbids; otherwise an active allow window permits; otherwise windows of kind
//! allow that are all closed forbid. `manualSync` excepts what a person starts, `syncOverrun` what has already begun.
//! The zone's offset is the one of the moment that is asked about, so a window keeps its local hour all year long.

use std::time::Duration;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::api::{ApplicationDestination, SyncWindow, Time, parse_go_duration};
use crate::flow::Destination;
use crate::object::glob_matches;

use super::cron::Schedule;

/// Who wants to sync what.
#[derive(Clone, Copy, Debug)]
pub struct WindowQuestion<'a> {
    /// Name of the application.
    pub application: &'a str,
    /// The destination as the application names it.
    pub written: &'a ApplicationDestination,
    /// The destination, resolved: a window that names a cluster by the other of its two names counts as well.
    pub resolved: &'a Destination,
    /// Whether a person asks, and not the controller itself.
    pub manual: bool,
    /// When the operation began, where it has begun.
    pub started: Option<Time>,
}

/// Whether a sync may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowVerdict {
    /// It may.
    Open,
    /// It may not.
    Closed {
        /// Why, and until when.
        message: String,
        /// When it may; nothing where that is not in sight.
        opens: Option<Time>,
    },
}

/// A window that can be evaluated.
struct Window<'a> {
    spec: &'a SyncWindow,
    schedule: Schedule,
    duration: i64,
    zone: TimeZone,
}

/// More boundaries than are looked at to tell when windows open.
const MOST_BOUNDARIES: usize = 2000;

/// Whether the windows of a project let a sync run now.
pub fn sync_window_verdict(
    windows: &[SyncWindow],
    question: &WindowQuestion<'_>,
    now: Time,
) -> WindowVerdict {
    let mut matching = Vec::new();
    for spec in windows.iter().filter(|window| concerns(window, question)) {
        match Window::read(spec) {
            Ok(window) => matching.push(window),
            // A window that cannot be read may have been meant to forbid.
            Err(error) => {
                let message =
                    format!("invalid sync windows: {error}; correct spec.syncWindows of the project");
                return WindowVerdict::Closed { message, opens: None };
            }
        }
    }
    if may_sync(&matching, question, now) {
        return WindowVerdict::Open;
    }
    let opens = opening(&matching, question, now);
    let until = match opens {
        Some(at) => format!("it goes on at {at}"),
        None => "no time at which it goes on is in sight".to_owned(),
    };
    let by = blocking(&matching, now);
    WindowVerdict::Closed { message: format!("Sync operation blocked by sync window ({by}); {until}"), opens }
}

/// Whether a window is about an application. What is listed is joined by or, unless the window says and.
fn concerns(window: &SyncWindow, question: &WindowQuestion<'_>) -> bool {
    let any = |globs: &[String], texts: &[&str]| {
        (!globs.is_empty()).then(|| {
            globs.iter().any(|glob| texts.iter().any(|text| !text.is_empty() && glob_matches(glob, text)))
        })
    };
    let (written, resolved) = (question.written, question.resolved);
    let clusters = [written.name.as_str(), &written.server, &resolved.name, &resolved.server];
    // An empty namespace matches the glob `*`, as any other does.
    let namespaces = (!window.namespaces.is_empty())
        .then(|| window.namespaces.iter().any(|glob| glob_matches(glob, &written.namespace)));
    let verdicts =
        [any(&window.applications, &[question.application]), any(&window.clusters, &clusters), namespaces];
    let mut listed = verdicts.into_iter().flatten().peekable();
    if window.use_and_operator {
        listed.peek().is_some() && listed.all(|matches| matches)
    } else {
        listed.any(|matches| matches)
    }
}

impl<'a> Window<'a> {
    fn read(spec: &'a SyncWindow) -> Result<Self, String> {
        if spec.kind != "allow" && spec.kind != "deny" {
            return Err(format!("kind '{}' mismatch: can only be allow or deny", spec.kind));
        }
        let schedule = Schedule::parse(&spec.schedule).map_err(|error| error.to_string())?;
        let duration = parse_go_duration(&spec.duration).map_err(|error| error.to_string())?;
        let duration = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        // As in Argo CD, a zone that nobody knows is UTC.
        let zone = match spec.time_zone.as_str() {
            "" => TimeZone::UTC,
            name => TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC),
        };
        Ok(Self { spec, schedule, duration, zone })
    }

    fn offset(&self, at: Time) -> Offset {
        self.zone.to_offset(at.timestamp())
    }

    fn local(&self, at: Time) -> i64 {
        at.timestamp().as_second().saturating_add(i64::from(self.offset(at).seconds()))
    }

    fn is_active(&self, at: Time) -> bool {
        let local = self.local(at);
        self.schedule.last_in(local.saturating_sub(self.duration), local).is_some()
    }

    /// The next moment at which the window may open or close; the clocks of its zone may change before, so it is no
    /// more than a day away.
    fn boundary(&self, at: Time) -> Option<Time> {
        let local = self.local(at);
        let opened = self.schedule.last_in(local.saturating_sub(self.duration), local);
        let closes = opened.map(|opened| opened.saturating_add(self.duration));
        let next = [self.schedule.next_after(local), closes].into_iter().flatten().min()?;
        let seconds = next.saturating_sub(i64::from(self.offset(at).seconds()));
        jiff::Timestamp::from_second(seconds).ok().map(Time::new)
    }

    fn is_deny(&self) -> bool {
        self.spec.kind == "deny"
    }
}

fn may_sync(windows: &[Window<'_>], question: &WindowQuestion<'_>, at: Time) -> bool {
    let denying: Vec<&Window<'_>> =
        windows.iter().filter(|window| window.is_deny() && window.is_active(at)).collect();
    if !denying.is_empty() {
        return is_excepted(&denying, windows, question, at);
    }
    let allowing: Vec<&Window<'_>> = windows.iter().filter(|window| !window.is_deny()).collect();
    allowing.is_empty()
        || allowing.iter().any(|window| window.is_active(at))
        || is_excepted(&allowing, windows, question, at)
}

/// Whether all of the windows that forbid a sync except it: a person asks, or it began while it was permitted.
fn is_excepted(
    forbidding: &[&Window<'_>],
    windows: &[Window<'_>],
    question: &WindowQuestion<'_>,
    at: Time,
) -> bool {
    if question.manual && forbidding.iter().all(|window| window.spec.manual_sync) {
        return true;
    }
    let Some(started) = question.started.filter(|started| *started < at) else { return false };
    let fresh = WindowQuestion { started: None, ..*question };
    forbidding.iter().all(|window| window.spec.sync_overrun) && may_sync(windows, &fresh, started)
}

fn opening(windows: &[Window<'_>], question: &WindowQuestion<'_>, now: Time) -> Option<Time> {
    let mut at = now;
    for _ in 0..MOST_BOUNDARIES {
        at = windows.iter().filter_map(|window| window.boundary(at)).min().filter(|next| *next > at)?;
        if may_sync(windows, question, at) {
            return Some(at);
        }
    }
    None
}

/// The window that forbids, in Argo CD's short form `kind:schedule:duration`.
fn blocking(windows: &[Window<'_>], now: Time) -> String {
    let denying = windows.iter().find(|window| window.is_deny() && window.is_active(now));
    match denying.or_else(|| windows.iter().find(|window| !window.is_deny())) {
        Some(window) => format!("{}:{}:{}", window.spec.kind, window.spec.schedule, window.spec.duration),
        None => String::new(),
    }
}

impl WindowVerdict {
    /// How long to wait from `now` until it makes sense to ask again; at most an hour, since clocks and projects change.
    pub fn wait(&self, now: Time) -> Duration {
        const LONGEST: Duration = Duration::from_secs(3600);
        match self {
            Self::Closed { opens: Some(opens), .. } => {
                Duration::from_secs(now.seconds_until(*opens)).clamp(Duration::from_secs(1), LONGEST)
            }
            _ => LONGEST,
        }
    }
}
