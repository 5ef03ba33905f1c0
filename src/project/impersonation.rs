//! Which service account writes for an application, where the controller does not write with its own rights.

use crate::api::AppProjectSpec;
use crate::flow::Destination;
use crate::object::glob_matches_parts;

/// Characters that no name of a service account has.
const FORBIDDEN: [char; 9] = ['!', '*', '[', ']', '{', '}', '\\', '/', ' '];

/// The user to act as: `system:serviceaccount:NAMESPACE:NAME`. The first entry of `destinationServiceAccounts` that fits
/// counts, as in Argo CD; an account without a namespace is one of the destination's, or else of the application's own.
///
/// # Errors
/// Where none fits, or the one that does is no name: nothing may be written then.
pub fn service_account(
    project: &AppProjectSpec,
    destination: &Destination,
    app_namespace: &str,
) -> Result<String, String> {
    let home = if destination.namespace.is_empty() { app_namespace } else { &destination.namespace };
    // No character separates parts here: `*` matches everything.
    let fits = |glob: &str, text: &str| glob_matches_parts(glob, text, '\0');
    let found = project
        .destination_service_accounts
        .iter()
        .find(|one| fits(&one.server, &destination.server) && fits(&one.namespace, &destination.namespace));
    let Some(found) = found else {
        return Err(format!(
            "no matching service account found for destination server {} and namespace {home}: add one to the \
             project's destinationServiceAccounts",
            destination.server
        ));
    };
    let account = found.default_service_account.as_str();
    if account.trim().is_empty() || account.contains(FORBIDDEN) {
        return Err(format!("default service account contains invalid chars '{account}'"));
    }
    Ok(match account.contains(':') {
        true => format!("system:serviceaccount:{account}"),
        false => format!("system:serviceaccount:{home}:{account}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DestinationServiceAccount;

    fn account(entries: &[(&str, &str, &str)], namespace: &str) -> Result<String, String> {
        let entry = |(server, namespace, account): &(&str, &str, &str)| DestinationServiceAccount {
            server: (*server).into(),
            namespace: (*namespace).into(),
            default_service_account: (*account).into(),
        };
        let project = AppProjectSpec {
            destination_service_accounts: entries.iter().map(entry).collect(),
            ..AppProjectSpec::default()
        };
        let destination =
            Destination { server: "https://a".into(), name: "a".into(), namespace: namespace.into() };
        service_account(&project, &destination, "argocd")
    }

    #[test]
    fn the_first_that_fits_counts_and_none_is_an_error() {
        let entries = [
            ("https://b", "*", "other"),
            ("https://*", "team-*", "deployer"),
            ("*", "{x,y}", "ops:robot"),
            ("*", "bad", "a b"),
        ];
        assert_eq!(account(&entries, "team-ml").as_deref(), Ok("system:serviceaccount:team-ml:deployer"));
        assert_eq!(account(&entries, "y").as_deref(), Ok("system:serviceaccount:ops:robot"));
        assert!(account(&entries, "elsewhere").unwrap_err().contains("no matching service account"));
        assert!(account(&entries, "bad").unwrap_err().contains("invalid chars"));
        assert_eq!(account(&[("*", "*", "d")], "").as_deref(), Ok("system:serviceaccount:argocd:d"));
    }
}
