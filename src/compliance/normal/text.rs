//! A text at all its levels.

use std::cell::OnceCell;

use super::{Folded, Normal, Skeleton};

/// A text at all its levels, bent once for every list that asks.
#[derive(Debug)]
pub(in crate::compliance) struct Text {
    normal: Normal,
    folded: Folded,
    skeleton: OnceCell<Skeleton>,
}

impl Text {
    /// Bends `original` to levels 1 and 2; to level 3 once somebody asks.
    #[must_use]
    pub(in crate::compliance) fn of(original: &str) -> Self {
        let normal = Normal::of(original);
        let folded = Folded::of(normal.text());
        Self {
            normal,
            folded,
            skeleton: OnceCell::new(),
        }
    }

    /// Level 1.
    #[must_use]
    pub(in crate::compliance) fn normal(&self) -> &Normal {
        &self.normal
    }

    /// Level 2.
    #[must_use]
    pub(in crate::compliance) fn folded(&self) -> &Folded {
        &self.folded
    }

    /// Level 3.
    pub(in crate::compliance) fn skeleton(&self) -> &Skeleton {
        self.skeleton
            .get_or_init(|| Skeleton::of(self.normal.text()))
    }
}
