//! Shows an Application's sync as it goes by: waves, resources, health, the gate.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Api;
use crate::console::{self, Style, styled};
use crate::error::{Error, Result};
use crate::operator::NAMESPACE;

/// Follows one Application and prints each change once.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    api: &'a Api,
    name: String,
    started: Instant,
    wave: Option<i64>,
    resources: BTreeMap<String, String>,
    headline: String,
}

impl<'a> Watch<'a> {
    /// Begins to follow the Application of this name.
    pub(super) fn new(api: &'a Api, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            api,
            name,
            started: Instant::now(),
            wave: None,
            resources: BTreeMap::new(),
            headline: String::new(),
        }
    }

    /// The Application as it is; null while there is none.
    pub(super) fn application(&self) -> Result<Value> {
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{}", self.name);
        Ok(self.api.get(&path)?.unwrap_or_default())
    }

    /// Prints what changes until `reached` holds. An error after `limit` says what was waited for.
    pub(super) fn until(
        &mut self,
        what: &str,
        limit: Duration,
        reached: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let deadline = Instant::now() + limit;
        loop {
            let application = self.application()?;
            self.show(&application);
            if reached(&application) {
                return Ok(application);
            }
            if Instant::now() > deadline {
                let status = format!("{:#}", application["status"]);
                let seconds = limit.as_secs();
                return Err(Error::new(format!(
                    "{}: not after {seconds} s: {what}\nits status: {status}",
                    self.name
                )));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn show(&mut self, application: &Value) {
        let status = &application["status"];
        self.show_resources(&status["resources"]);
        let operation = &status["operationState"];
        let headline = format!(
            "{} {} {}",
            text(&status["sync"]["status"]),
            text(&status["health"]["status"]),
            match text(&operation["phase"]) {
                "" => String::new(),
                phase => format!("· sync {phase}: {}", text(&operation["message"])),
            }
        );
        if headline != self.headline && headline.trim() != "" {
            self.say(&styled(Style::Bold, &headline));
            self.headline = headline;
        }
        for condition in status["conditions"].as_array().into_iter().flatten() {
            let line = format!("{}: {}", text(&condition["type"]), text(&condition["message"]));
            if self.resources.insert(line.clone(), String::new()).is_none() {
                self.say(&styled(Style::Red, &line));
            }
        }
    }

    fn show_resources(&mut self, resources: &Value) {
        let mut sorted: Vec<_> = resources.as_array().into_iter().flatten().collect();
        sorted.sort_by_key(|resource| wave_of(resource));
        for resource in sorted {
            let name = format!("{}/{}", text(&resource["kind"]), text(&resource["name"]));
            let (sync, health) = (text(&resource["status"]), text(&resource["health"]["status"]));
            let message = text(&resource["health"]["message"]);
            let line = format!("{sync:<9} {health:<11} {name} {message}");
            if self.resources.get(&name) == Some(&line)
                || (sync == "OutOfSync" && !self.resources.contains_key(&name))
            {
                continue;
            }
            if self.wave != Some(wave_of(resource)) {
                self.wave = Some(wave_of(resource));
                self.say(&styled(Style::Blue, &format!("── wave {}", wave_of(resource))));
            }
            self.say(&format!("   {}", styled(style_of(sync, health), line.trim_end())));
            self.resources.insert(name, line);
        }
    }

    fn say(&self, line: &str) {
        let seconds = format!("{:>6.1} s", self.started.elapsed().as_secs_f32());
        console::line(format!("{} {line}", styled(Style::Dim, &seconds)));
    }
}

/// The string at a place, or nothing.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether the Application is Synced and Healthy and its last operation is over.
pub(super) fn converged(application: &Value) -> bool {
    let status = &application["status"];
    status["sync"]["status"] == "Synced"
        && status["health"]["status"] == "Healthy"
        && matches!(text(&status["operationState"]["phase"]), "" | "Succeeded")
}

/// The entry of `status.resources` for this kind.
pub(super) fn resource<'v>(application: &'v Value, kind: &str) -> Option<&'v Value> {
    application["status"]["resources"].as_array()?.iter().find(|resource| resource["kind"] == kind)
}

fn wave_of(resource: &Value) -> i64 {
    resource["syncWave"].as_i64().unwrap_or_default()
}

fn style_of(sync: &str, health: &str) -> Style {
    match (sync, health) {
        (_, "Degraded" | "Missing") => Style::Red,
        (_, "Progressing" | "Suspended") | ("OutOfSync", _) => Style::Yellow,
        _ => Style::Green,
    }
}
