//! `urlParse` and `urlJoin`: Go's `net/url`, as far as they reach.

use super::lists::NIL_POINTER;
use crate::error::Error;
use crate::func::{Func, args};
use crate::strconv::quote;
use crate::value::{Map, Str, Type, Value, types};

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("urlParse", &[Type::String], |_, a| {
        let url = Url::parse(args::string(a, 0)?.as_bytes())
            .map_err(|e| Error::new(format!("unable to parse url: {e}")))?;
        Ok(Value::Map(url.into_dict()))
    }),
    Func::new("urlJoin", DICT, |_, a| join(args::map(a, 0)?)),
];

const DICT: &[Type] = &[Type::Map(&types::DICT)];

/// The part of a URL that a byte stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Path => b"$&+,/:;=@",
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::User => b"$&+,;=",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !allowed.contains(&byte)
}

fn escape(text: &[u8], part: Part, out: &mut Vec<u8>) {
    for byte in text {
        if must_escape(*byte, part) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).map(|d| d as u8)
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let bad_escape = |s: &[u8]| format!("invalid URL escape {}", quote(s));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            let host = matches!(part, Part::Host | Part::Zone);
            if host && first.is_ascii() && must_escape(*first, part) {
                return Err(format!("invalid character {} in host name", quote(&[*first])));
            }
            out.push(*first);
            continue;
        }
        let sequence = [&b"%"[..], tail.get(..2).unwrap_or(tail)].concat();
        let (Some(high), Some(low)) = (hex(tail.first()), hex(tail.get(1))) else {
            return Err(bad_escape(&sequence));
        };
        let value = high << 4 | low;
        // In a host only bytes beyond ASCII may be escaped; in a zone what a host may hold.
        let refused = match part {
            Part::Host => high < 8 && value != b'%',
            Part::Zone => value != b'%' && value != b' ' && must_escape(value, Part::Host),
            _ => false,
        };
        if refused {
            return Err(bad_escape(&sequence));
        }
        out.push(value);
        rest = tail.get(2..).unwrap_or(b"");
    }
    Ok(out)
}

/// A parsed URL; the path and fragment are decoded.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

/// Name and password, decoded.
struct User(Vec<u8>, Option<Vec<u8>>);

impl User {
    fn write(&self, out: &mut Vec<u8>) {
        escape(&self.0, Part::User, out);
        if let Some(password) = &self.1 {
            out.push(b':');
            escape(password, Part::User, out);
        }
    }
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|b| *b == at) {
        Some(i) => (text.get(..i).unwrap_or(text), text.get(i + 1..)),
        None => (text, None),
    }
}

impl Url {
    /// Reads a URL; the error has Go's wording.
    fn parse(raw: &[u8]) -> Result<Url, String> {
        let (main, fragment) = cut(raw, b'#');
        let wrap = |shown: &[u8], e: String| format!("parse {}: {e}", quote(shown));
        let mut url = Url::parse_main(main).map_err(|e| wrap(main, e))?;
        if let Some(fragment) = fragment {
            url.fragment = unescape(fragment, Part::Fragment).map_err(|e| wrap(raw, e))?;
        }
        Ok(url)
    }

    fn parse_main(raw: &[u8]) -> Result<Url, String> {
        if raw.iter().any(|b| *b < b' ' || *b == 0x7F) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Url::default();
        if raw == b"*" {
            url.path = raw.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(raw)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or(b"").to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let authority_possible = !url.scheme.is_empty() || !rest.starts_with(b"///");
        if let Some(after) = rest.strip_prefix(b"//").filter(|_| authority_possible) {
            let end = after.iter().position(|b| *b == b'/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(end).unwrap_or((after, b""));
            (url.user, url.host) = parse_authority(&url.scheme, authority)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    fn into_dict(self) -> Map {
        let mut userinfo = Vec::new();
        if let Some(user) = &self.user {
            user.write(&mut userinfo);
        }
        let hostname = hostname(&self.host).to_vec();
        [
            ("scheme", self.scheme),
            ("host", self.host),
            ("hostname", hostname),
            ("path", self.path),
            ("query", self.query),
            ("opaque", self.opaque),
            ("fragment", self.fragment),
            ("userinfo", userinfo),
        ]
        .into_iter()
        .map(|(key, text)| (key, Value::String(text.into())))
        .collect()
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            escape(&self.fragment, Part::Fragment, &mut out);
        }
        out
    }

    fn write_hierarchy(&self, out: &mut Vec<u8>) {
        if !self.host.is_empty() || self.user.is_some() || !self.scheme.is_empty() && !self.path.is_empty() {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            user.write(out);
            out.push(b'@');
        }
        escape(&self.host, Part::Host, out);
        let mut path = Vec::new();
        if self.path == b"*" {
            path.push(b'*');
        } else {
            escape(&self.path, Part::Path, &mut path);
        }
        if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
            out.push(b'/');
        }
        // A colon in the first segment of a relative path would read as a scheme.
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend_from_slice(&path);
    }
}

fn split_scheme(raw: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (i, byte) in raw.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((raw.get(..i).unwrap_or(b""), raw.get(i + 1..).unwrap_or(b""))),
            _ => break,
        }
    }
    Ok((b"", raw))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = authority.iter().rposition(|b| *b == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, authority.get(at + 1..).unwrap_or(b""))?;
    let userinfo = authority.get(..at).unwrap_or(b"");
    if !userinfo.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b)) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(userinfo, b':');
    let name = unescape(name, Part::User)?;
    let password = password.map(|p| unescape(p, Part::User)).transpose()?;
    Ok((Some(User(name, password)), host))
}

fn port_ok(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn check_port(port: &[u8]) -> Result<(), String> {
    if port_ok(port) { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    match host.iter().rposition(|b| *b == b'[') {
        Some(0) => return parse_ip_literal(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let first = host.iter().position(|b| *b == b':');
    // Lists of hosts with ports are common in database URLs; web schemes are held to one port.
    let strict = matches!(scheme, b"http" | b"https");
    let colon = if strict { first } else { host.iter().rposition(|b| *b == b':') };
    if let Some(port) = colon.and_then(|at| host.get(at..)) {
        check_port(port)?;
    }
    unescape(host, Part::Host)
}

fn parse_ip_literal(host: &[u8]) -> Result<Vec<u8>, String> {
    let close = host.iter().rposition(|b| *b == b']').ok_or("missing ']' in host")?;
    let port = host.get(close + 1..).unwrap_or(b"");
    check_port(port)?;
    let inner = host.get(1..close).unwrap_or(b"");
    let zone = inner.windows(3).position(|w| w == b"%25");
    let (address, zone) = inner.split_at_checked(zone.unwrap_or(inner.len())).unwrap_or((inner, b""));
    let mut name = unescape(address, Part::Host)?;
    let plain = String::from_utf8_lossy(&name).into_owned();
    name.extend(unescape(zone, Part::Zone)?);
    if plain.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if plain.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quote(&name)));
    }
    Ok([b"[", name.as_slice(), b"]", port].concat())
}

/// The host without port and brackets.
fn hostname(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|b| *b == b':').filter(|at| host.get(*at..).is_some_and(port_ok));
    let name = colon.and_then(|at| host.get(..at)).unwrap_or(host);
    name.strip_prefix(b"[").and_then(|n| n.strip_suffix(b"]")).unwrap_or(name)
}

fn join(dict: &Map) -> Result<Value, Error> {
    let field = |key: &str| match dict.get(key) {
        None => Ok(Vec::new()),
        Some(Value::String(s)) => Ok(s.as_bytes().to_vec()),
        Some(Value::Nil) => Err(Error::new(NIL_POINTER)),
        Some(other) => Err(Error::new(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind().name()
        ))),
    };
    let mut url = Url {
        scheme: field("scheme")?,
        host: field("host")?,
        path: field("path")?,
        query: field("query")?,
        opaque: field("opaque")?,
        fragment: field("fragment")?,
        user: None,
    };
    let userinfo = field("userinfo")?;
    if !userinfo.is_empty() {
        let probe = [b"proto://", userinfo.as_slice(), b"@host"].concat();
        url.user = Url::parse(&probe)
            .map_err(|e| Error::new(format!("unable to parse userinfo in dict: {e}")))?
            .user;
    }
    Ok(Value::String(Str::from(url.write())))
}
