//! From the health of objects to the health of an application.

use crate::flow::HealthCode;

/// What the roll-up needs to know of one object of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whether the object is in the cluster.
    pub live: bool,
    /// Health; nothing for a kind without a rule.
    pub health: Option<HealthCode>,
    /// A hook or an object that is skipped: it does not count at all.
    pub hook: bool,
    /// `argocd.argoproj.io/ignore-healthcheck: "true"`: its health does not count, its presence does.
    pub ignored: bool,
    /// The application itself, where it is among its own objects.
    pub itself: bool,
    /// A child Application, whose Missing and Unknown do not count.
    pub application: bool,
}

impl Member {
    /// A live object with a health, and nothing special about it.
    pub fn live(health: Option<HealthCode>) -> Self {
        Self { live: true, health, hook: false, ignored: false, itself: false, application: false }
    }

    /// An object that is not in the cluster.
    pub fn missing() -> Self {
        Self { live: false, ..Self::live(Some(HealthCode::Missing)) }
    }

    /// What this object adds to the health of its application.
    fn counted(&self) -> Option<HealthCode> {
        let health = self.health.filter(|_| self.live && !self.ignored && !self.itself)?;
        let harmless = self.application && matches!(health, HealthCode::Missing | HealthCode::Unknown);
        (!harmless).then_some(health)
    }
}

/// The health of an application and which of its objects caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledUp {
    /// The worst health among the objects that count.
    pub health: HealthCode,
    /// Indexes of the objects that have this health; empty for a healthy application.
    pub causes: Vec<usize>,
}

/// The health of an application: that of its worst object.
///
/// Objects that are missing do not count, since the sync status says so already, unless none is live.
pub fn roll_up(members: &[Member]) -> RolledUp {
    let mut worst = RolledUp { health: HealthCode::Healthy, causes: Vec::new() };
    for (index, member) in members.iter().enumerate().filter(|(_, member)| !member.hook) {
        match member.counted() {
            Some(health) if health.is_worse_than(worst.health) => {
                worst = RolledUp { health, causes: vec![index] };
            }
            Some(health) if health == worst.health && health != HealthCode::Healthy => {
                worst.causes.push(index)
            }
            _ => {}
        }
    }
    let mut counted = members.iter().filter(|member| !member.hook).peekable();
    let nothing_is_live = counted.peek().is_some() && counted.all(|member| !member.live);
    if nothing_is_live && HealthCode::Missing.is_worse_than(worst.health) {
        worst = RolledUp { health: HealthCode::Missing, causes: Vec::new() };
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use HealthCode::{Degraded, Healthy, Missing, Progressing, Suspended, Unknown};

    fn health_of(members: &[Member]) -> HealthCode {
        roll_up(members).health
    }

    #[test]
    fn the_worst_object_decides_and_is_named() {
        let members = [Some(Healthy), Some(Progressing), None, Some(Progressing), Some(Suspended)];
        let rolled = roll_up(&members.map(Member::live));
        assert_eq!(rolled, RolledUp { health: Progressing, causes: vec![1, 3] });
    }

    #[test]
    fn missing_counts_only_where_nothing_is_live() {
        assert_eq!(health_of(&[Member::missing(), Member::live(Some(Healthy))]), Healthy);
        assert_eq!(health_of(&[Member::missing(), Member::missing()]), Missing);
        assert_eq!(health_of(&[]), Healthy);
    }

    #[test]
    fn hooks_ignored_objects_and_the_application_itself_do_not_count() {
        let degraded = Member::live(Some(Degraded));
        assert_eq!(health_of(&[Member { hook: true, ..degraded }]), Healthy);
        assert_eq!(health_of(&[Member { ignored: true, ..degraded }]), Healthy);
        assert_eq!(health_of(&[Member { itself: true, ..degraded }]), Healthy);
        assert_eq!(health_of(&[Member { ignored: true, ..degraded }, Member::missing()]), Healthy);
    }

    #[test]
    fn a_child_application_that_is_unknown_does_not_count() {
        let child = |health| Member { application: true, ..Member::live(Some(health)) };
        assert_eq!(health_of(&[child(Unknown), child(Missing)]), Healthy);
        assert_eq!(health_of(&[child(Degraded)]), Degraded);
    }
}
