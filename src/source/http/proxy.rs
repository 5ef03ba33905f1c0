//! When a proxy is used, and how it is asked for a tunnel.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::target::Target;
use crate::source::repository::{Proxy, SecretText};

/// Longest answer to CONNECT that is read, in bytes.
const MAX_ANSWER: usize = 16 << 10;

impl Proxy {
    /// Whether `noProxy` names this host: `*`, a host, a `.suffix` or `*.suffix`, an address or a network in CIDR
    /// form, each with an optional port, as Go's `httpproxy` reads it.
    pub(crate) fn bypasses(&self, target: &Target) -> bool {
        self.no_proxy
            .split(',')
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .any(|rule| matches(rule, target))
    }

    /// The value of Proxy-Authorization, if the proxy's URL has a user.
    pub(crate) fn authorization(&self) -> Option<String> {
        let user = self.url.user()?;
        let password = self.url.password().map_or("", SecretText::expose);
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

fn matches(rule: &str, target: &Target) -> bool {
    let rule = rule.to_ascii_lowercase();
    if rule == "*" {
        return true;
    }
    if let (Some((network, bits)), Ok(address)) = (rule.split_once('/'), target.host.parse::<IpAddr>()) {
        return match (network.parse::<IpAddr>(), bits.parse::<u32>()) {
            (Ok(network), Ok(bits)) => in_network(address, network, bits),
            _ => false,
        };
    }
    let (host, port) = match rule.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (rule.as_str(), None),
    };
    if port.is_some_and(|port| port != target.port.to_string()) {
        return false;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.strip_prefix('*').unwrap_or(host);
    if let Some(suffix) = host.strip_prefix('.') {
        return target.host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    }
    target.host == host || target.host.strip_suffix(host).is_some_and(|rest| rest.ends_with('.'))
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            (address.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            (address.to_bits() ^ network.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Asks a proxy for a tunnel to the target. The error is what the proxy said.
pub(crate) async fn tunnel<S>(stream: &mut S, proxy: &Proxy, target: &Target) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let authority = format!("{host}:{}", target.port);
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(value) = proxy.authorization() {
        request.push_str(&format!("Proxy-Authorization: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("proxy: {error}"))?;
    let mut answer = Vec::new();
    // A byte at a time: what follows the blank line belongs to the tunnel.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER {
            return Err("proxy: its answer is too long".to_owned());
        }
        answer.push(stream.read_u8().await.map_err(|error| format!("proxy: {error}"))?);
    }
    let answer = String::from_utf8_lossy(&answer);
    let line = answer.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(format!("proxy refused the connection: {line}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::url::RepoUrl;

    #[test]
    fn no_proxy_rules_match_as_in_go() {
        let bypasses = |rules: &str, url: &str| {
            let proxy =
                Proxy { url: RepoUrl::parse("http://proxy:3128").unwrap(), no_proxy: rules.to_owned() };
            proxy.bypasses(&Target::parse(url).unwrap())
        };
        assert!(bypasses("a.com, b.com", "https://b.com/x"));
        assert!(bypasses("b.com", "https://git.b.com/x"));
        assert!(bypasses(".b.com", "https://git.b.com/x") && !bypasses(".b.com", "https://b.com/x"));
        assert!(bypasses("*.b.com", "https://git.b.com/x") && !bypasses("b.com", "https://ab.com/x"));
        assert!(bypasses("10.0.0.0/8", "http://10.1.2.3/") && !bypasses("10.0.0.0/8", "http://11.1.2.3/"));
        assert!(bypasses("0.0.0.0/0", "http://11.1.2.3/") && bypasses("fd00::/8", "http://[fd01::1]/"));
        assert!(bypasses("b.com:8443", "https://b.com:8443/") && !bypasses("b.com:8443", "https://b.com/"));
        assert!(bypasses("*", "https://x/") && !bypasses("", "https://x/"));
    }
}
