//! The certificates of a cluster, made anew for each: one CA, the API server's serving certificate,
//! the front proxy's client certificate, and the key that signs service-account tokens.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

use crate::error::{Context, Result};

/// A certificate authority that lives for one cluster or one test server.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate and its private key, both PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Authority {
    /// A new authority with this common name.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().context("generating a CA key")?;
        let issuer = CertifiedIssuer::self_signed(params, key).context("signing a CA")?;
        Ok(Self { issuer })
    }

    /// The authority's own certificate, PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a server (these DNS names and IP addresses) that is good for a client too.
    pub fn issue(&self, name: &str, addresses: &[&str]) -> Result<Identity> {
        let names: Vec<String> = addresses.iter().map(|&address| address.to_owned()).collect();
        let mut params = CertificateParams::new(names).context("certificate names")?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().context("generating a key")?;
        let certificate = params.signed_by(&key, &self.issuer).context("signing a certificate")?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// The files that the components of a control plane read.
#[derive(Clone, Debug)]
pub(super) struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// Names the files in `folder`; they exist once [`Pki::create`] has run for it.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Writes all certificates and keys for an API server on loopback and on this address.
    pub(super) fn create(folder: &Path, address: &str) -> Result<Self> {
        let pki = Self::at(folder);
        let authority = Authority::new("tiphys-xtask")?;
        write_private(&pki.ca(), &authority.certificate())?;
        let server_names = [
            address,
            "127.0.0.1",
            "10.96.0.1",
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
        ];
        pki.write("apiserver", &authority.issue("kube-apiserver", &server_names)?)?;
        pki.write("front-proxy", &authority.issue("front-proxy", &[])?)?;
        pki.write("metrics", &authority.issue("metrics", &["localhost", "metrics.kube-system.svc"])?)?;
        let signer = KeyPair::generate().context("generating a token key")?;
        write_private(&pki.key("service-account"), &signer.serialize_pem())?;
        write_private(&pki.public_key("service-account"), &signer.public_key_pem())?;
        Ok(pki)
    }

    fn write(&self, name: &str, identity: &Identity) -> Result<()> {
        write_private(&self.certificate(name), &identity.certificate)?;
        write_private(&self.key(name), &identity.key)
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    pub(super) fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.crt"))
    }

    pub(super) fn public_key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub"))
    }

    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(path.display())?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).context(path.display())
}
