//! The security statements that no slice owns alone. Those of one slice are tested beside it:
//!
//! | statement | where |
//! |---|---|
//! | S01 to S11, S14, S15 | `api/accounts*.rs` |
//! | S16, S17 | `access.rs`, `api/accounts_keys.rs` |
//! | S18 lists stay with their tenant | `lists.rs` here, the wall behind them `walls.rs` |
//! | S19 unknown and read-only fields, S21 size, depth, count, time of bodies | `bodies.rs` here, `bad_input.rs` |
//! | S20 fields by role | `fields.rs` here |
//! | S26 headers, S27 inert text, S28 redirects | `answers.rs` here |
//! | S29 one verdict for one address | `addresses.rs` here, `api/compliance_screening.rs` |
//! | S30, S31, S32 webhooks | `webhooks.rs` here, `api/order_sources.rs` |

mod addresses;
mod answers;
mod bodies;
mod fields;
mod lists;
mod walls;
mod webhooks;
