//! What a competent authority demands (AP-06).

use super::{
    super::{
        ground::GroundCode,
        model::{Ground, Input},
    },
    plain,
};

/// One ground for each order in force that names something of the request.
pub(super) fn demanded(input: &Input) -> Vec<Ground> {
    let orders = input.authority_orders.iter();
    orders
        .map(|order| Ground {
            matched: Some(order.value.clone()),
            ..plain(GroundCode::AuthorityOrder)
        })
        .collect()
}
