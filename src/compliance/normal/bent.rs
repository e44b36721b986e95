//! A text bent beyond level 1, with the way back.

/// Where one character of the bent text begins, and which bytes of the level 1 text made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) byte: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where the first of several that became one ends.
    pub(super) first_to: usize,
    /// Where the last of them begins.
    pub(super) last_from: usize,
}

/// A text bent beyond level 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compliance) struct Bent {
    pub(super) text: String,
    pub(super) places: Vec<Place>,
}

impl Bent {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            places: Vec::with_capacity(bytes),
        }
    }

    /// Adds `c`, which the bytes `from..to` of the level 1 text made.
    pub(super) fn push(&mut self, c: char, from: usize, to: usize) {
        let byte = self.text.len();
        self.places.push(Place {
            byte,
            from,
            to,
            first_to: to,
            last_from: from,
        });
        self.text.push(c);
    }

    /// Lets the last character stand for what follows up to `to` as well.
    pub(super) fn stretch(&mut self, to: usize) {
        if let Some(last) = self.places.last_mut() {
            last.to = to;
        }
    }

    /// Lets the last character stand for one more like it, at the bytes `from..to`.
    pub(super) fn repeat(&mut self, from: usize, to: usize) {
        if let Some(last) = self.places.last_mut() {
            last.to = to;
            last.last_from = from;
        }
    }

    /// The bent text.
    #[must_use]
    pub(in crate::compliance) fn text(&self) -> &str {
        &self.text
    }

    /// The characters whose bytes lie in `start..end` of the bent text.
    pub(super) fn within(&self, start: usize, end: usize) -> &[Place] {
        let first = self.places.partition_point(|place| place.byte < start);
        let past = self.places.partition_point(|place| place.byte < end);
        self.places.get(first..past).unwrap_or_default()
    }

    /// The bytes of the level 1 text behind the bytes `start..end` of the bent one.
    #[must_use]
    pub(in crate::compliance) fn range(&self, start: usize, end: usize) -> (usize, usize) {
        match self.within(start, end) {
            [first, .., last] => (first.from, last.to),
            [only] => (only.from, only.to),
            [] => (0, 0),
        }
    }

    /// The same for what may begin with the last and end with the first of several letters that became one: each way in
    /// which the ends may be read.
    pub(in crate::compliance) fn ranges(
        &self,
        start: usize,
        end: usize,
    ) -> impl Iterator<Item = (usize, usize)> {
        let places = self.within(start, end);
        let ends = places.first().zip(places.last());
        ends.into_iter().flat_map(|(first, last)| {
            [
                (first.from, last.to),
                (first.from, last.first_to),
                (first.last_from, last.to),
                (first.last_from, last.first_to),
            ]
        })
    }
}
