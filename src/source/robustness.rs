//! No input may panic: everything that comes from users and servers, thrown at the readers of this room.

use proptest::prelude::*;

use super::git::testing::{GreetedBy, known_host, object_tree, submodule_urls};
use super::url::{RepoUrl, normalize_git_url};

/// Bytes that look a little like Git's protocol, so that more than the first check is reached.
fn wire_bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("version 2\n".to_owned()),
        Just("# service=git-upload-pack\n".to_owned()),
        Just("fetch=shallow filter\n".to_owned()),
        Just(format!("{} HEAD\0side-band-64k symref=HEAD:refs/heads/main\n", "a".repeat(40))),
        Just(format!("{} refs/tags/v1^{{}}\n", "b".repeat(40))),
        Just("packfile\n".to_owned()),
        Just("shallow-info\n".to_owned()),
        Just("NAK\n".to_owned()),
        Just("\u{1}PACK".to_owned()),
        Just("\u{3}no\n".to_owned()),
        ".{0,40}",
    ];
    let packet = prop_oneof![
        8 => line.prop_map(|line| format!("{:04x}{line}", line.len() + 4).into_bytes()),
        1 => Just(b"0000".to_vec()),
        1 => Just(b"0001".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(packet, 0..12).prop_map(|packets| packets.concat())
}

proptest! {
    #[test]
    fn urls_of_any_text(text in ".{0,60}", user in "[a-z]{4,8}", password in "[A-Z]{12}") {
        let _ = normalize_git_url(&text);
        let _ = RepoUrl::parse(&text);
        let url = RepoUrl::parse(&format!("https://{user}:{password}@host/{}", text.replace(['/', '?', '#'], "")));
        let shown = match url {
            Ok(url) => format!("{url} {url:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&password), "{shown}");
    }

    #[test]
    fn servers_that_say_anything(bytes in wire_bytes()) {
        GreetedBy(bytes).ask();
    }

    #[test]
    fn files_that_hold_anything(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]a-z\"=\\\\ \n|@*!1,:]{0,200}") {
        object_tree(&bytes);
        submodule_urls(&text);
        known_host(&text);
        let _ = super::archive::unpack_chart(&bytes);
    }
}
