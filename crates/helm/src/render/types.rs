//! The Go types that Helm's templates meet: `.Values`, `.Files`, `.Capabilities`.

use std::any::Any;
use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::func::{Method, args};
use gotemplate::value::types::{ListType, MapType, STRING_LIST};
use gotemplate::value::{Kind, Object, Type};
use gotemplate::{Error, List, Map, Str, Value};

use super::host::Host;
use crate::capabilities::{HELM_VERSION, KubeVersion};
use crate::glob::Glob;
use crate::values::tree;

/// `common.Values`: a map with a few methods.
pub(super) static VALUES: MapType = MapType {
    name: "common.Values",
    elem: Type::Any,
    defined: true,
    methods: &[
        Method::new("AsMap", &[], |_, this, _| Ok(as_map(this))),
        Method::new("Table", &[Type::String], |_, this, a| {
            let path = args::string(a, 0)?.to_text();
            let found = this.as_map().and_then(|m| tree::table(m, &path));
            let missing = path.rsplit('.').next().unwrap_or_default();
            let error = || Error::new(format!("{missing:?} is not a table"));
            found.map(|m| Value::Map(m.with_type(&VALUES))).ok_or_else(error)
        }),
        Method::new("PathValue", &[Type::String], |_, this, a| {
            let path = args::string(a, 0)?.to_text();
            if path.is_empty() {
                return Err(Error::new("YAML path cannot be empty"));
            }
            let missing = path.rsplit('.').next().unwrap_or_default();
            let error = || Error::new(format!("{missing:?} is not a value"));
            this.as_map().and_then(|m| tree::path_value(m, &path)).ok_or_else(error)
        }),
        Method::new("YAML", &[], |_, this, _| {
            let json = this.to_json()?;
            goyaml::to_yaml(&json).map(Value::from).map_err(|e| Error::new(e.to_string()))
        }),
    ],
};

fn as_map(this: &Value) -> Value {
    match this {
        Value::Map(map) if !map.is_empty() => Value::Map(map.with_type(&gotemplate::value::types::DICT)),
        _ => Value::Map(Map::new()),
    }
}

/// `engine.files`: contents by path.
pub(super) static FILES: MapType = MapType {
    name: "engine.files",
    elem: Type::Bytes,
    defined: true,
    methods: &[
        Method::new("Get", &[Type::String], |exec, this, a| {
            let data = read(exec.host(), this, args::string(a, 0)?);
            exec.charge_bytes(data.len() as u64)?;
            Ok(Value::String(Str::from_bytes(&data)))
        }),
        Method::new("GetBytes", &[Type::String], |exec, this, a| {
            Ok(Value::Bytes(read(exec.host(), this, args::string(a, 0)?)))
        }),
        Method::new("Glob", &[Type::String], |exec, this, a| {
            let glob = Glob::new(&args::string(a, 0)?.to_text()).unwrap_or_else(Glob::any);
            let entries = this.as_map().map(Map::entries).unwrap_or_default();
            exec.charge_steps(entries.len() as u64)?;
            let found = entries.into_iter().filter(|(name, _)| glob.matches(&name.to_text()));
            let found = Map::of(&FILES, found.collect());
            if let (Some(host), Some(all)) = (exec.host::<Host>(), this.as_map()) {
                host.note_glob(all, &found);
            }
            Ok(Value::Map(found))
        }),
        Method::new("AsConfig", &[], |exec, this, _| flat_yaml(exec, this, Str::from_bytes)),
        Method::new("AsSecrets", &[], |exec, this, _| {
            flat_yaml(exec, this, |data| Str::from(STANDARD.encode(data)))
        }),
        Method::new("Lines", &[Type::String], |exec, this, a| {
            let data = read(exec.host(), this, args::string(a, 0)?);
            exec.charge_bytes(data.len() as u64)?;
            if data.is_empty() {
                return Ok(Value::List(List::of(&STRING_LIST, Vec::new())));
            }
            let text = data.strip_suffix(b"\n").unwrap_or(&data);
            Ok(Value::List(List::strings(text.split(|b| *b == b'\n').map(Str::from_bytes))))
        }),
    ],
};

fn read(host: Option<&Host>, files: &Value, name: &Str) -> std::sync::Arc<[u8]> {
    let found = files.as_map().and_then(|m| m.get(name));
    if let (Some(host), Some(files)) = (host, files.as_map()) {
        host.note_read(files, &name.to_text());
    }
    match found {
        Some(Value::Bytes(data)) => data,
        _ => std::sync::Arc::from(&[][..]),
    }
}

/// A YAML map from the last element of each path to its contents.
fn flat_yaml(exec: &mut gotemplate::Exec<'_>, files: &Value, text: fn(&[u8]) -> Str) -> Result<Value, Error> {
    let entries = files.as_map().map(Map::entries).unwrap_or_default();
    let mut flat = serde_json::Map::new();
    for (name, data) in entries {
        let Value::Bytes(data) = data else { continue };
        exec.charge_bytes(data.len() as u64)?;
        if let (Some(host), Some(files)) = (exec.host::<Host>(), files.as_map()) {
            host.note_read(files, &name.to_text());
        }
        let name = name.to_text();
        let base = name.rsplit('/').next().unwrap_or(&name).to_owned();
        flat.insert(base, serde_json::Value::String(text(&data).to_text().into_owned()));
    }
    Ok(Value::from(super::functions::to_yaml_text(&serde_json::Value::Object(flat)).unwrap_or_default()))
}

/// `common.VersionSet`: the API versions that the cluster serves.
pub(super) static VERSION_SET: ListType = ListType {
    name: "common.VersionSet",
    elem: Type::String,
    defined: true,
    methods: &[Method::new("Has", &[Type::String], |exec, this, a| {
        let wanted = args::string(a, 0)?;
        let versions = this.as_list().map(List::borrow);
        let has = versions.is_some_and(|v| v.iter().any(|v| v.as_str() == Some(wanted)));
        if let Some(host) = exec.host::<Host>() {
            host.note_api_version(&wanted.to_text());
        }
        Ok(Value::Bool(has))
    })],
};

/// `*common.Capabilities`.
#[derive(Debug)]
pub(super) struct CapabilitiesObject {
    pub(super) kube_version: Value,
    pub(super) api_versions: Value,
    pub(super) helm_version: Value,
}

impl Object for CapabilitiesObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("*common.Capabilities")
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.kube_version.clone()),
            ("APIVersions", self.api_versions.clone()),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn methods(&self) -> &'static [Method] {
        const METHODS: &[Method] = &[Method::new("Copy", &[], |_, this, _| Ok(this.clone()))];
        METHODS
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.KubeVersion`.
#[derive(Debug)]
pub(super) struct KubeVersionObject(pub(super) KubeVersion);

impl Object for KubeVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("common.KubeVersion")
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", Value::from(self.0.version.as_str())),
            // Printed like the other fields, but out of a template's reach: its name is not exported.
            ("normalizedVersion", Value::from(self.0.normalized.as_str())),
            ("Major", Value::from(self.0.major.as_str())),
            ("Minor", Value::from(self.0.minor.as_str())),
        ]
    }

    fn field(&self, name: &str) -> Option<Value> {
        let exported = name.starts_with(|c: char| c.is_ascii_uppercase());
        self.fields().into_iter().find(|(n, _)| exported && *n == name).map(|(_, v)| v)
    }

    fn methods(&self) -> &'static [Method] {
        const METHODS: &[Method] = &[
            Method::new("String", &[], |_, this, _| Ok(version_text(this, |v| &v.normalized))),
            Method::new("GitVersion", &[], |_, this, _| Ok(version_text(this, |v| &v.version))),
        ];
        METHODS
    }

    fn pointer_string(&self) -> Option<Str> {
        Some(Str::from(self.0.normalized.as_str()))
    }

    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        self.fields().into_iter().filter(|(name, _)| *name != "normalizedVersion").collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn version_text(this: &Value, get: fn(&KubeVersion) -> &String) -> Value {
    this.downcast::<KubeVersionObject>().map_or(Value::Nil, |v| Value::from(get(&v.0).as_str()))
}

/// `version.BuildInfo` of Helm.
#[derive(Debug)]
pub(super) struct HelmVersionObject;

impl Object for HelmVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("version.BuildInfo")
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let v = &HELM_VERSION;
        vec![
            ("Version", Value::from(v.version)),
            ("GitCommit", Value::from("")),
            ("GitTreeState", Value::from("")),
            ("GoVersion", Value::from(v.go_version)),
            ("KubeClientVersion", Value::from(v.kube_client_version)),
        ]
    }

    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        let v = &HELM_VERSION;
        vec![
            ("version", Value::from(v.version)),
            ("go_version", Value::from(v.go_version)),
            ("kube_client_version", Value::from(v.kube_client_version)),
        ]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
