//! What holds prunes back until a person confirms them: `Prune=confirm`, protected kinds, and `tiphys.dev/max-prune`.

use crate::api::{Requirement, ResourceAnnotations, SyncOptions, Time};
use crate::flow::{Action, Comparison, Task};
use crate::settings::ConfirmKind;

/// What a person has to confirm, and when somebody did.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    /// Kinds whose objects are deleted only after confirmation (`tiphys.sync.confirmKinds`).
    pub confirm_kinds: Vec<ConfirmKind>,
    /// The largest number or share of objects that one sync prunes by itself (`tiphys.dev/max-prune`).
    pub max_prune: Option<String>,
    /// When deletions were approved (`argocd.argoproj.io/deletion-approved`).
    pub approved: Option<Time>,
}

/// How to confirm, for messages.
const HOW: &str =
    "annotate the application with argocd.argoproj.io/deletion-approved and the present time to go on";

impl Guards {
    /// Whether somebody approved deletions at or after `since`.
    pub fn is_approved(&self, since: Time) -> bool {
        self.approved.is_some_and(|approved| approved >= since)
    }

    /// Why an object's deletion needs confirmation: `word` is `Prune` or `Delete`.
    pub fn reason(&self, word: &str, task: &Task, options: &SyncOptions) -> Option<String> {
        let own = ResourceAnnotations::of(&task.object).options;
        let requirement = own.requirement(word).or_else(|| options.requirement(word));
        if requirement == Some(Requirement::Confirm) {
            return Some(format!("{word}=confirm"));
        }
        let protects = self.confirm_kinds.iter().any(|kind| kind.is(&task.key.group, &task.key.kind));
        protects.then(|| format!("{} is one of tiphys.sync.confirmKinds", task.key.kind))
    }
}

/// Marks the prunes that wait for a person.
pub(super) fn hold_prunes(
    tasks: &mut [Task],
    comparison: &Comparison,
    guards: &Guards,
    options: &SyncOptions,
    since: Time,
) {
    if guards.is_approved(since) {
        return;
    }
    let prunes = |task: &Task| task.action == Action::Prune && task.skipped.is_none();
    let count = tasks.iter().filter(|task| prunes(task)).count();
    let there =
        comparison.resources.iter().filter(|one| one.live.is_some() && !one.annotations.is_hook()).count();
    let too_many = guards.max_prune.as_deref().and_then(|limit| excess(limit, count, there));
    for task in tasks.iter_mut().filter(|task| prunes(task)) {
        task.unconfirmed = guards.reason("Prune", task, options).or_else(|| too_many.clone());
    }
}

/// What is said of a sync that would prune more than it may. A limit that cannot be read allows nothing.
fn excess(limit: &str, count: usize, there: usize) -> Option<String> {
    let limit = limit.trim();
    let within = match limit.strip_suffix('%') {
        Some(share) => share.trim().parse::<u32>().ok().map(|share| {
            count.saturating_mul(100) <= there.saturating_mul(usize::try_from(share).unwrap_or(0))
        }),
        None => limit.parse::<usize>().ok().map(|most| count <= most),
    };
    match within {
        _ if count == 0 => None,
        Some(true) => None,
        Some(false) => Some(format!(
            "{count} of {there} objects would be pruned, and tiphys.dev/max-prune allows {limit}"
        )),
        None => Some(format!(
            "tiphys.dev/max-prune is \"{}\": write a number or a share such as 25%",
            limit.chars().take(40).collect::<String>()
        )),
    }
}

/// How the message of an operation begins that waits for a person.
pub const AWAITING: &str = "Waiting for pruning confirmation";

/// What an operation says that waits for a person, in Argo CD's words and with the way on.
pub(super) fn awaiting(held: &[&Task]) -> String {
    format!("{AWAITING} of {}", describe(held))
}

/// The first object, how many more, why, and how to go on.
pub fn describe(held: &[&Task]) -> String {
    let Some(first) = held.first() else { return String::new() };
    let version = if first.key.group.is_empty() {
        first.gvk.version.clone()
    } else {
        format!("{}/{}", first.key.group, first.gvk.version)
    };
    let more = match held.len() {
        1 => String::new(),
        count => format!(" and {} more resources", count - 1),
    };
    let reason = first.unconfirmed.as_deref().unwrap_or_default();
    format!("{version}/{}/{}{more} ({reason}); {HOW}", first.key.kind, first.key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        for (limit, count, there, held) in [
            ("5", 5, 100, false),
            ("5", 6, 100, true),
            ("25%", 25, 100, false),
            ("25%", 26, 100, true),
            ("0", 1, 100, true),
            ("0%", 0, 100, false),
            ("100%", 100, 100, false),
            ("many", 1, 100, true),
            ("many", 0, 100, false),
            ("-1", 1, 100, true),
            ("99999999999999999999", 1, 100, true),
        ] {
            assert_eq!(excess(limit, count, there).is_some(), held, "{limit} {count} of {there}");
        }
    }
}
