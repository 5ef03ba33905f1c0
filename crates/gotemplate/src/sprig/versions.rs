//! `semver` and `semverCompare`, and the version as a value with methods.

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;

use super::semver::{Constraints, Version};
use crate::error::Error;
use crate::func::{Func, Method, args};
use crate::value::{Object, Str, Type, Value};

const TYPE: &str = "*semver.Version";
const VERSION: Type = Type::Object(TYPE);

/// The functions of this family.
pub(super) const FUNCS: &[Func] = &[
    Func::new("semver", &[Type::String], |_, a| {
        Ok(Value::object(Version::parse(&args::string(a, 0)?.to_text()).map_err(Error::new)?))
    }),
    Func::new("semverCompare", &[Type::String, Type::String], |_, a| {
        let constraint = Constraints::parse(&args::string(a, 0)?.to_text()).map_err(Error::new)?;
        let version = Version::parse(&args::string(a, 1)?.to_text()).map_err(Error::new)?;
        Ok(Value::Bool(constraint.check(&version)))
    }),
];

/// The methods that take no version and change nothing, those that compare, and those that count up.
const METHODS: &[Method] = &[
    Method::new("Major", &[], |_, v, _| Ok(Value::Uint64(own(v)?.major))),
    Method::new("Minor", &[], |_, v, _| Ok(Value::Uint64(own(v)?.minor))),
    Method::new("Patch", &[], |_, v, _| Ok(Value::Uint64(own(v)?.patch))),
    Method::new("Prerelease", &[], |_, v, _| Ok(Value::from(own(v)?.prerelease.as_str()))),
    Method::new("Metadata", &[], |_, v, _| Ok(Value::from(own(v)?.metadata.as_str()))),
    Method::new("Original", &[], |_, v, _| Ok(Value::from(own(v)?.original.as_str()))),
    Method::new("String", &[], |_, v, _| Ok(Value::from(own(v)?.to_string()))),
    Method::new("Compare", &[VERSION], |_, v, a| Ok(Value::Int(order(v, a)? as i64))),
    Method::new("Equal", &[VERSION], |_, v, a| Ok(Value::Bool(order(v, a)?.is_eq()))),
    Method::new("LessThan", &[VERSION], |_, v, a| Ok(Value::Bool(order(v, a)?.is_lt()))),
    Method::new("LessThanEqual", &[VERSION], |_, v, a| Ok(Value::Bool(order(v, a)?.is_le()))),
    Method::new("GreaterThan", &[VERSION], |_, v, a| Ok(Value::Bool(order(v, a)?.is_gt()))),
    Method::new("GreaterThanEqual", &[VERSION], |_, v, a| Ok(Value::Bool(order(v, a)?.is_ge()))),
    Method::new("IncMajor", &[], |_, v, _| {
        let v = own(v)?;
        Ok(next(v, v.major.saturating_add(1), 0, 0))
    }),
    Method::new("IncMinor", &[], |_, v, _| {
        let v = own(v)?;
        Ok(next(v, v.major, v.minor.saturating_add(1), 0))
    }),
    Method::new("IncPatch", &[], |_, v, _| {
        let v = own(v)?;
        // The release that a pre-release announces comes next.
        let step = u64::from(v.prerelease.is_empty());
        Ok(next(v, v.major, v.minor, v.patch.saturating_add(step)))
    }),
];

fn own(value: &Value) -> Result<&Version, Error> {
    value.downcast::<Version>().ok_or_else(|| Error::new(super::lists::NIL_POINTER))
}

fn order(value: &Value, a: &[Value]) -> Result<Ordering, Error> {
    let other = a.first().ok_or_else(|| Error::new(super::lists::NIL_POINTER))?;
    Ok(own(value)?.precedence(own(other)?))
}

fn next(from: &Version, major: u64, minor: u64, patch: u64) -> Value {
    let mut version = Version { major, minor, patch, ..Version::default() };
    let prefix = if from.original.starts_with('v') { "v" } else { "" };
    version.original = format!("{prefix}{version}");
    Value::object(version)
}

impl Object for Version {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TYPE)
    }

    /// As they are printed; out of a template's reach, for their names are not exported.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("major", Value::Uint64(self.major)),
            ("minor", Value::Uint64(self.minor)),
            ("patch", Value::Uint64(self.patch)),
            ("pre", Value::from(self.prerelease.as_str())),
            ("metadata", Value::from(self.metadata.as_str())),
            ("original", Value::from(self.original.as_str())),
        ]
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn string(&self) -> Option<Str> {
        Some(Str::from(self.to_string()))
    }

    fn equal(&self, other: &dyn Object) -> Option<bool> {
        // Pointers are equal when they are the same; two `semver` calls never give the same one. What is
        // compared by content (`deepEqual`) sees all fields.
        let other = other.as_any().downcast_ref::<Version>()?;
        Some(self.to_string() == other.to_string() && self.original == other.original)
    }

    fn to_json(&self) -> Option<Result<serde_json::Value, String>> {
        Some(Ok(serde_json::Value::String(self.to_string())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
