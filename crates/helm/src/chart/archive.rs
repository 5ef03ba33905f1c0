//! Charts as `.tgz`: unpacked in memory, within bounds, without links, devices or ways out.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::files::File;
use crate::{Error, Result};

/// Bounds of what an archive may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Sum of the sizes of all files, in bytes. Helm's own limit is 100 MiB.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        ArchiveLimits { bytes: 100 << 20, files: 100_000 }
    }
}

/// The first bytes of every gzip stream.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Unpacks a chart archive. Paths lose their first element, the name of the chart.
///
/// # Errors
/// In Helm's words, what `LoadArchiveFiles` says; links and special files are refused.
pub(crate) fn unpack(data: &[u8], limits: &ArchiveLimits) -> Result<Vec<File>> {
    if !data.starts_with(GZIP_MAGIC) {
        return Err(Error::load(if data.is_empty() { "EOF" } else { "gzip: invalid header" }));
    }
    // Headers and padding count too, so a stream of empty entries cannot go on for ever.
    let most = limits.bytes.saturating_add(limits.files as u64 * 2048);
    let mut archive = Archive::new(MultiGzDecoder::new(Cursor::new(data)).take(most));
    let mut left = limits.bytes;
    let mut files = Vec::new();
    for entry in archive.entries().map_err(|e| broken(&e))? {
        let mut entry = entry.map_err(|e| broken(&e))?;
        let header = entry.header();
        match header.entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            _ => {
                return Err(Error::load(format!(
                    "chart contains a link or special file: {:?}",
                    shown(&entry)
                )));
            }
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name.ends_with('/') {
            continue;
        }
        let path = inner_path(&name)?;
        if entry.size() > left {
            return Err(too_large(limits));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or(0).min(1 << 20));
        let read = (&mut entry).take(left).read_to_end(&mut bytes).map_err(|e| broken(&e))?;
        left = left.saturating_sub(read as u64);
        if left == 0 {
            return Err(too_large(limits));
        }
        files.push(File::new(path, bytes));
        if files.len() > limits.files {
            return Err(Error::Limit(format!("chart archive has more than {} files", limits.files)));
        }
    }
    if files.is_empty() {
        return Err(Error::load("no files in chart archive"));
    }
    Ok(files)
}

fn shown<R: Read>(entry: &tar::Entry<'_, R>) -> String {
    String::from_utf8_lossy(&entry.path_bytes()).into_owned()
}

fn broken(error: &std::io::Error) -> Error {
    Error::load(match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        _ => error.to_string(),
    })
}

fn too_large(limits: &ArchiveLimits) -> Error {
    Error::load(format!("decompressed chart is larger than the maximum size {}", limits.bytes))
}

/// The path inside the chart, checked as Helm checks it.
fn inner_path(name: &str) -> Result<String> {
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let (first, rest) = name.split_once(delimiter).unwrap_or((name, ""));
    let path = rest.replace(delimiter, "/");
    if path.starts_with('/') {
        return Err(Error::load("chart illegally contains absolute paths"));
    }
    let path = clean(&path);
    if path == "." {
        return Err(Error::load(format!(
            "chart illegally contains content outside the base directory: {name:?}"
        )));
    }
    if path.starts_with("..") {
        return Err(Error::load("chart illegally references parent directory"));
    }
    let mut chars = path.chars();
    if chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.as_str().starts_with(":/") {
        return Err(Error::load("chart contains illegally named files"));
    }
    if first == "Chart.yaml" {
        return Err(Error::load("chart yaml not in base directory"));
    }
    Ok(path)
}

/// Go's `path.Clean`.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn tgz(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, data) in entries {
            let mut header = tar::Header::new_gnu();
            // Names that the crate would refuse to write are exactly those of interest.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *data).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn error(entries: &[(&str, EntryType, &[u8])]) -> String {
        unpack(&tgz(entries), &ArchiveLimits { bytes: 1000, files: 3 }).unwrap_err().to_string()
    }

    #[test]
    fn paths_lose_the_chart_name() {
        let data =
            tgz(&[("c/Chart.yaml", EntryType::Regular, b"a"), ("c/templates/x", EntryType::Regular, b"b")]);
        let files = unpack(&data, &ArchiveLimits::default()).unwrap();
        let paths: Vec<_> = files.iter().map(|f| &*f.path).collect();
        assert_eq!(paths, ["Chart.yaml", "templates/x"]);
    }

    #[test]
    fn ways_out_are_refused() {
        let r = EntryType::Regular;
        assert_eq!(error(&[("c/../../etc", r, b"")]), "chart illegally references parent directory");
        assert_eq!(error(&[("c//etc/passwd", r, b"")]), "chart illegally contains absolute paths");
        assert_eq!(
            error(&[("file", r, b"")]),
            "chart illegally contains content outside the base directory: \"file\""
        );
        assert!(error(&[("c/link", EntryType::Symlink, b"")]).contains("link or special file"));
        assert!(error(&[("c/dev", EntryType::Char, b"")]).contains("link or special file"));
        assert_eq!(error(&[("c\\c:\\x", r, b"")]), "chart contains illegally named files");
    }

    #[test]
    fn bombs_end() {
        let r = EntryType::Regular;
        let big = vec![0; 2000];
        let too_large = "decompressed chart is larger than the maximum size 1000";
        assert_eq!(error(&[("c/a", r, &big)]), too_large);
        assert_eq!(error(&[("c/a", r, &big[..600]), ("c/b", r, &big[..600])]), too_large);
        let many = [("c/a", r, &b""[..]), ("c/b", r, b""), ("c/c", r, b""), ("c/d", r, b"")];
        assert!(error(&many).contains("more than 3 files"));
    }

    #[test]
    fn not_an_archive() {
        assert_eq!(
            unpack(b"hello", &ArchiveLimits::default()).unwrap_err().to_string(),
            "gzip: invalid header"
        );
        let mut cut = tgz(&[("c/a", EntryType::Regular, b"abc")]);
        cut.truncate(30);
        assert!(unpack(&cut, &ArchiveLimits::default()).is_err());
    }

    #[test]
    fn clean_paths() {
        for (given, want) in
            [("a//b", "a/b"), ("a/./b/../c", "a/c"), ("", "."), ("../a", "../a"), ("/..", "/")]
        {
            assert_eq!(clean(given), want);
        }
    }
}
