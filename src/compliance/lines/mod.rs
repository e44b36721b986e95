//! The lines of orders, screened before any commission is granted on them.
//!
//! A clean link may lead to a shop where something else is bought. So what was really sold is screened by its own text:
//! a line that the lists refuse earns nothing, one that an officer must look at earns nothing until the ruling, and one
//! that could not be screened earns nothing until it can be. The first two open a case, whose ruling is the last word.
//!
//! Owns `order_line_screening`. A line is screened once for each text it ever had: settling its order again, on later
//! lists, gives the same answer, so a sale that was lawful when it was made keeps its commission.

mod model;
mod screen;
mod store;

pub use model::{LineOutcome, LineStanding, LineText};
pub use screen::{LineScreening, screen_lines, settled_lines, unsettled_orders};

/// Every statement of this room.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;

pub(super) use screen::rule_line;
pub(super) use store::unrecorded;
