//! The table of shapes: written as text, read from text, asked for kinds.

use std::borrow::Cow;
use std::cmp::Ordering;

/// Shapes of objects and what is known of kinds.
///
/// A shape is a line of words: `field=N` (the shape of a field), `[N` (of the items of a list), `{N` (of the
/// values of a map), `+merge` (the patch strategy), `:a,b` (the merge keys). In place of a number, `@name` is
/// a definition that another document has. A word that begins with `~` is what only the API server says; see
/// [`crate::MergeKeys`].
#[derive(Debug, Default)]
pub struct Table {
    /// Lines `apiVersion kind shape scope`, or with a last word `server`, in the order of their first two words.
    pub(super) kinds: Vec<Cow<'static, str>>,
    /// Lines `definition shape`, or with a last word `server`, in the order of their first words.
    pub(super) names: Vec<Cow<'static, str>>,
    pub(super) shapes: Vec<Cow<'static, str>>,
}

/// The last word of a line that only the API server's document has.
pub(super) const SERVER: &str = "server";

/// One shape of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'t> {
    table: &'t Table,
    /// Where definitions are that the table refers to and has not.
    other: Option<&'t Table>,
    /// Whether it is looked at what only the API server says.
    server: bool,
    words: &'t str,
}

impl<'t> Shape<'t> {
    fn at(self, reference: &str) -> Option<Shape<'t>> {
        match reference.strip_prefix('@') {
            Some(name) => {
                let other = self.other?;
                other.shape(other.named(name, self.server)?, None, self.server)
            }
            None => self.table.shape(reference.parse().ok()?, self.other, self.server),
        }
    }

    /// The rest of the first word with this beginning.
    fn word(self, beginning: &str) -> Option<&'t str> {
        self.words.split(' ').find_map(|word| match word.strip_prefix('~') {
            Some(word) => word.strip_prefix(beginning).filter(|_| self.server),
            None => word.strip_prefix(beginning),
        })
    }

    /// The shape of a field, or of the values of a map.
    pub(crate) fn field(self, name: &str) -> Option<Shape<'t>> {
        let found = self.words.split(' ').find_map(|word| match word.strip_prefix('~') {
            Some(word) => word.strip_prefix(name)?.strip_prefix('=').filter(|_| self.server),
            None => word.strip_prefix(name)?.strip_prefix('='),
        });
        self.at(found.or_else(|| self.word("{"))?)
    }

    /// The shape of the items of a list.
    pub(crate) fn items(self) -> Option<Shape<'t>> {
        self.at(self.word("[")?)
    }

    /// The patch strategy (`merge`, `merge,retainKeys`, `replace`), empty when there is none.
    pub(crate) fn strategy(self) -> &'t str {
        self.word("+").unwrap_or("")
    }

    /// The keys by which the items of a list are merged; only lists with a strategy have them.
    pub(crate) fn merge_keys(self) -> Vec<String> {
        if self.strategy().is_empty() {
            return Vec::new();
        }
        let keys = self.word(":").unwrap_or("");
        keys.split(',').filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a list is merged item by item.
    pub(crate) fn merges_items(self) -> bool {
        self.strategy().split(',').any(|word| word == "merge")
    }
}

impl Table {
    /// Reads what [`Table::to_text`] wrote.
    pub fn from_text(text: &'static str) -> Self {
        let mut table = Self::default();
        let mut section = 0;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            let line = text.get(start..end).unwrap_or_default();
            start = end + 1;
            match (line, section) {
                ("---", _) => section += 1,
                (line, _) if line.starts_with('#') => {}
                (line, 0) => table.kinds.push(Cow::Borrowed(line)),
                (line, 1) => table.names.push(Cow::Borrowed(line)),
                (line, _) => table.shapes.push(Cow::Borrowed(line)),
            }
        }
        table
    }

    /// The table as text: kinds, names of definitions, shapes, with lines `---` between.
    pub fn to_text(&self) -> String {
        let sections = [&self.kinds, &self.names, &self.shapes];
        let sections = sections.map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        sections.join("---\n")
    }

    fn shape<'t>(&'t self, number: usize, other: Option<&'t Table>, server: bool) -> Option<Shape<'t>> {
        self.shapes.get(number).map(|words| Shape { table: self, other, server, words })
    }

    /// The shape of the field whose schema the table was made of; of no words where it refers to what is not there.
    pub(super) fn field_shape<'t>(&'t self, other: Option<&'t Table>, server: bool) -> Shape<'t> {
        let around = self.named("", server).and_then(|number| self.shape(number, other, server));
        let nothing = Shape { table: self, other, server, words: "" };
        around.and_then(|around| around.field("")).unwrap_or(nothing)
    }

    fn named(&self, name: &str, server: bool) -> Option<usize> {
        let line = find(&self.names, |line| line.split(' ').next().unwrap_or("").cmp(name), server)?;
        line.split(' ').nth(1)?.parse().ok()
    }

    /// The words after `apiVersion kind`.
    fn about(&self, api_version: &str, kind: &str, server: bool) -> Option<(&str, &str)> {
        let line = find(&self.kinds, |line| of_kind(line).cmp(&(api_version, kind)), server)?;
        let mut words = line.split(' ').skip(2);
        Some((words.next()?, words.next()?))
    }

    pub(super) fn kind<'t>(
        &'t self,
        api_version: &str,
        kind: &str,
        other: Option<&'t Table>,
        server: bool,
    ) -> Option<Shape<'t>> {
        let (shape, _) = self.about(api_version, kind, server)?;
        self.shape(shape.parse().ok()?, other, server)
    }

    pub(super) fn is_namespaced(&self, api_version: &str, kind: &str, server: bool) -> Option<bool> {
        match self.about(api_version, kind, server)?.1 {
            "namespaced" => Some(true),
            "cluster" => Some(false),
            _ => None,
        }
    }
}

/// The first two words of a line.
pub(super) fn of_kind(line: &str) -> (&str, &str) {
    let mut words = line.split(' ');
    (words.next().unwrap_or(""), words.next().unwrap_or(""))
}

/// The line of a sorted list that is equal, unless it is the server's alone and that is not asked for.
fn find<'t>(
    lines: &'t [Cow<'static, str>],
    compare: impl Fn(&str) -> Ordering,
    server: bool,
) -> Option<&'t str> {
    let line = lines.get(lines.binary_search_by(|line| compare(line)).ok()?)?;
    (server || line.rsplit(' ').next() != Some(SERVER)).then_some(line)
}
