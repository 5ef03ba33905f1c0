//! Seeded mutation for the stable form of the fuzz targets: no coverage guides it, but it runs in every `cargo test`.

/// A small generator of numbers (xorshift64*): the same seed gives the same inputs everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs a target on mutations of `corpus`, `words` being put in here and there. `TIPHYS_SEEDS` says how many, and
/// `TIPHYS_SEED` where to start. A panic names the seed and shows the input.
pub(crate) fn run(target: fn(&[u8]), corpus: &[Vec<u8>], words: &[&str], default: u64) {
    let first = setting("TIPHYS_SEED", 1).wrapping_mul(1_000_003);
    for seed in (0..setting("TIPHYS_SEEDS", default)).map(|i| first.wrapping_add(i)) {
        let input = mutated(seed, corpus, words);
        if let Err(panic) = std::panic::catch_unwind(|| target(&input)) {
            eprintln!("seed {seed}, input:\n{}", String::from_utf8_lossy(&input));
            std::panic::resume_unwind(panic);
        }
    }
}

/// One input: an entry of the corpus with a few changes.
fn mutated(seed: u64, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + 1 + random.below(12)).min(input.len());
        match random.below(7) {
            0 => drop(input.drain(at..end)),
            1 => {
                let word = words[random.below(words.len())];
                input.splice(at..at, word.bytes());
            }
            2 => {
                let word = words[random.below(words.len())];
                input.splice(at..end, word.bytes());
            }
            3 if at < input.len() => input[at] = random.next() as u8,
            4 if at < input.len() => input[at] ^= 1 << random.below(8),
            5 => {
                let again = input[at..end].repeat(1 + random.below(20));
                input.splice(at..at, again);
            }
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                let piece = other[from..(from + random.below(200)).min(other.len())].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
    input
}
