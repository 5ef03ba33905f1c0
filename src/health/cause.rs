//! Why a pod is not ready: one cause of the closed list, with its facts.

use crate::api::Time;
use crate::flow::{Capacity, ContainerFacts, ContainerState, Facts, PodFacts, PodPhase, Reason};

use super::placement::is_extended;

/// How long a node may take to pull images before that counts as a failure.
const PULL_LIMIT_SECONDS: i64 = 30 * 60;
/// What a container without a startup probe may take, where no grace is asked for: Kubernetes' own progress deadline.
const DEFAULT_STARTUP_SECONDS: u64 = 600;
/// So many restarts of a container that is not ready are a crash loop, even while it runs between two crashes.
const RESTARTS_OF_A_LOOP: u64 = 3;
/// What in a kubelet's message about an image says that trying again may help.
const PASSING_PULL_ERRORS: &[&str] = &[
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "no such host",
    "too many requests",
    "503",
    "TLS handshake",
    "unexpected EOF",
    "QPS exceeded",
];

/// A cause: the word, whether it is a failure, and what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The word.
    pub reason: Reason,
    /// Whether waiting will not help.
    pub failure: bool,
    /// For people.
    pub message: String,
    /// Facts.
    pub facts: Facts,
}

impl Cause {
    fn waiting(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, failure: false, message: message.into(), facts: Facts::default() }
    }

    fn failed(reason: Reason, message: impl Into<String>) -> Self {
        Self { failure: true, ..Self::waiting(reason, message) }
    }

    fn of(mut self, container: &ContainerFacts) -> Self {
        self.facts.container = Some(container.name.clone());
        self
    }

    fn since(mut self, since: Option<Time>) -> Self {
        self.facts.since = since;
        self
    }

    /// The cause with a limit: past it, waiting becomes a failure.
    fn until(mut self, seconds: i64, now: Time) -> Self {
        let Some(since) = self.facts.since else { return self };
        let deadline = since.timestamp().saturating_add(jiff::SignedDuration::from_secs(seconds));
        let Ok(deadline) = deadline.map(Time::new) else { return self };
        self.facts.deadline = Some(deadline);
        if now > deadline {
            self.failure = true;
            self.message = format!("{}, for longer than {}", self.message, spoken(seconds));
        }
        self
    }
}

fn spoken(seconds: i64) -> String {
    if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") }
}

/// Why this pod is not ready, or nothing where it is ready, done, or on its way out.
///
/// `startup_grace` is what `tiphys.dev/startup-grace` allows, in seconds.
pub fn of_pod(pod: &PodFacts, capacity: &Capacity, startup_grace: Option<u64>, now: Time) -> Option<Cause> {
    if pod.ready || pod.deleting || matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed) {
        return None;
    }
    if pod.node.is_empty() {
        return unscheduled(pod, capacity);
    }
    let failing = pod.containers.iter().find_map(broken);
    failing.or_else(|| not_started(pod, now)).or_else(|| starting(pod, startup_grace, now))
}

fn unscheduled(pod: &PodFacts, capacity: &Capacity) -> Option<Cause> {
    let since = pod.unscheduled_since.or(pod.created);
    if !pod.gates.is_empty() || pod.unscheduled_reason == "SchedulingGated" {
        return Some(if pod.queued {
            Cause::waiting(Reason::QueuedByKueue, "queued by Kueue").since(since)
        } else {
            let gates = pod.gates.join(", ");
            Cause::waiting(Reason::Unschedulable, format!("held by scheduling gate {gates}")).since(since)
        });
    }
    let extended: Vec<&String> = pod.request.resources.keys().filter(|name| is_extended(name)).collect();
    let said_short = extended.iter().any(|name| says_insufficient(&pod.unscheduled_message, name))
        || !pod.request.devices.is_empty() && pod.unscheduled_message.contains("ResourceClaim")
        || pod.unscheduled_message.contains("cannot allocate all claims");
    let seen_short = !extended.is_empty() && !finds_room(pod, capacity);
    if said_short || seen_short {
        return Some(Cause::waiting(Reason::WaitingForCapacity, "").since(since));
    }
    if pod.unscheduled_reason != "Unschedulable" {
        return None;
    }
    let message = &pod.unscheduled_message;
    let volume = message.contains("unbound immediate PersistentVolumeClaims")
        || message.contains("didn't find available persistent volumes");
    let reason = if volume { Reason::WaitingForVolume } else { Reason::Unschedulable };
    Some(Cause::waiting(reason, message.clone()).since(since))
}

/// Whether the scheduler's words name a resource as short: the word must end where the name ends.
fn says_insufficient(message: &str, resource: &str) -> bool {
    message.split("Insufficient ").skip(1).any(|rest| {
        rest.strip_prefix(resource).is_some_and(|after| {
            !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
    })
}

fn finds_room(pod: &PodFacts, capacity: &Capacity) -> bool {
    let Some(nodes) = &capacity.nodes else { return true };
    nodes.iter().any(|node| {
        super::placement::matches(node, &pod.request)
            && super::placement::has_room(node, &pod.request.resources)
    })
}

/// What no waiting will mend.
fn broken(container: &ContainerFacts) -> Option<Cause> {
    let name = &container.name;
    match &container.state {
        ContainerState::Waiting { reason, message } => broken_while_waiting(container, reason, message),
        ContainerState::Ended { code, reason } if *code != 0 && container.restarts >= RESTARTS_OF_A_LOOP => {
            Some(crash(container, &format!("container {name} ended with exit code {code} ({reason})")))
        }
        ContainerState::Running { .. } if !container.ready && container.restarts >= RESTARTS_OF_A_LOOP => {
            Some(crash(container, &format!("container {name} was restarted {} times", container.restarts)))
        }
        _ => None,
    }
}

fn crash(container: &ContainerFacts, message: &str) -> Cause {
    let starved = container.last_ended.as_deref() == Some("OOMKilled");
    let reason = if starved { Reason::OutOfMemory } else { Reason::CrashLooping };
    let why = if starved { " for want of memory" } else { "" };
    Cause::failed(reason, format!("{message}{why}")).of(container)
}

fn broken_while_waiting(container: &ContainerFacts, reason: &str, message: &str) -> Option<Cause> {
    let (name, image) = (&container.name, &container.image);
    let said = if message.is_empty() { String::new() } else { format!(": {message}") };
    Some(match reason {
        "CrashLoopBackOff" => crash(
            container,
            &format!("container {name} crashes again and again ({} restarts)", container.restarts),
        ),
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable"
            if PASSING_PULL_ERRORS.iter().any(|words| message.contains(words)) =>
        {
            return None;
        }
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"
        | "ImageInspectError" => Cause::failed(
            Reason::ImageMissing,
            format!("image {image} of container {name} cannot be pulled{said}"),
        )
        .of(container),
        "CreateContainerConfigError" => {
            Cause::failed(Reason::ConfigMissing, format!("container {name} cannot be configured{said}"))
                .of(container)
        }
        "CreateContainerError" | "RunContainerError" | "PostStartHookError" => {
            Cause::failed(Reason::Failed, format!("container {name} cannot be started{said}")).of(container)
        }
        _ => return None,
    })
}

/// Bound to a node, and a container does not run yet.
fn not_started(pod: &PodFacts, now: Time) -> Option<Cause> {
    let since = pod.scheduled.or(pod.created);
    let pulls = |word: &str| {
        matches!(word, "ContainerCreating" | "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "")
    };
    let waits = pod.containers.iter().find(|container| match &container.state {
        ContainerState::Waiting { reason, .. } => pulls(reason),
        ContainerState::Unknown => true,
        _ => false,
    });
    // Containers that wait for an init container wait for what that one does.
    let init = pod
        .containers
        .iter()
        .find(|container| container.init && matches!(container.state, ContainerState::Running { .. }));
    if let Some(init) = init {
        let ContainerState::Running { since } = init.state else { return None };
        let message = format!("init container {} runs", init.name);
        let reason = if pod.serves_model { Reason::LoadingModel } else { Reason::StartingUp };
        return Some(Cause::waiting(reason, message).of(init).since(since));
    }
    let Some(container) = waits else {
        return pod.containers.is_empty().then(|| {
            Cause::waiting(Reason::PullingImage, "containers are being created")
                .since(since)
                .until(PULL_LIMIT_SECONDS, now)
        });
    };
    if pod.sandbox_ready == Some(false) && pod.claims_volumes {
        return Some(
            Cause::waiting(Reason::WaitingForVolume, "volumes are being attached and mounted").since(since),
        );
    }
    let message = format!("pulling image {}", container.image);
    Some(
        Cause::waiting(Reason::PullingImage, message)
            .of(container)
            .since(since)
            .until(PULL_LIMIT_SECONDS, now),
    )
}

/// Runs, and is not ready.
fn starting(pod: &PodFacts, grace: Option<u64>, now: Time) -> Option<Cause> {
    let (reason, words) = if pod.serves_model {
        (Reason::LoadingModel, "loading the model")
    } else {
        (Reason::StartingUp, "starting up")
    };
    let unready = pod.containers.iter().find_map(|container| match container.state {
        ContainerState::Running { since } if !container.init && !container.ready => Some((container, since)),
        _ => None,
    });
    let Some((container, since)) = unready else {
        return (pod.phase == PodPhase::Running)
            .then(|| Cause::waiting(reason, format!("{words}: the pod is not ready")).since(pod.scheduled));
    };
    let allowed = startup_allowance(container).max(grace.unwrap_or(0));
    let message = format!("container {} is {words}", container.name);
    let cause = Cause::waiting(reason, message).of(container).since(since);
    Some(cause.until(i64::try_from(allowed).unwrap_or(i64::MAX), now))
}

/// Seconds from the start of a container within which its probes let it become ready.
fn startup_allowance(container: &ContainerFacts) -> u64 {
    let readiness = container.readiness_allowance.unwrap_or(0);
    match container.startup_allowance {
        Some(startup) => startup.saturating_add(readiness),
        // A readiness probe alone sets no end: it may fail for long without any harm.
        None => readiness.max(DEFAULT_STARTUP_SECONDS),
    }
}
