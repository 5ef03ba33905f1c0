//! Ways into the readers of this folder for the property tests of the room.

use std::io::Read;

use russh::keys::PublicKey;

use super::session::{Session, Want, Wire};
use super::{known_hosts, object_store, submodules};
use crate::source::error::SourceError;

/// A server that says these bytes, whatever it is asked.
pub(crate) struct GreetedBy(pub(crate) Vec<u8>);

struct Canned {
    bytes: std::io::Cursor<Vec<u8>>,
}

impl Wire for Canned {
    fn reader(&mut self) -> &mut (dyn Read + Send) {
        &mut self.bytes
    }

    fn send(&mut self, _: Vec<u8>) -> Result<(), SourceError> {
        Ok(())
    }

    fn url(&self) -> &'static str {
        "canned"
    }
}

impl GreetedBy {
    /// Lists references, then fetches.
    pub(crate) fn ask(self) {
        let mut wire = Canned { bytes: std::io::Cursor::new(self.0) };
        let Ok(mut session) = Session::open(&mut wire) else { return };
        let _ = session.list_refs(&["refs/heads/"]);
        let mut pack = Vec::new();
        let want = Want { objects: vec!["a".repeat(40)], depth: Some(1), ..Want::default() };
        let _ = session.fetch(&want, &mut pack);
    }
}

pub(crate) fn object_tree(bytes: &[u8]) {
    let _ = object_store::parse_tree(bytes);
}

pub(crate) fn submodule_urls(text: &str) {
    let _ = submodules::parse(text);
}

pub(crate) fn known_host(text: &str) {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    let key = PublicKey::from_openssh(key).unwrap();
    let _ = known_hosts::verify(text, "git.example.com", 22, &key);
}
