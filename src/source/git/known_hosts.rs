//! Host keys in the format of OpenSSH's `known_hosts`, as argocd-ssh-known-hosts-cm holds them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{Algorithm, PublicKey};
use sha1::Sha1;

/// What a list of known hosts says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The host has this key.
    Known,
    /// The key is marked as revoked.
    Revoked,
    /// The host has other keys of this kind.
    Changed,
    /// The host has no key of this kind.
    Unknown,
}

struct Line {
    revoked: bool,
    key: PublicKey,
}

/// Looks a host's key up.
pub(crate) fn verify(list: &str, host: &str, port: u16, key: &PublicKey) -> Verdict {
    let lines = lines_of(list, host, port);
    let same = |line: &Line| line.key.key_data() == key.key_data();
    if lines.iter().any(|line| line.revoked && same(line)) {
        return Verdict::Revoked;
    }
    let mut known = lines.iter().filter(|line| !line.revoked);
    if known.clone().any(same) {
        return Verdict::Known;
    }
    if known.any(|line| kind(&line.key.algorithm()) == kind(&key.algorithm())) {
        Verdict::Changed
    } else {
        Verdict::Unknown
    }
}

/// The kinds of keys that are known of a host: a server with several keys is asked for one of these.
pub(crate) fn algorithms(list: &str, host: &str, port: u16) -> Vec<Algorithm> {
    lines_of(list, host, port).iter().filter(|line| !line.revoked).map(|line| line.key.algorithm()).collect()
}

/// An RSA key is one key, whatever hash signs with it.
pub(crate) fn kind(algorithm: &Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Rsa { .. } => Algorithm::Rsa { hash: None },
        other => other.clone(),
    }
}

fn lines_of(list: &str, host: &str, port: u16) -> Vec<Line> {
    let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    list.lines().filter_map(|line| parse(line, &name)).collect()
}

/// A line that names the host. Lines that cannot be read, and authorities of host certificates, are passed over.
fn parse(line: &str, name: &str) -> Option<Line> {
    let mut words = line.split_whitespace();
    let mut hosts = words.next().filter(|word| !word.starts_with('#'))?;
    let revoked = hosts == "@revoked";
    if hosts.starts_with('@') {
        if !revoked {
            return None;
        }
        hosts = words.next()?;
    }
    let (algorithm, key) = (words.next()?, words.next()?);
    if !names(hosts, name) {
        return None;
    }
    let key = PublicKey::from_openssh(&format!("{algorithm} {key}")).ok()?;
    Some(Line { revoked, key })
}

/// Whether a comma-separated list of patterns names the host: `*` and `?` are wildcards, `!` excludes, `|1|…` is hashed.
fn names(patterns: &str, name: &str) -> bool {
    if let Some(hashed) = patterns.strip_prefix("|1|") {
        return matches_hash(hashed, name);
    }
    let mut found = false;
    for pattern in patterns.split(',') {
        let (pattern, excluded) = pattern.strip_prefix('!').map_or((pattern, false), |rest| (rest, true));
        if matches_glob(pattern.to_ascii_lowercase().as_bytes(), name.as_bytes()) {
            if excluded {
                return false;
            }
            found = true;
        }
    }
    found
}

fn matches_hash(hashed: &str, name: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else { return false };
    mac.update(name.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

/// Linear in the length of both but for backtracking to the last `*`.
fn matches_glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(b'?') => (at, from) = (at + 1, from + 1),
            Some(byte) if text.get(from) == Some(byte) => (at, from) = (at + 1, from + 1),
            _ => {
                let Some((after, tried)) = star else { return false };
                star = Some((after, tried + 1));
                (at, from) = (after, tried + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made for this test; no server has their private halves.
    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC";

    fn check(list: &str, host: &str, port: u16) -> Verdict {
        verify(list, host, port, &PublicKey::from_openssh(ONE).unwrap())
    }

    #[test]
    fn hosts_are_found_in_every_form() {
        assert_eq!(check(&format!("# x\n\ngit.example.com {ONE}"), "git.example.com", 22), Verdict::Known);
        assert_eq!(check(&format!("a,git.example.com {ONE} me@here"), "git.example.com", 22), Verdict::Known);
        assert_eq!(check(&format!("[git.example.com]:2222 {ONE}"), "git.example.com", 2222), Verdict::Known);
        assert_eq!(check(&format!("git.example.com {ONE}"), "git.example.com", 2222), Verdict::Unknown);
        assert_eq!(check(&format!("*.example.com {ONE}"), "git.example.com", 22), Verdict::Known);
        assert_eq!(check(&format!("*.example.com,!git.* {ONE}"), "git.example.com", 22), Verdict::Unknown);
        assert_eq!(check(&format!("git.example.com {TWO}"), "git.example.com", 22), Verdict::Changed);
        assert_eq!(
            check(&format!("git.example.com {TWO}\ngit.example.com {ONE}"), "git.example.com", 22),
            Verdict::Known
        );
        assert_eq!(
            check(&format!("@revoked * {ONE}\ngit.example.com {ONE}"), "git.example.com", 22),
            Verdict::Revoked
        );
        assert_eq!(check(&format!("@cert-authority * {ONE}"), "git.example.com", 22), Verdict::Unknown);
        assert_eq!(
            check("git.example.com garbage\n|1|x|y z\n@revoked\n", "git.example.com", 22),
            Verdict::Unknown
        );
    }

    #[test]
    fn hashed_hosts_are_found() {
        let salt = [7_u8; 20];
        let mut mac = Hmac::<Sha1>::new_from_slice(&salt).unwrap();
        mac.update(b"[git.example.com]:2222");
        let hash = STANDARD.encode(mac.finalize().into_bytes());
        let list = format!("|1|{}|{hash} {ONE}", STANDARD.encode(salt));
        assert_eq!(check(&list, "git.example.com", 2222), Verdict::Known);
        assert_eq!(check(&list, "git.example.com", 22), Verdict::Unknown);
    }
}
