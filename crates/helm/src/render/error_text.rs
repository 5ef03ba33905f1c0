//! Helm's words for errors of the template engine.

use gotemplate::{Error, ErrorKind};

use super::functions::{MESSAGE_END, MESSAGE_START};

/// An error while the template `file` was parsed: where, and the innermost message.
pub(super) fn parse_error(file: &str, error: &Error) -> String {
    let text = error.message();
    let mut parts = text.split(": ");
    let (_, Some(location)) = (parts.next(), parts.next()) else {
        return format!("parse error in ({file}): {text}");
    };
    let message = text.rsplit(": ").next().unwrap_or_default();
    format!("parse error at ({location}): {message}")
}

/// An error while the template `file` was executed: a trace of places, or only the message of `fail` and `required`.
pub(super) fn exec_error(file: &str, error: &Error) -> String {
    let text = error.message();
    if !error.is(ErrorKind::Exec) {
        return text.to_owned();
    }
    let mut parts = text.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return format!("execution error in ({file}): {text}");
    };
    if let Some(message) = between(rest, MESSAGE_START, MESSAGE_END) {
        return format!("execution error at ({location}): {message}");
    }
    let mut places: Vec<Place> = Vec::new();
    for error in error.chain() {
        match Place::read(error.message()) {
            Some(place) if places.last() == Some(&place) => {}
            Some(place) => places.push(place),
            None => return text.to_owned(),
        }
    }
    let trace: String = places.iter().map(Place::lines).collect();
    trace.trim().to_owned()
}

/// From the first `start` to the last `end`.
fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let rest = &text[text.find(start)? + start.len()..];
    rest.rfind(end).map(|at| &rest[..at])
}

/// One step of the trace.
#[derive(PartialEq)]
struct Place {
    location: String,
    executing: String,
    message: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Place {
                location: String::new(),
                executing: String::new(),
                message: text.to_owned(),
            });
        }
        Place::executing(rest).or_else(|| Place::simple(rest))
    }

    /// `NAME: executing "FUNCTION" at <CODE>: MESSAGE`
    fn executing(text: &str) -> Option<Self> {
        let (location, after) = text.split_once(": executing ")?;
        let (function, after) = after.strip_prefix('"')?.split_once('"')?;
        let (code, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Place {
            location: location.to_owned(),
            executing: format!("executing \"{function}\" at <{code}>:"),
            message: without_next(message),
        })
    }

    /// `NAME: MESSAGE`
    fn simple(text: &str) -> Option<Self> {
        let (location, message) = text.rsplit_once(": ")?;
        Some(Place {
            location: location.to_owned(),
            executing: String::new(),
            message: without_next(message),
        })
    }

    fn lines(&self) -> String {
        let mut lines = String::new();
        for (text, indent) in [(&self.location, "\n  "), (&self.executing, "\n    "), (&self.message, "\n")] {
            if !text.is_empty() {
                lines.push_str(text);
                lines.push_str(indent);
            }
        }
        lines
    }
}

/// The message up to the error that it wraps, which has a place of its own.
fn without_next(message: &str) -> String {
    message.split(" template:").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_errors() {
        let error = Error::of(ErrorKind::Parse, "template: c/templates/a.yaml:3: function \"x\" not defined");
        let want = "parse error at (c/templates/a.yaml:3): function \"x\" not defined";
        assert_eq!(parse_error("c/templates/a.yaml", &error), want);
    }

    #[test]
    fn messages_of_fail() {
        let text = "template: a.yaml:1:3: executing \"a.yaml\" at <fail \"x\">: error calling fail: HELM_ERR_STARTno: wayHELM_ERR_END";
        let error = Error::of(ErrorKind::Exec, text);
        assert_eq!(exec_error("a.yaml", &error), "execution error at (a.yaml:1:3): no: way");
    }

    #[test]
    fn traces() {
        let inner = Error::of(
            ErrorKind::Exec,
            "template: h.tpl:2:4: executing \"h\" at <.a.b>: nil pointer evaluating interface {}.b",
        );
        let middle = Error::wrap("error calling include: ", inner.clone());
        let outer = Error::wrap("template: a.yaml:1:3: executing \"a.yaml\" at <include \"h\" .>: ", middle);
        // The error of a function call wraps the function's own error directly.
        assert!(exec_error("a.yaml", &outer).contains("error calling include"));
        assert_eq!(
            exec_error("h.tpl", &inner),
            "h.tpl:2:4\n  executing \"h\" at <.a.b>:\n    nil pointer evaluating interface {}.b"
        );
    }
}
