//! A chart's `.tgz` as a tree, unpacked in memory under limits.

use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::flow::{MemoryTree, Tree, TreePath};

/// Files of one chart.
const MAX_FILES: usize = 50_000;
/// Bytes of all files of one chart, unpacked.
const MAX_BYTES: u64 = 256 << 20;

/// The files of a packed chart, seen from the chart's directory. Charts that are packed with it stand below `charts/`.
///
/// # Errors
/// What is wrong with the archive, in words: broken compression, entries that lead out of it, links to other entries'
/// contents, devices, too many or too large files, no `Chart.yaml`.
pub(crate) fn unpack_chart(packed: &[u8]) -> Result<Tree, String> {
    // One byte more than is allowed tells a large chart from one that is just as large as allowed.
    let mut archive = Archive::new(GzDecoder::new(packed).take(MAX_BYTES + MAX_BYTES / 8));
    let broken = |error: std::io::Error| format!("it cannot be read as a gzipped tar: {error}");
    let mut tree = MemoryTree::new();
    let mut left = MAX_BYTES;
    let mut found = false;
    for (count, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        if count >= MAX_FILES {
            return Err(format!("it holds more than {MAX_FILES} entries"));
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        let path = inner_path(&entry)?;
        found |= path.as_str() == "Chart.yaml";
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mut bytes = Vec::new();
                entry.by_ref().take(left + 1).read_to_end(&mut bytes).map_err(broken)?;
                left = left
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(|| format!("its files are larger than {MAX_BYTES} bytes together"))?;
                tree.insert_file(path, bytes);
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default();
                tree.insert_link(path, target.into_owned());
            }
            _ => return Err(format!("{path} is neither file, directory nor symbolic link")),
        }
    }
    if found { Ok(tree.tree()) } else { Err("it holds no Chart.yaml in its top directory".to_owned()) }
}

/// The path below the chart's directory, which is the first part of every path.
fn inner_path(entry: &Entry<'_, impl Read>) -> Result<TreePath, String> {
    let bytes = entry.path_bytes();
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path = TreePath::parse(&text).map_err(|error| error.to_string())?;
    if parts.contains(&"..") || text.contains(':') && parts.first().is_some_and(|part| part.ends_with(':')) {
        return Err(format!("path {path} leads out of the chart"));
    }
    let (Some(first), Some(_)) = (parts.first(), parts.get(1)) else {
        return Err(format!("{path} stands outside of the chart's directory"));
    };
    let inside = path.below(&TreePath::root().child(first));
    inside.ok_or_else(|| format!("{path} stands outside of the chart's directory"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn pack(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            // set_path would refuse what these tests are about.
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            let file = *kind == EntryType::Regular;
            if !file {
                header.as_gnu_mut().unwrap().linkname[..content.len()].copy_from_slice(content);
            }
            header.set_size(if file { content.len() as u64 } else { 0 });
            header.set_cksum();
            out.write_all(header.as_bytes()).unwrap();
            if file {
                out.write_all(content).unwrap();
                out.write_all(&vec![0; (512 - content.len() % 512) % 512]).unwrap();
            }
        }
        out.write_all(&[0; 1024]).unwrap();
        out.finish().unwrap()
    }

    const CHART: (&str, EntryType, &[u8]) = ("web/Chart.yaml", EntryType::Regular, b"name: web");

    #[test]
    fn a_chart_is_seen_from_its_directory() {
        let packed = pack(&[
            CHART,
            ("web/templates/a.yaml", EntryType::Regular, b"a"),
            ("web/link.yaml", EntryType::Symlink, b"templates/a.yaml"),
            ("web/out.yaml", EntryType::Symlink, b"../../secret"),
        ]);
        let tree = unpack_chart(&packed).unwrap();
        let read = |path: &str| tree.read(&TreePath::parse(path).unwrap());
        assert_eq!(read("Chart.yaml").unwrap(), b"name: web");
        assert_eq!(read("link.yaml").unwrap(), b"a");
        assert!(read("out.yaml").is_err());
    }

    #[test]
    fn hostile_archives_are_refused() {
        let refused: [&[(&str, EntryType, &[u8])]; 7] = [
            &[CHART, ("web/../../etc/x", EntryType::Regular, b"x")],
            &[CHART, ("../x", EntryType::Regular, b"x")],
            &[CHART, ("/etc/x", EntryType::Regular, b"x")],
            &[CHART, ("Chart.yaml", EntryType::Regular, b"x")],
            &[CHART, ("web/hard", EntryType::Link, b"/etc/passwd")],
            &[CHART, ("web/device", EntryType::Char, b"")],
            &[("web/values.yaml", EntryType::Regular, b"x")],
        ];
        for entries in refused {
            assert!(unpack_chart(&pack(entries)).is_err(), "{entries:?}");
        }
        assert!(unpack_chart(b"no gzip").is_err());
        let whole = pack(&[CHART]);
        assert!(unpack_chart(&whole[..whole.len() / 2]).is_err());
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        let mut header = tar::Header::new_gnu();
        header.set_path("web/bomb").unwrap();
        header.set_size(1 << 30);
        header.set_cksum();
        out.write_all(header.as_bytes()).unwrap();
        let zeros = vec![0_u8; 1 << 20];
        for _ in 0..300 {
            out.write_all(&zeros).unwrap();
        }
        let error = unpack_chart(&out.finish().unwrap()).unwrap_err();
        assert!(error.contains("larger than"), "{error}");
    }
}
