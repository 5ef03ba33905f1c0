//! The render of the last healthy revision, kept where Git is not needed to read it: compressed chunks in Secrets that
//! the Application owns, so that they go with it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::sync::Arc;

use crate::api::{API_VERSION, Application, SourceType};
use crate::cluster::WatchedObject;
use crate::flow::Manifests;
use crate::object::{Manifest, str_at};

use super::Shared;
use super::render_cache::Rendering;

/// Bytes per Secret, well below the 1 MiB that etcd takes.
const CHUNK: usize = 700 << 10;
/// A larger render is not read: nobody but us writes these Secrets, and nobody has so much.
const LARGEST: u64 = 256 << 20;
const LABEL: &str = "tiphys.dev/render-of";
const DIGEST: &str = "tiphys.dev/render-digest";
const KEY: &str = "render";

#[derive(Serialize, Deserialize)]
struct Stored {
    source_type: SourceType,
    objects: Vec<Value>,
}

/// What went wrong with a stored render.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenderStoreError {
    /// The cluster refused or did not answer.
    #[error("{0}")]
    Cluster(#[from] kube::Error),
    /// A chunk is missing or was changed.
    #[error("the stored render is not complete: {0}")]
    Damaged(String),
    /// It cannot be written as JSON or compressed.
    #[error("{0}")]
    Form(String),
}

fn api(shared: &Shared, app: &Application) -> Api<WatchedObject> {
    let secrets = crate::cluster::resource("", "v1", "Secret", "secrets");
    Api::namespaced_with(shared.client.clone(), app.namespace(), &secrets)
}

fn owner(app: &Application) -> String {
    app.metadata.uid.clone().unwrap_or_default()
}

/// Name of the first chunks' Secrets: one stem per application and revision.
fn stem(app: &Application, revision: &str) -> String {
    let digest = Sha256::digest(format!("{}/{revision}", owner(app)));
    format!("tiphys-render-{}", hex(digest.get(..10).unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Stores the render of a revision, and drops those of other revisions.
///
/// # Errors
/// Where the Secrets cannot be written; the store before stays.
pub(super) async fn save(
    shared: &Shared,
    app: &Application,
    manifests: &Manifests,
) -> Result<(), RenderStoreError> {
    let bytes = compress(manifests)?;
    let digest = hex(&Sha256::digest(&bytes));
    let stem = stem(app, &manifests.revision);
    let api = api(shared, app);
    let params = PatchParams::apply("tiphys").force();
    let chunks: Vec<&[u8]> = bytes.chunks(CHUNK).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let name = format!("{stem}-{index}");
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "tiphys.dev/render",
            "metadata": {
                "name": name, "labels": {LABEL: owner(app)},
                "annotations": {DIGEST: digest, "tiphys.dev/render-chunks": chunks.len().to_string(),
                                "tiphys.dev/render-revision": manifests.revision},
                "ownerReferences": [{"apiVersion": API_VERSION, "kind": "Application", "name": app.name(),
                                     "uid": owner(app)}],
            },
            "data": {KEY: STANDARD.encode(chunk)},
        });
        api.patch(&name, &params, &Patch::Apply(&secret)).await?;
    }
    drop_others(&api, app, &stem).await?;
    Ok(())
}

/// Drops every stored render of an application.
///
/// # Errors
/// Where the Secrets cannot be listed or deleted.
pub(super) async fn forget(shared: &Shared, app: &Application) -> Result<(), RenderStoreError> {
    drop_others(&api(shared, app), app, "none").await
}

async fn drop_others(
    api: &Api<WatchedObject>,
    app: &Application,
    stem: &str,
) -> Result<(), RenderStoreError> {
    for secret in chunks_of(api, app).await? {
        if !secret.name().starts_with(stem) {
            api.delete(secret.name(), &DeleteParams::background()).await?;
        }
    }
    Ok(())
}

async fn chunks_of(api: &Api<WatchedObject>, app: &Application) -> Result<Vec<WatchedObject>, kube::Error> {
    let params = ListParams::default().labels(&format!("{LABEL}={}", owner(app)));
    Ok(api.list(&params).await?.items)
}

/// The stored render of a revision; nothing where none is stored.
///
/// # Errors
/// Where the Secrets cannot be read, or are not what was written.
pub(super) async fn load(
    shared: &Shared,
    app: &Application,
    revision: &str,
) -> Result<Option<Rendering>, RenderStoreError> {
    let stem = stem(app, revision);
    let mut chunks: Vec<(usize, WatchedObject)> = chunks_of(&api(shared, app), app)
        .await?
        .into_iter()
        .filter_map(|secret| {
            let index = secret.name().strip_prefix(&stem)?.strip_prefix('-')?.parse().ok()?;
            Some((index, secret))
        })
        .collect();
    chunks.sort_unstable_by_key(|(index, _)| *index);
    let Some((_, first)) = chunks.first() else { return Ok(None) };
    let digest = str_at(&first.body, &["metadata", "annotations", DIGEST]).unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    for (_, chunk) in &chunks {
        let text = str_at(&chunk.body, &["data", KEY]).unwrap_or_default();
        bytes.extend(STANDARD.decode(text).map_err(|error| RenderStoreError::Damaged(error.to_string()))?);
    }
    if hex(&Sha256::digest(&bytes)) != digest {
        return Err(RenderStoreError::Damaged("a chunk is missing or was changed".into()));
    }
    decompress(&bytes).map(Some)
}

fn compress(manifests: &Manifests) -> Result<Vec<u8>, RenderStoreError> {
    let stored = Stored {
        source_type: manifests.source_types.first().copied().unwrap_or(SourceType::Directory),
        objects: manifests.objects.iter().map(|object| object.body().clone()).collect(),
    };
    let text = serde_json::to_vec(&stored).map_err(|error| RenderStoreError::Form(error.to_string()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&text).map_err(|error| RenderStoreError::Form(error.to_string()))?;
    encoder.finish().map_err(|error| RenderStoreError::Form(error.to_string()))
}

fn decompress(bytes: &[u8]) -> Result<Rendering, RenderStoreError> {
    let mut text = Vec::new();
    let damaged = |error: &dyn std::fmt::Display| RenderStoreError::Damaged(error.to_string());
    GzDecoder::new(bytes).take(LARGEST).read_to_end(&mut text).map_err(|error| damaged(&error))?;
    let stored: Stored = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
    let objects = stored.objects.into_iter().map(|body| Manifest::new(body).map(Arc::new));
    Ok(Rendering {
        objects: objects.collect::<Result<_, _>>().map_err(|error| damaged(&error))?,
        source_type: stored.source_type,
        warnings: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back() {
        let body =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "dg=="}});
        let manifests = Manifests {
            objects: vec![Arc::new(Manifest::new(body.clone()).unwrap())],
            source_types: vec![SourceType::Directory],
            revision: "r".into(),
            revisions: Vec::new(),
            warnings: Vec::new(),
        };
        let bytes = compress(&manifests).unwrap();
        assert_eq!(decompress(&bytes).unwrap().objects[0].body(), &body);
        assert!(decompress(&bytes[..bytes.len() - 9]).is_err());
        assert!(decompress(b"nonsense").is_err());
    }
}
