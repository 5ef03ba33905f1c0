//! What renders need, fetched: the sources of an application, and whatever lies outside of them.
//!
//! Where it may be fetched from, and with which credentials, is the answer of a [`Repositories`]: the controller's own
//! Secrets and the application's project, or what the user of the command line has.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::ApplicationSource;
use crate::flow::{Cause, Problem, Revision, Stage, Tree};
use crate::render::{Given, Got, Need, Outcome, RenderContext, Rendered, render};
use crate::source::{Access, Auth, FileAnswer, Freshness, RepoUrl, Scheme, Sources};

/// Rounds of rendering and fetching: remote bases may name others.
const MOST_ROUNDS: usize = 24;
/// Things that one render may need from outside.
const MOST_NEEDS: usize = 100;
/// How long kustomize gives a clone by default is shorter than our own deadline; what it allows at most is this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How repositories are reached, and which may be used.
pub trait Repositories: Send + Sync {
    /// Credentials and trust for a URL.
    ///
    /// # Errors
    /// It is no URL that can be used.
    fn access(&self, url: &str) -> Result<Access, Problem>;

    /// Whether a URL may be used for a render.
    ///
    /// # Errors
    /// It may not; the message says what has to allow it.
    fn permit(&self, url: &str) -> Result<(), Problem>;

    /// The URL of a declared Helm repository, by its name.
    fn named(&self, name: &str) -> Option<String>;
}

/// A source whose revision is known.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// How it is reached.
    pub access: Access,
    /// Which revision is meant.
    pub revision: Revision,
}

/// Fetches for the sources of one application.
pub struct Fetching<'a> {
    sources: &'a Sources,
    repositories: &'a dyn Repositories,
    freshness: Freshness,
    started: Instant,
    asked: &'a [ApplicationSource],
    resolved: Vec<Resolved>,
    /// A failure that may pass; the render went on without what failed.
    passing: Mutex<Option<Problem>>,
}

impl<'a> Fetching<'a> {
    /// Fetches for these sources, each at the revision beside it.
    ///
    /// # Errors
    /// A revision that is not there, or a repository that does not answer.
    pub async fn new(
        sources: &'a Sources,
        repositories: &'a dyn Repositories,
        asked: &'a [ApplicationSource],
        revisions: &[String],
        freshness: Freshness,
    ) -> Result<Self, Problem> {
        let started = Instant::now();
        let passing = Mutex::new(None);
        let mut this =
            Self { sources, repositories, freshness, started, asked, resolved: Vec::new(), passing };
        for (index, source) in asked.iter().enumerate() {
            let revision = revisions.get(index).map_or(source.target_revision.as_str(), String::as_str);
            let resolved = this.resolve(source, revision).await;
            this.resolved.push(resolved.map_err(|problem| this.name(index, problem))?);
        }
        Ok(this)
    }

    /// The sources with their revisions.
    pub fn resolved(&self) -> &[Resolved] {
        &self.resolved
    }

    /// A problem of one of several sources, with the source's number.
    pub fn name(&self, index: usize, problem: Problem) -> Problem {
        if self.asked.len() < 2 {
            return problem;
        }
        let message = format!(
            "failed to generate manifest for source {} of {}: {}",
            index + 1,
            self.asked.len(),
            problem.message
        );
        Problem { message, ..problem }
    }

    /// What was listed since this began is fresh enough for all that follows.
    fn freshness(&self) -> Freshness {
        match self.freshness {
            Freshness::Now => Freshness::Within(self.started.elapsed()),
            within @ Freshness::Within(_) => within,
        }
    }

    async fn resolve(&self, source: &ApplicationSource, revision: &str) -> Result<Resolved, Problem> {
        let mut access = self.repositories.access(&source.repo_url)?;
        access.pass_credentials = source.helm.as_ref().is_some_and(|helm| helm.pass_credentials);
        let revision = if is_chart(source, &access) {
            self.sources.resolve_chart(&access, &source.chart, revision, self.freshness()).await?
        } else {
            self.sources.resolve(&access, revision, self.freshness()).await?
        };
        Ok(Resolved { access, revision })
    }

    /// The files of a source.
    ///
    /// # Errors
    /// Whatever keeps it from being fetched.
    pub async fn tree(&self, index: usize) -> Result<Tree, Problem> {
        let (Some(source), Some(resolved)) = (self.asked.get(index), self.resolved.get(index)) else {
            return Err(Problem::stalled(Stage::Source, Cause::Internal, "there is no such source"));
        };
        let Resolved { access, revision } = resolved;
        Ok(if is_chart(source, access) {
            self.sources.chart(access, &source.chart, revision).await?
        } else {
            self.sources.tree(access, revision).await?
        })
    }

    /// Renders a source, fetching what it needs. Gives what was fetched, with the record of what was used.
    ///
    /// # Errors
    /// What the renderer says; what may not be fetched or cannot.
    pub async fn render(
        &self,
        tree: &Tree,
        source: &ApplicationSource,
        context: &RenderContext,
        mut given: Given,
    ) -> Result<(Rendered, Given), Problem> {
        let mut fetched = 0;
        for _ in 0..MOST_ROUNDS {
            let used = given.recording();
            let outcome = on_thread(tree, source, context, &used).await;
            let needs = match outcome {
                Ok(Outcome::Done(rendered)) => return Ok((rendered, used)),
                Ok(Outcome::Needs(needs)) => needs,
                Err(problem) => {
                    let passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return Err(passing.unwrap_or(problem));
                }
            };
            fetched += needs.len();
            if fetched > MOST_NEEDS {
                return Err(too_many(format!("it needs more than {MOST_NEEDS} remote references")));
            }
            for need in needs {
                if given.peek(&need).is_none() {
                    let got = self.get(&need).await?;
                    given.insert(need, got);
                }
            }
        }
        Err(too_many(format!("remote references lead to others more than {MOST_ROUNDS} times")))
    }

    /// Fetches what a render needs.
    ///
    /// # Errors
    /// It may not be fetched, or cannot.
    pub async fn get(&self, need: &Need) -> Result<Got, Problem> {
        match need {
            Need::Source(reference) => self.source(reference).await,
            Need::Repository { url, revision, submodules, timeout } => {
                let got = self.repository(url, revision, *submodules);
                let wait = timeout.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
                tokio::time::timeout(wait, got).await.map_err(|_| {
                    let shown = crate::flow::printable_url(url);
                    let message = format!("{shown} was not fetched within {} s", wait.as_secs_f64());
                    Problem::retry(Stage::Source, Cause::RepositoryUnreachable, message)
                })?
            }
            Need::File { url, repository } => {
                self.repositories.permit(url).or_else(|problem| match repository {
                    Some(repository) => self.repositories.permit(repository).map_err(|_| problem),
                    None => Err(problem),
                })?;
                // The URL may be that of a repository that does not serve files: the render says what to do without.
                Ok(self.file(url).await.unwrap_or_else(|problem| {
                    let why = problem.message.clone();
                    *self.passing.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
                    Got::Refused(why)
                }))
            }
            Need::ValueFile(url) => self.file(url).await,
            Need::Chart { repository, name, version, pass_credentials } => {
                self.chart(repository, name, version, *pass_credentials).await
            }
        }
    }

    async fn source(&self, reference: &str) -> Result<Got, Problem> {
        let index = self.asked.iter().position(|source| source.reference == reference);
        match index {
            Some(index) => self.tree(index).await.map(Got::Tree),
            None => Ok(Got::Refused(format!("no source has the ref \"{reference}\""))),
        }
    }

    async fn repository(&self, url: &str, revision: &str, submodules: bool) -> Result<Got, Problem> {
        self.repositories.permit(url)?;
        let mut access = self.repositories.access(url)?;
        let is_local = |access: &Access| access.url.scheme() == Scheme::File;
        let from_local = self.resolved.is_empty() || self.resolved.iter().any(|one| is_local(&one.access));
        if is_local(&access) && !from_local {
            let message = format!("{}: a remote repository may not name a local one as its base", access.url);
            return Err(Problem::stalled(Stage::Source, Cause::NotPermitted, message));
        }
        access.submodules = submodules;
        let revision = self.sources.resolve(&access, revision, self.freshness()).await?;
        Ok(Got::Tree(self.sources.tree(&access, &revision).await?))
    }

    async fn file(&self, url: &str) -> Result<Got, Problem> {
        let address = url.split(['?', '#']).next().unwrap_or_default();
        let mut access = self.repositories.access(address)?;
        // Whoever writes a URL into a repository does not get to choose where credentials go.
        access.auth = Auth::Anonymous;
        access.url = RepoUrl::parse(address)?.without_login();
        Ok(match self.sources.file(&access, url, self.freshness()).await? {
            FileAnswer::Found(content) => Got::File(content),
            FileAnswer::Missing(why) => Got::Absent(why),
        })
    }

    async fn chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        pass_credentials: bool,
    ) -> Result<Got, Problem> {
        let alias = repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:"));
        let url = match alias {
            None => repository.to_owned(),
            Some(alias) => match self.repositories.named(alias) {
                Some(url) => url,
                None => {
                    return Ok(Got::Refused(format!(
                        "no repository definition for {repository}: add a repository Secret with name {alias}"
                    )));
                }
            },
        };
        self.repositories.permit(&url)?;
        let mut access = self.repositories.access(&url)?;
        access.pass_credentials = pass_credentials;
        let revision = self.sources.resolve_chart(&access, name, version, self.freshness()).await?;
        Ok(Got::Tree(self.sources.chart(&access, name, &revision).await?))
    }
}

/// Whether a source is taken from a chart repository or a registry rather than from Git.
fn is_chart(source: &ApplicationSource, access: &Access) -> bool {
    !source.chart.is_empty() || access.url.scheme() == Scheme::Oci
}

fn too_many(message: String) -> Problem {
    Problem::stalled(Stage::Render, Cause::RenderFailed, message)
}

async fn on_thread(
    tree: &Tree,
    source: &ApplicationSource,
    context: &RenderContext,
    given: &Given,
) -> Result<Outcome, Problem> {
    let (tree, source, given) = (tree.clone(), source.clone(), given.clone());
    let context = context.clone();
    let work = tokio::task::spawn_blocking(move || render(&tree, &source, &context, &given));
    work.await.map_err(|_| {
        Problem::stalled(
            Stage::Render,
            Cause::Internal,
            "the renderer failed; this is a defect of Tiphys, please report it",
        )
    })?
}
