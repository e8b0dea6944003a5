//! Ranges of a file, put together to be asked about many others.

use std::ops::Range;

/// Some ranges, those that overlap as one, in order.
pub(crate) struct Cover(Vec<Range<usize>>);

impl Cover {
    /// What `ranges` cover together.
    pub(crate) fn new(ranges: impl Iterator<Item = Range<usize>>) -> Self {
        let mut sorted: Vec<Range<usize>> = ranges.collect();
        sorted.sort_unstable_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Cover(merged)
    }

    /// Whether `range` has a byte of it.
    pub(crate) fn meets(&self, range: &Range<usize>) -> bool {
        let first = self.0.partition_point(|covered| covered.end <= range.start);
        self.0.get(first).is_some_and(|covered| covered.start < range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_meets_what_shares_a_byte_with_it() {
        let cover = Cover::new([10..20, 2..4, 3..6, 15..17, 20..22].into_iter());
        for (range, expected) in [
            (0..2, false),
            (0..3, true),
            (5..6, true),
            (6..10, false),
            (6..11, true),
            (17..18, true),
            (21..30, true),
            (22..30, false),
        ] {
            assert_eq!(cover.meets(&range), expected, "{range:?}");
        }
    }
}
