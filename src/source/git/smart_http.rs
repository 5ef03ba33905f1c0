//! git-upload-pack over HTTP and HTTPS.

use std::io::Read;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, Method};
use tokio::runtime::Handle;

use super::session::Wire;
use crate::source::budget::{BlockingReader, Budget};
use crate::source::error::{SourceError, one_line};
use crate::source::http::{Answer, Call, HttpClient, Target, status_error};
use crate::source::repository::Access;

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
const REQUEST: &str = "application/x-git-upload-pack-request";
const RESULT: &str = "application/x-git-upload-pack-result";
const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

/// A repository behind HTTP. Each request is a POST to the server that answered the first GET, after its redirects.
pub(crate) struct SmartHttp {
    access: Access,
    url: String,
    client: HttpClient,
    service: Target,
    reader: Box<dyn Read + Send>,
    budget: Budget,
    runtime: Handle,
}

impl SmartHttp {
    /// Asks for the greeting.
    pub(crate) fn open(access: &Access, budget: &Budget, runtime: &Handle) -> Result<Self, SourceError> {
        let mut client = HttpClient::new(access, budget)?;
        let target = Target::below(&access.url, "/info/refs?service=git-upload-pack");
        let call = Call::get(target).header(GIT_PROTOCOL, "version=2").header(ACCEPT, "*/*");
        let answer = runtime.block_on(client.send(call))?;
        expect(access, &answer, ADVERTISEMENT)?;
        let service = service_of(&answer.target).ok_or_else(|| SourceError::RedirectRefused {
            url: access.url.to_string(),
            reason: format!("it leads to {}, which is no repository", answer.target.shown()),
        })?;
        let reader = reader(answer, budget, runtime);
        Ok(Self {
            access: access.clone(),
            url: access.url.to_string(),
            client,
            service,
            reader,
            budget: budget.clone(),
            runtime: runtime.clone(),
        })
    }
}

impl Wire for SmartHttp {
    fn reader(&mut self) -> &mut (dyn Read + Send) {
        self.reader.as_mut()
    }

    fn send(&mut self, request: Vec<u8>) -> Result<(), SourceError> {
        if request == b"0000" {
            // Nothing is open on the server between two requests.
            return Ok(());
        }
        let call = Call { method: Method::POST, body: request.into(), ..Call::get(self.service.clone()) };
        let call =
            call.header(CONTENT_TYPE, REQUEST).header(ACCEPT, RESULT).header(GIT_PROTOCOL, "version=2");
        let answer = self.runtime.block_on(self.client.send(call))?;
        expect(&self.access, &answer, RESULT)?;
        self.reader = reader(answer, &self.budget, &self.runtime);
        Ok(())
    }

    fn url(&self) -> &str {
        &self.url
    }
}

fn reader(answer: Answer, budget: &Budget, runtime: &Handle) -> Box<dyn Read + Send> {
    let stream = BlockingReader {
        runtime: runtime.clone(),
        budget: budget.clone(),
        doing: "reading its answer",
        stream: Box::pin(answer.body),
    };
    // Packets are read by four bytes of length first.
    Box::new(std::io::BufReader::with_capacity(64 << 10, stream))
}

fn service_of(answered: &Target) -> Option<Target> {
    let path = answered.path.split('?').next()?.strip_suffix("/info/refs")?;
    Some(Target { path: format!("{path}/git-upload-pack"), ..answered.clone() })
}

fn expect(access: &Access, answer: &Answer, content_type: &str) -> Result<(), SourceError> {
    if let Some(error) = status_error(access, answer) {
        return Err(error);
    }
    let found = answer.header(CONTENT_TYPE);
    if found.split(';').next().map(str::trim) == Some(content_type) {
        return Ok(());
    }
    let reason = format!("no Git repository answers there, but {:?} (a login page?)", one_line(found));
    Err(SourceError::BadAnswer { url: access.url.to_string(), reason })
}
