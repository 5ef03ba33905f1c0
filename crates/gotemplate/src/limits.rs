//! What one execution may use. No template can raise or switch off a limit.

/// Bounds of one execution, shared by everything that it includes or evaluates with `tpl`.
///
/// All are counts, not times, so the same template with the same data ends the same way everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes walked, iterations, function calls, and what functions charge for their own loops.
    pub steps: u64,
    /// Nested invocations of `{{template}}`, and of what functions execute (`include`, `tpl`).
    pub depth: u32,
    /// Bytes written and built: output, results of `printf`, strings that functions return.
    pub bytes: u64,
    /// Bytes of machine stack that the execution may use, counted from where it begins. A level of `include` takes
    /// about 3 KiB in a release build and 8 KiB in a debug build. The caller's thread must have 256 KiB more.
    pub stack: usize,
}

impl Default for Limits {
    /// 200 million steps, 100,000 nested templates, 1 GiB of text, and a stack that fits in a thread of 2 MiB.
    fn default() -> Self {
        Limits { steps: 200_000_000, depth: 100_000, bytes: 1 << 30, stack: 1 << 20 }
    }
}
