//! Versions and constraints with the rules of Masterminds/semver v3.5.0: `1`, `v1.2` and leading zeros
//! are accepted, pre-releases match only where the constraint's group names one.
//!
//! Public because chart files state constraints in the same language (`kubeVersion`, dependencies).

use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::strconv::quote;

/// Longest version that is read, in bytes.
const MAX_VERSION: usize = 256;
/// Longest constraint that is read, in bytes.
const MAX_CONSTRAINT: usize = 512;
/// Most alternatives (`||`) of a constraint.
const MAX_GROUPS: usize = 32;

const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const PATTERN: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";

/// A compiled constant; `None` cannot happen for the patterns below.
type Lazy = LazyLock<Option<Regex>>;

static VERSION: Lazy = LazyLock::new(|| {
    Regex::new(r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$").ok()
});
static ONE: Lazy = LazyLock::new(|| {
    Regex::new(&format!(r"^[\t\n\f\r ]*({OPERATORS})[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]*$")).ok()
});
static RANGE: Lazy = LazyLock::new(|| {
    Regex::new(&format!(r"[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]+-[\t\n\f\r ]+({PATTERN})[\t\n\f\r ]*")).ok()
});
static FIND: Lazy = LazyLock::new(|| Regex::new(&format!(r"({OPERATORS})[\t\n\f\r ]*({PATTERN})")).ok());
static GROUP: Lazy = LazyLock::new(|| {
    let one = format!(r"({OPERATORS})[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]*");
    Regex::new(&format!(r"^([\t\n\f\r ]*{one})((?:[\t\n\f\r ]+|,[\t\n\f\r ]*){one})*$")).ok()
});

/// A semantic version as it was read.
#[derive(Clone, Debug, Default)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number, 0 when absent.
    pub minor: u64,
    /// Third number, 0 when absent.
    pub patch: u64,
    /// What follows `-`, without it.
    pub prerelease: String,
    /// What follows `+`, without it.
    pub metadata: String,
    /// The text that was read.
    pub original: String,
}

impl Version {
    /// Reads a version, complete or not; the error has the library's wording.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_VERSION {
            return Err(format!("version string is too long (max {MAX_VERSION} bytes)"));
        }
        let invalid = || "invalid semantic version".to_owned();
        let found = VERSION.as_ref().and_then(|r| r.captures(text)).ok_or_else(invalid)?;
        let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
        let number = |n: usize| {
            let digits = group(n).trim_start_matches('.');
            if digits.is_empty() {
                return Ok(0);
            }
            digits.parse::<u64>().map_err(|_| {
                format!("error parsing version segment: strconv.ParseUint: parsing \"{digits}\": value out of range")
            })
        };
        let version = Version {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            prerelease: group(5).to_owned(),
            metadata: group(8).to_owned(),
            original: text.to_owned(),
        };
        for part in version.prerelease.split('.') {
            if part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()) {
                return Err("version segment starts with 0".to_owned());
            }
        }
        Ok(version)
    }

    /// Order by numbers, then pre-release; metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Order of two pre-release texts; none is higher than any.
fn compare_prerelease(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_parts(a, b),
    }
}

/// Order of two pre-release texts part by part, where an absent part is the lowest.
fn compare_parts(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (l, r) => compare_identifier(l.unwrap_or(""), r.unwrap_or("")),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Order of two identifiers: absent, then numbers, then text.
fn compare_identifier(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_empty() {
        return Ordering::Less;
    }
    if b.is_empty() {
        return Ordering::Greater;
    }
    match (a.parse::<u64>().ok(), b.parse::<u64>().ok()) {
        (None, None) => a.cmp(b),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(x), Some(y)) => x.cmp(&y),
    }
}

/// Alternatives of conjunctions of single constraints.
#[derive(Clone, Debug)]
pub struct Constraints {
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    all: Vec<Constraint>,
    names_prerelease: bool,
}

/// One operator with its version.
#[derive(Clone, Debug)]
struct Constraint {
    operator: String,
    version: Version,
    minor_open: bool,
    patch_open: bool,
    open: bool,
}

impl Constraints {
    /// Reads a constraint such as `>=1.2 <2 || ^3`; the error has the library's wording.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_CONSTRAINT {
            return Err(format!("constraint string is too long (max {MAX_CONSTRAINT} bytes)"));
        }
        let text = rewrite_ranges(text);
        let alternatives: Vec<&str> = text.split("||").collect();
        if alternatives.len() > MAX_GROUPS {
            return Err(format!("too many constraint groups (max {MAX_GROUPS})"));
        }
        let groups = alternatives.into_iter().map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Constraints { groups })
    }

    /// Whether `version` satisfies one of the alternatives.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|g| g.all.iter().all(|c| c.check(version, g.names_prerelease)))
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, String> {
        if !GROUP.as_ref().is_some_and(|r| r.is_match(text)) {
            return Err(format!("improper constraint: {}", quote(text.as_bytes())));
        }
        let mut all = Vec::new();
        if let Some(find) = FIND.as_ref() {
            for found in find.find_iter(text) {
                all.push(Constraint::parse(found.as_str())?);
            }
        }
        let names_prerelease = all.iter().any(|c| !c.version.prerelease.is_empty());
        Ok(Group { all, names_prerelease })
    }
}

impl Constraint {
    fn parse(text: &str) -> Result<Self, String> {
        let found = ONE
            .as_ref()
            .and_then(|r| r.captures(text))
            .ok_or_else(|| format!("improper constraint: {}", quote(text.as_bytes())))?;
        let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
        let open = |n: usize| matches!(group(n).trim_start_matches('.'), "" | "x" | "X" | "*");
        let (major, minor, pre) = (group(3), group(4), group(6));
        let (number, minor_open, patch_open, any_open) = if open(3) {
            (format!("0.0.0{pre}"), false, false, true)
        } else if open(4) {
            (format!("{major}.0.0{pre}"), true, false, true)
        } else if open(5) {
            (format!("{major}{minor}.0{pre}"), false, true, true)
        } else {
            (group(2).to_owned(), false, false, false)
        };
        let version = Version::parse(&number).map_err(|_| "constraint parser error".to_owned())?;
        Ok(Constraint { operator: group(1).to_owned(), version, minor_open, patch_open, open: any_open })
    }

    fn check(&self, v: &Version, with_prerelease: bool) -> bool {
        if !v.prerelease.is_empty() && !with_prerelease {
            return false;
        }
        let order = v.precedence(&self.version);
        match self.operator.as_str() {
            "!=" => self.differs(v),
            ">" => self.exceeded_by(v),
            "<" => order == Ordering::Less,
            ">=" | "=>" => order != Ordering::Less,
            "<=" | "=<" if !self.open => order != Ordering::Greater,
            "<=" | "=<" => {
                v.major < self.version.major
                    || v.major == self.version.major && (v.minor <= self.version.minor || self.minor_open)
            }
            "~" | "~>" => self.tilde(v),
            "^" => self.caret(v),
            _ if self.open => self.tilde(v),
            _ => order == Ordering::Equal,
        }
    }

    fn differs(&self, v: &Version) -> bool {
        let own = &self.version;
        if self.open {
            if own.major != v.major {
                return true;
            }
            if own.minor != v.minor && !self.minor_open {
                return true;
            }
            if self.minor_open {
                return false;
            }
            if own.patch != v.patch && !self.patch_open {
                return true;
            }
            if self.patch_open {
                return compare_parts(&v.prerelease, &own.prerelease) != Ordering::Equal;
            }
        }
        v.precedence(own) != Ordering::Equal
    }

    fn exceeded_by(&self, v: &Version) -> bool {
        let own = &self.version;
        if !self.open {
            return v.precedence(own) == Ordering::Greater;
        }
        match v.major.cmp(&own.major) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal if self.minor_open => false,
            Ordering::Equal if self.patch_open => v.minor > own.minor,
            Ordering::Equal => v.precedence(own) == Ordering::Greater,
        }
    }

    fn tilde(&self, v: &Version) -> bool {
        let own = &self.version;
        if v.precedence(own) == Ordering::Less {
            return false;
        }
        if (own.major, own.minor, own.patch) == (0, 0, 0) && !self.minor_open && !self.patch_open {
            return true;
        }
        v.major == own.major && (v.minor == own.minor || self.minor_open)
    }

    fn caret(&self, v: &Version) -> bool {
        let own = &self.version;
        if v.precedence(own) == Ordering::Less {
            return false;
        }
        if own.major > 0 || self.minor_open {
            return v.major == own.major;
        }
        if v.major > 0 {
            return false;
        }
        if own.minor > 0 || self.patch_open {
            return v.minor == own.minor;
        }
        v.minor == 0 && v.patch == own.patch
    }
}

/// Writes `1.2 - 2.3` as `>= 1.2, <= 2.3`.
fn rewrite_ranges(text: &str) -> String {
    let Some(range) = RANGE.as_ref() else { return text.to_owned() };
    let mut out = text.to_owned();
    for found in range.captures_iter(text) {
        let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
        out = out.replacen(group(0), &format!(">= {}, <= {} ", group(1), group(11)), 1);
    }
    out
}
