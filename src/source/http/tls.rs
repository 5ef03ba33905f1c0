//! TLS for one repository: its own authorities, its own client certificate, or no verification at all.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::source::error::SourceError;
use crate::source::repository::{Access, SecretText};

/// The TLS configuration of a repository.
///
/// # Errors
/// [`SourceError::InvalidAccess`] where a certificate or key cannot be read.
pub(crate) fn client_config(access: &Access) -> Result<Arc<ClientConfig>, SourceError> {
    let bad = |reason: String| SourceError::InvalidAccess { url: access.url.to_string(), reason };
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(access, &provider).map_err(bad)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let tls = &access.tls;
    let config = match (&tls.client_cert_pem, &tls.client_key_pem) {
        (None, None) => builder.with_no_client_auth(),
        (Some(chain), Some(key)) => {
            let (chain, key) = client_identity(chain, key).map_err(bad)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                bad(format!("the TLS client certificate and its key cannot be used: {error}"))
            })?
        }
        _ => return Err(bad("a TLS client certificate needs both its certificate and its key".to_owned())),
    };
    Ok(Arc::new(config))
}

fn client_identity(
    chain: &str,
    key: &SecretText,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = certificates(chain).ok_or("the TLS client certificate is not PEM")?;
    // The reason is left out: it could quote the key.
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| "the TLS client key is not an unencrypted key in PEM")?;
    Ok((chain, key))
}

fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().ok()?;
    (!found.is_empty()).then_some(found)
}

fn verifier(access: &Access, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if access.insecure {
        return Ok(Arc::new(AnyServer(provider.clone())));
    }
    let Some(pem) = &access.tls.ca_pem else { return system_verifier(provider) };
    let listed = certificates(pem).ok_or("the server certificates of this host are not PEM certificates")?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(listed.iter().cloned());
    if added == 0 {
        return Err("none of the server certificates of this host can be read".to_owned());
    }
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| format!("the server certificates of this host cannot be used: {error}"))?;
    Ok(Arc::new(ListedServers { inner, listed }))
}

/// The system's authorities are read once per process.
fn system_verifier(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    static SYSTEM: OnceLock<Result<Arc<dyn ServerCertVerifier>, String>> = OnceLock::new();
    let load = || match rustls_platform_verifier::Verifier::new(provider.clone()) {
        Ok(verifier) => Ok(Arc::new(verifier) as Arc<dyn ServerCertVerifier>),
        Err(error) => Err(format!("the system's certificate authorities cannot be read: {error}")),
    };
    SYSTEM.get_or_init(load).clone()
}

/// Trusts the listed authorities, and the listed certificates themselves: users paste a server's self-signed
/// certificate into argocd-tls-certs-cm, and OpenSSL and Go accept that.
#[derive(Debug)]
struct ListedServers {
    inner: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for ListedServers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let listed = self.listed.iter().any(|listed| listed.as_ref() == end_entity.as_ref());
        let (Err(_), true) = (&chain, listed) else { return chain };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_name(&certificate, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `insecure`: takes any certificate. The handshake's signatures are still checked.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
