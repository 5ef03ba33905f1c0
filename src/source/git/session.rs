//! The client side of git-upload-pack: list references, fetch objects. Protocol version 2, and versions 0 and 1 for
//! servers that do not speak it.
//!
//! libgit2's own client is not used: its transports can be replaced through an unsafe call only, share TLS settings
//! between all repositories of the process, and speak neither version 2 nor filters. What is left of the protocol
//! is small, since a mirror never negotiates: it knows which commits it has in full, and says so once.

use std::io::{Read, Write};

use super::pkt_line::{Packet, PacketReader, put, put_delimiter, put_flush, remote_error, text_line};
use super::refs::{RefList, RemoteRef};
use crate::source::error::SourceError;

/// References that a server may list.
const MAX_REFS: usize = 2_000_000;
/// Lines of capabilities and other small print.
const MAX_LINES: usize = 10_000;
const AGENT: &str = concat!("agent=tiphys/", env!("CARGO_PKG_VERSION"));

/// A connection to git-upload-pack, over HTTP, SSH or TCP. Errors of reads travel inside `io::Error`.
pub(crate) trait Wire: Send {
    /// What the server says: first its greeting, then the answer to each request.
    fn reader(&mut self) -> &mut (dyn Read + Send);

    /// Sends one whole request. Over HTTP, the reader is then at the start of its answer.
    ///
    /// # Errors
    /// No connection, a status that is no success, the budget's end.
    fn send(&mut self, request: Vec<u8>) -> Result<(), SourceError>;

    /// The repository, for errors.
    fn url(&self) -> &str;
}

/// What is wanted from a fetch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Want {
    /// Objects, in hex.
    pub(crate) objects: Vec<String>,
    /// Commits that are here with all their files.
    pub(crate) haves: Vec<String>,
    /// Commits whose parents are not here.
    pub(crate) shallow: Vec<String>,
    /// How many commits of history; all if none.
    pub(crate) depth: Option<u32>,
    /// Leave out objects, such as `tree:0`; used only where the server can.
    pub(crate) filter: Option<&'static str>,
}

/// How a fetch changed where the history is cut.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    pub(crate) shallow: Vec<String>,
    pub(crate) unshallow: Vec<String>,
}

enum Greeting {
    /// Version 2: capabilities, `name=values` a line.
    Two(Vec<String>),
    /// Versions 0 and 1: capabilities of the first line, and every reference.
    Zero(Vec<String>, RefList),
}

/// A greeted server.
pub(crate) struct Session<'w> {
    wire: &'w mut dyn Wire,
    url: String,
    greeting: Greeting,
}

impl<'w> Session<'w> {
    /// Reads the greeting.
    pub(crate) fn open(wire: &'w mut dyn Wire) -> Result<Self, SourceError> {
        let url = wire.url().to_owned();
        let mut reader = PacketReader::new(wire.reader(), &url);
        let mut first = reader.line_or_flush()?;
        // Over HTTP, a line that names the service and a flush come first.
        if first.as_deref().is_some_and(|line| line.starts_with("# service=")) {
            let _ = reader.line_or_flush()?;
            first = reader.line_or_flush()?;
        }
        let greeting = match first.as_deref() {
            Some("version 2") => Greeting::Two(read_lines(&mut reader)?),
            Some("version 1") => {
                let first = reader.line_or_flush()?;
                read_version_0(&mut reader, first)?
            }
            _ => read_version_0(&mut reader, first)?,
        };
        let session = Self { wire, url, greeting };
        match session.capability("object-format") {
            Some(format) if format != "sha1" => Err(SourceError::BadAnswer {
                url: session.url.clone(),
                reason: format!("the repository uses object format {format}; only sha1 is supported"),
            }),
            _ => Ok(session),
        }
    }

    fn capability(&self, name: &str) -> Option<&str> {
        let (Greeting::Two(list) | Greeting::Zero(list, _)) = &self.greeting;
        list.iter().find_map(|line| {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            (key == name).then_some(value)
        })
    }

    fn can_filter(&self) -> bool {
        match &self.greeting {
            Greeting::Two(_) => {
                self.capability("fetch").is_some_and(|can| can.split(' ').any(|c| c == "filter"))
            }
            Greeting::Zero(..) => self.capability("filter").is_some(),
        }
    }

    /// The references whose names start with one of the prefixes. A server of version 0 lists all of them.
    pub(crate) fn list_refs(&mut self, prefixes: &[&str]) -> Result<RefList, SourceError> {
        if let Greeting::Zero(_, refs) = &self.greeting {
            return Ok(refs.clone());
        }
        let mut request = Vec::new();
        put(&mut request, "command=ls-refs\n");
        put(&mut request, &format!("{AGENT}\n"));
        put_delimiter(&mut request);
        put(&mut request, "peel\n");
        put(&mut request, "symrefs\n");
        for prefix in prefixes {
            put(&mut request, &format!("ref-prefix {prefix}\n"));
        }
        put_flush(&mut request);
        self.wire.send(request)?;
        let mut reader = PacketReader::new(self.wire.reader(), &self.url);
        let mut list = RefList::default();
        while let Some(line) = reader.line()? {
            let (name, reference) =
                parse_ref(&line).ok_or_else(|| reader.bad("a reference cannot be read"))?;
            // `unborn HEAD` names no object.
            if let Some(reference) = reference {
                list.refs.insert(name, reference);
            }
            if list.refs.len() > MAX_REFS {
                return Err(reader.bad("it lists too many references"));
            }
        }
        Ok(list)
    }

    /// Fetches objects as one pack into `pack`. Nothing is written where the server sends no pack.
    pub(crate) fn fetch(&mut self, want: &Want, pack: &mut dyn Write) -> Result<Cuts, SourceError> {
        let filter = want.filter.filter(|_| self.can_filter());
        match &self.greeting {
            Greeting::Two(_) => {
                let request = request_version_2(want, filter);
                self.wire.send(request)?;
                self.answer_version_2(pack)
            }
            Greeting::Zero(capabilities, _) => {
                let bad = || SourceError::BadAnswer {
                    url: self.url.clone(),
                    reason: "the server is too old: it lacks side-band-64k".to_owned(),
                };
                let request = request_version_0(want, filter, capabilities).ok_or_else(bad)?;
                self.wire.send(request)?;
                self.answer_version_0(want.depth.is_some(), pack)
            }
        }
    }

    /// Tells a server behind SSH or TCP that nothing more is wanted, so that it does not log a broken client.
    pub(crate) fn close(self) {
        let _ = self.wire.send(b"0000".to_vec());
    }

    fn answer_version_2(&mut self, pack: &mut dyn Write) -> Result<Cuts, SourceError> {
        let mut reader = PacketReader::new(self.wire.reader(), &self.url);
        let mut cuts = Cuts::default();
        loop {
            match reader.line()?.as_deref() {
                Some("shallow-info") => read_cuts(&mut reader, &mut cuts)?,
                Some("packfile") => {
                    read_pack(&mut reader, &self.url, None, pack)?;
                    return Ok(cuts);
                }
                // Sections that were not asked for are passed over.
                Some(_) => while reader.line()?.is_some() {},
                None => return Err(reader.bad("it sent no pack")),
            }
        }
    }

    fn answer_version_0(&mut self, shallow: bool, pack: &mut dyn Write) -> Result<Cuts, SourceError> {
        let mut reader = PacketReader::new(self.wire.reader(), &self.url);
        let mut cuts = Cuts::default();
        if shallow {
            read_cuts(&mut reader, &mut cuts)?;
        }
        for _ in 0..MAX_LINES {
            let Packet::Data(data) = reader.next()? else { continue };
            if !data.starts_with(b"ACK ") && !data.starts_with(b"NAK") {
                read_pack(&mut reader, &self.url, Some(data), pack)?;
                return Ok(cuts);
            }
        }
        Err(reader.bad("it sent no pack"))
    }
}

fn read_lines(reader: &mut PacketReader<'_>) -> Result<Vec<String>, SourceError> {
    let mut lines = Vec::new();
    while let Some(line) = reader.line_or_flush()? {
        lines.push(line);
        if lines.len() > MAX_LINES {
            return Err(reader.bad("its greeting is too long"));
        }
    }
    Ok(lines)
}

fn read_version_0(reader: &mut PacketReader<'_>, first: Option<String>) -> Result<Greeting, SourceError> {
    let mut list = RefList::default();
    let mut capabilities: Vec<String> = Vec::new();
    let mut next = first;
    while let Some(line) = next {
        let (line, rest) = line.split_once('\0').unwrap_or((&line, ""));
        capabilities.extend(rest.split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
        match line.split_once(' ') {
            Some(("shallow", _)) => {}
            Some((id, name)) if is_id(id) => add_ref(&mut list, id, name),
            _ => return Err(reader.bad("a reference cannot be read")),
        }
        if list.refs.len() > MAX_REFS {
            return Err(reader.bad("it lists too many references"));
        }
        next = reader.line_or_flush()?;
    }
    for capability in &capabilities {
        if let Some((name, target)) = capability.strip_prefix("symref=").and_then(|rest| rest.split_once(':'))
            && let Some(reference) = list.refs.get_mut(name)
        {
            reference.symbolic = Some(target.to_owned());
        }
    }
    Ok(Greeting::Zero(capabilities, list))
}

fn add_ref(list: &mut RefList, id: &str, name: &str) {
    if let Some(tag) = name.strip_suffix("^{}") {
        if let Some(reference) = list.refs.get_mut(tag) {
            reference.peeled = Some(id.to_owned());
        }
    } else if id.bytes().any(|byte| byte != b'0') {
        // The null id stands for "no references, only capabilities".
        let reference = RemoteRef { object: id.to_owned(), peeled: None, symbolic: None };
        list.refs.insert(name.to_owned(), reference);
    }
}

/// `<id> <name> [symref-target:<name>] [peeled:<id>]`.
fn parse_ref(line: &str) -> Option<(String, Option<RemoteRef>)> {
    let mut words = line.split(' ');
    let (id, name) = (words.next()?, words.next()?);
    let mut reference = RemoteRef { object: id.to_owned(), peeled: None, symbolic: None };
    for word in words {
        if let Some(target) = word.strip_prefix("symref-target:") {
            reference.symbolic = Some(target.to_owned());
        } else if let Some(peeled) = word.strip_prefix("peeled:").filter(|peeled| is_id(peeled)) {
            reference.peeled = Some(peeled.to_owned());
        }
    }
    match id {
        "unborn" => Some((name.to_owned(), None)),
        id => is_id(id).then(|| (name.to_owned(), Some(reference))),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn request_version_2(want: &Want, filter: Option<&str>) -> Vec<u8> {
    let mut request = Vec::new();
    put(&mut request, "command=fetch\n");
    put(&mut request, &format!("{AGENT}\n"));
    put_delimiter(&mut request);
    for line in ["thin-pack\n", "ofs-delta\n", "no-progress\n"] {
        put(&mut request, line);
    }
    for id in &want.shallow {
        put(&mut request, &format!("shallow {id}\n"));
    }
    if let Some(depth) = want.depth {
        put(&mut request, &format!("deepen {depth}\n"));
    }
    if let Some(filter) = filter {
        put(&mut request, &format!("filter {filter}\n"));
    }
    for id in &want.objects {
        put(&mut request, &format!("want {id}\n"));
    }
    for id in &want.haves {
        put(&mut request, &format!("have {id}\n"));
    }
    put(&mut request, "done\n");
    put_flush(&mut request);
    request
}

/// None where the server lacks what is needed.
fn request_version_0(want: &Want, filter: Option<&str>, capabilities: &[String]) -> Option<Vec<u8>> {
    let can = |name: &str| capabilities.iter().any(|capability| capability == name);
    if !can("side-band-64k") {
        return None;
    }
    let mut asked = vec!["side-band-64k", AGENT];
    // Some servers refuse clients without multi_ack; its acknowledgements are passed over.
    let known = ["multi_ack_detailed", "thin-pack", "ofs-delta", "no-progress", "shallow", "filter"];
    asked.extend(known.into_iter().filter(|name| can(name)));
    let mut request = Vec::new();
    for (count, id) in want.objects.iter().enumerate() {
        let words = if count == 0 { format!(" {}", asked.join(" ")) } else { String::new() };
        put(&mut request, &format!("want {id}{words}\n"));
    }
    for id in &want.shallow {
        put(&mut request, &format!("shallow {id}\n"));
    }
    if let Some(depth) = want.depth {
        put(&mut request, &format!("deepen {depth}\n"));
    }
    if let Some(filter) = filter {
        put(&mut request, &format!("filter {filter}\n"));
    }
    put_flush(&mut request);
    for id in &want.haves {
        put(&mut request, &format!("have {id}\n"));
    }
    put(&mut request, "done\n");
    Some(request)
}

fn read_cuts(reader: &mut PacketReader<'_>, cuts: &mut Cuts) -> Result<(), SourceError> {
    while let Some(line) = reader.line()? {
        match line.split_once(' ') {
            Some(("shallow", id)) if is_id(id) => cuts.shallow.push(id.to_owned()),
            Some(("unshallow", id)) if is_id(id) => cuts.unshallow.push(id.to_owned()),
            _ => return Err(reader.bad("its list of shallow commits cannot be read")),
        }
        if cuts.shallow.len() + cuts.unshallow.len() > MAX_REFS {
            return Err(reader.bad("it lists too many shallow commits"));
        }
    }
    Ok(())
}

/// Reads packets of band 1 (pack), 2 (progress, ignored) and 3 (error) up to the flush.
fn read_pack(
    reader: &mut PacketReader<'_>,
    url: &str,
    first: Option<Vec<u8>>,
    pack: &mut dyn Write,
) -> Result<(), SourceError> {
    let mut packet = match first {
        Some(data) => Packet::Data(data),
        None => reader.next()?,
    };
    while let Packet::Data(data) = packet {
        match data.split_first() {
            Some((1, bytes)) => pack.write_all(bytes).map_err(|error| {
                SourceError::from_io(error, |reason| SourceError::Cache { url: url.to_owned(), reason })
            })?,
            Some((2, _)) | None => {}
            Some((3, message)) => return Err(remote_error(url, message)),
            Some(_) => {
                let said = text_line(data).unwrap_or_default();
                return Err(reader.bad(&format!("no pack but {:?}", crate::source::error::one_line(&said))));
            }
        }
        packet = reader.next()?;
    }
    Ok(())
}
