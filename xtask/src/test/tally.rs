//! Counts what the test programs say of themselves.

use std::fmt;

/// How many tests of a suite came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Counts {
    /// How many tests ran.
    pub(super) fn ran(self) -> usize {
        self.passed + self.failed
    }

    fn with(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    fn of_line(line: &str) -> Option<Self> {
        let results = line.trim().strip_prefix("test result: ")?;
        let number = |name: &str| {
            let words: Vec<_> = results
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            words.windows(2).find_map(|pair| (pair[1] == name).then(|| pair[0].parse().ok())?)
        };
        Some(Self { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// The results of all suites.
#[derive(Debug, Default)]
pub(super) struct Tally {
    suite: String,
    suites: Vec<(String, Counts)>,
}

impl Tally {
    /// Reads one line of the tests' output.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(name) = suite_name(line) {
            self.suite = name;
        } else if let Some(counts) = Counts::of_line(line) {
            self.suites.push((self.suite.clone(), counts));
        }
    }

    /// All suites together.
    pub(super) fn sum(&self) -> Counts {
        self.suites.iter().fold(Counts::default(), |sum, (_, counts)| sum.with(*counts))
    }

    /// One line for each suite that has tests.
    pub(super) fn table(&self) -> String {
        let rows: Vec<_> = self.suites.iter().filter(|(_, counts)| *counts != Counts::default()).collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let lines: Vec<_> = rows.iter().map(|(name, counts)| format!("{name:width$}  {counts}")).collect();
        lines.join("\n")
    }
}

/// The suite that cargo announces: `Running unittests src/lib.rs (target/debug/deps/ringback-0123456789abcdef)` or
/// `Doc-tests ringback`.
fn suite_name(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{name} (documentation)"));
    }
    let (source, program) = line.strip_prefix("Running ")?.rsplit_once(" (")?;
    let program = program.strip_suffix(')')?.rsplit('/').next()?;
    let program = program.rsplit_once('-').map_or(program, |(name, _)| name);
    let source = source.strip_prefix("unittests ").unwrap_or(source);
    Some(format!("{program} ({source})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
     Running unittests src/lib.rs (target/debug/deps/ringback-0123456789abcdef)

running 3 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running unittests src/main.rs (target/debug/deps/ringback-fedcba9876543210)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running e2e/main.rs (target/debug/deps/e2e-0123456789abcdef)
test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 9.99s
   Doc-tests ringback
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.50s
";

    #[test]
    fn the_results_of_all_suites_are_added_up() {
        let mut tally = Tally::default();
        OUTPUT.lines().for_each(|line| tally.read(line));
        assert_eq!(tally.sum().to_string(), "7 passed, 1 failed, 1 skipped");
        assert_eq!(tally.sum().ran(), 8);
        assert_eq!(
            tally.table(),
            "ringback (src/lib.rs)     2 passed, 0 failed, 1 skipped\n\
             e2e (e2e/main.rs)         4 passed, 1 failed, 0 skipped\n\
             ringback (documentation)  1 passed, 0 failed, 0 skipped"
        );
    }

    #[test]
    fn other_lines_count_for_nothing() {
        let mut tally = Tally::default();
        for line in ["", "Running late", "test result", "test result: pending", "test x ... ok"] {
            tally.read(line);
        }
        assert_eq!(tally.sum(), Counts::default());
    }
}
