//! X.509 certificates as sprig makes them: a common name, addresses and names, and TLS for server and client.

use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rsa::pkcs1v15;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::SubjectPublicKeyInfo;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use x509_cert::time::Validity;

use super::super::encodings::base64_decode;
use super::keys::Key;
use super::{pem, random};
use crate::error::Error;
use crate::func::args;
use crate::value::{Object, Str, Value};

/// Go's name of the type.
pub(super) const TYPE: &str = "sprig.certificate";

/// A certificate with its key, both as PEM.
#[derive(Debug)]
pub(super) struct Pair {
    cert: Str,
    key: Str,
}

impl Object for Pair {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TYPE)
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Cert", Value::String(self.cert.clone())), ("Key", Value::String(self.key.clone()))]
    }

    fn equal(&self, other: &dyn Object) -> Option<bool> {
        let other = other.as_any().downcast_ref::<Pair>();
        Some(other.is_some_and(|o| self.cert == o.cert && self.key == o.key))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `buildCustomCert`: a pair that exists, from base64.
pub(super) fn custom(cert: &Str, key: &Str) -> Result<Value, Error> {
    let decode = |text: &Str, what: &str| {
        base64_decode(text.as_bytes()).map_err(|_| Error::new(format!("unable to decode base64 {what}")))
    };
    let (cert, key) = (decode(cert, "certificate")?, decode(key, "private key")?);
    parse_certificate(&cert, "decodedCert")?;
    Key::from_pem(&key).map_err(|e| Error::new(format!("error parsing private key: {e}")))?;
    Ok(Value::object(Pair { cert: cert.into(), key: key.into() }))
}

fn parse_certificate(text: &[u8], name: &str) -> Result<Certificate, Error> {
    let block = pem::decode(text).ok_or_else(|| Error::new("unable to decode certificate"))?;
    Certificate::from_der(&block.der)
        .map_err(|e| Error::new(format!("error parsing certificate: {name}.Bytes: {e}")))
}

/// Who signs.
pub(super) enum Signer {
    /// The certificate's own key.
    Own,
    /// Another certificate.
    Authority { subject: Name, key_id: Option<OctetString>, key: Box<Key> },
}

impl Signer {
    /// The authority that a template passes.
    pub(super) fn authority(value: &Value) -> Result<Signer, Error> {
        let pair = value.downcast::<Pair>().ok_or_else(|| Error::new("unable to decode certificate"))?;
        let cert = parse_certificate(pair.cert.as_bytes(), "decodedSignerCert")?;
        let key = Key::from_pem(pair.key.as_bytes())
            .map_err(|e| Error::new(format!("error parsing private key: {e}")))?;
        let tbs = cert.tbs_certificate();
        let key_id = tbs.get_extension::<SubjectKeyIdentifier>().ok().flatten().map(|(_, id)| id.0);
        Ok(Signer::Authority { subject: tbs.subject().clone(), key_id, key: Box::new(key) })
    }
}

/// What a certificate is asked to say.
pub(super) struct Request {
    name: String,
    days: i64,
    alternatives: Vec<GeneralName>,
    is_authority: bool,
}

impl Request {
    /// From the arguments `NAME DAYS`.
    pub(super) fn authority(a: &[Value]) -> Result<Request, Error> {
        let name = args::string(a, 0)?.to_text().into_owned();
        Ok(Request { name, days: args::int(a, 1)?, alternatives: Vec::new(), is_authority: true })
    }

    /// From the arguments `NAME IPS NAMES DAYS`.
    pub(super) fn leaf(a: &[Value]) -> Result<Request, Error> {
        let items =
            |index: usize| a.get(index).and_then(Value::as_list).map(|l| l.to_vec()).unwrap_or_default();
        // Addresses are checked first, but stand last in the certificate.
        let mut addresses = Vec::new();
        for ip in items(1) {
            let text = ip.as_str().ok_or_else(|| not_a_string("error parsing ip", &ip))?.to_text();
            let address: IpAddr =
                text.parse().map_err(|_| Error::new(format!("error parsing ip: {text}")))?;
            addresses.push(GeneralName::from(address));
        }
        let mut alternatives = Vec::new();
        for dns in items(2) {
            let text =
                dns.as_str().ok_or_else(|| not_a_string("error processing alternate dns name", &dns))?;
            let name = Ia5String::new(text.as_bytes()).map_err(|_| {
                let shown = crate::strconv::quote(text.as_bytes());
                creating(format!("x509: {shown} cannot be encoded as an IA5String"))
            })?;
            alternatives.push(GeneralName::DnsName(name));
        }
        alternatives.append(&mut addresses);
        let name = args::string(a, 0)?.to_text().into_owned();
        Ok(Request { name, days: args::int(a, 3)?, alternatives, is_authority: false })
    }

    /// The certificate for `key`, and the key.
    pub(super) fn issue(self, key: Key, signer: &Signer) -> Result<Value, Error> {
        let public = key.public().map_err(creating)?;
        let subject = common_name(&self.name).map_err(creating)?;
        let issuer = match signer {
            Signer::Own => subject.clone(),
            Signer::Authority { subject, .. } => subject.clone(),
        };
        let extensions = self.extensions(&public, &subject, &issuer, signer).map_err(creating)?;
        let profile = Profile { subject, issuer, extensions };
        let validity = validity(self.days).map_err(creating)?;
        let builder = CertificateBuilder::new(profile, serial()?, validity, public).map_err(creating)?;
        let signing_key = match signer {
            Signer::Own => &key,
            Signer::Authority { key, .. } => key,
        };
        let certificate = match signing_key {
            Key::Rsa(k) => {
                let signer = pkcs1v15::SigningKey::<Sha256>::new(k.as_ref().clone());
                builder.build::<_, pkcs1v15::Signature>(&signer)
            }
            Key::P256(k) => builder.build::<_, p256::ecdsa::DerSignature>(&p256::ecdsa::SigningKey::from(k)),
            Key::Ed25519(k) => builder.build::<_, ed25519_dalek::Signature>(k.as_ref()),
        };
        let der = certificate.map_err(creating)?.to_der().map_err(creating)?;
        Ok(Value::object(Pair { cert: pem::encode("CERTIFICATE", &der).into(), key: key.to_pem()?.into() }))
    }

    /// The extensions in Go's order.
    fn extensions(
        &self,
        public: &SubjectPublicKeyInfo,
        subject: &Name,
        issuer: &Name,
        signer: &Signer,
    ) -> Result<Vec<Extension>, x509_cert::der::Error> {
        let mut usages: FlagSet<KeyUsages> = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
        if self.is_authority {
            usages |= KeyUsages::KeyCertSign;
        }
        let tls = ExtendedKeyUsage(vec![SERVER_AUTH, CLIENT_AUTH]);
        let constraints = BasicConstraints { ca: self.is_authority, path_len_constraint: None };
        let mut all = vec![
            KeyUsage(usages).to_extension(subject, &[])?,
            tls.to_extension(subject, &[])?,
            constraints.to_extension(subject, &[])?,
        ];
        if self.is_authority {
            let digest = Sha256::digest(public.subject_public_key.raw_bytes());
            let id = OctetString::new(digest.get(..20).unwrap_or(&digest))?;
            all.push(SubjectKeyIdentifier(id).to_extension(subject, &[])?);
        }
        if let Signer::Authority { key_id: Some(id), .. } = signer
            && issuer != subject
        {
            let id = AuthorityKeyIdentifier { key_identifier: Some(id.clone()), ..Default::default() };
            all.push(id.to_extension(subject, &[])?);
        }
        if !self.alternatives.is_empty() {
            all.push(SubjectAltName(self.alternatives.clone()).to_extension(subject, &[])?);
        }
        Ok(all)
    }
}

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

fn creating(e: impl std::fmt::Display) -> Error {
    Error::new(format!("error creating certificate: {e}"))
}

fn not_a_string(what: &str, value: &Value) -> Error {
    let shown = crate::fmt::sprint(std::slice::from_ref(value), 1 << 16).unwrap_or_default();
    Error::new(format!("{what}: {shown} is not a string"))
}

impl Key {
    fn public(&self) -> Result<SubjectPublicKeyInfo, x509_cert::spki::Error> {
        match self {
            Key::Rsa(k) => SubjectPublicKeyInfo::from_key(&k.to_public_key()),
            Key::P256(k) => SubjectPublicKeyInfo::from_key(&k.public_key()),
            Key::Ed25519(k) => SubjectPublicKeyInfo::from_key(&k.verifying_key()),
        }
    }
}

/// The subject: a single common name, or nothing for an empty one.
fn common_name(name: &str) -> Result<Name, x509_cert::der::Error> {
    use x509_cert::attr::{AttributeTypeAndValue, AttributeValue};
    use x509_cert::der::asn1::{PrintableStringRef, SetOfVec, Utf8StringRef};
    use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

    if name.is_empty() {
        return Ok(Name::default());
    }
    let value = match PrintableStringRef::new(name) {
        Ok(text) => AttributeValue::from(text),
        Err(_) => AttributeValue::from(Utf8StringRef::new(name)?),
    };
    let part = AttributeTypeAndValue { oid: COMMON_NAME, value };
    let part = RelativeDistinguishedName::from(SetOfVec::try_from(vec![part])?);
    Name::from_der(&RdnSequence::from(vec![part]).to_der()?)
}

fn serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    random::fill(&mut bytes)?;
    // Zero as the first byte would not be the shortest form.
    bytes[0] |= 1;
    SerialNumber::new(&bytes).map_err(creating)
}

fn validity(days: i64) -> Result<Validity, String> {
    let now = SystemTime::now();
    let span = Duration::from_secs(days.unsigned_abs().saturating_mul(86_400));
    let end = if days < 0 { now.checked_sub(span) } else { now.checked_add(span) };
    let end = end.ok_or("validity out of range")?;
    let time = |t: SystemTime| x509_cert::time::Time::try_from(t).map_err(|e| e.to_string());
    Ok(Validity::new(time(now)?, time(end)?))
}

/// Puts the prepared parts where the builder asks for them.
struct Profile {
    subject: Name,
    issuer: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}
