//! The members of Shopify's bodies that count. Others, the buyer's above all, are passed over unread.

use serde::Deserialize;

use crate::orders::{
    model::{LINES_MAX, REFUNDS_MAX},
    platforms::values::{Few, Loose, Scalar},
};

/// Entries of small lists that are looked at.
const SMALL_LIST_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct OrderIn<'r> {
    pub(super) id: Option<Scalar<'r>>,
    pub(super) currency: Option<String>,
    pub(super) line_items: Option<Few<LineIn<'r>, LINES_MAX>>,
    pub(super) subtotal_price: Option<Scalar<'r>>,
    pub(super) total_discounts: Option<Scalar<'r>>,
    pub(super) total_shipping_price_set: Option<MoneySet<'r>>,
    pub(super) shipping_lines: Option<Few<ShippingIn<'r>, SMALL_LIST_MAX>>,
    pub(super) total_tax: Option<Scalar<'r>>,
    pub(super) total_price: Option<Scalar<'r>>,
    pub(super) taxes_included: Option<bool>,
    pub(super) refunds: Option<Few<RefundIn<'r>, REFUNDS_MAX>>,
    pub(super) discount_codes: Option<Few<CodeIn, SMALL_LIST_MAX>>,
    pub(super) note_attributes: Option<Few<NoteIn<'r>, SMALL_LIST_MAX>>,
    pub(super) landing_site: Option<String>,
    pub(super) referring_site: Option<String>,
    pub(super) customer: Option<CustomerIn<'r>>,
    pub(super) email: Option<String>,
    pub(super) financial_status: Option<String>,
    pub(super) cancelled_at: Option<String>,
    pub(super) test: Option<bool>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct LineIn<'r> {
    pub(super) id: Scalar<'r>,
    pub(super) product_id: Option<Scalar<'r>>,
    pub(super) variant_id: Option<Scalar<'r>>,
    pub(super) sku: Option<String>,
    pub(super) title: Option<String>,
    pub(super) quantity: Scalar<'r>,
    pub(super) price: Scalar<'r>,
    pub(super) discount_allocations: Option<Few<AllocationIn<'r>, SMALL_LIST_MAX>>,
    pub(super) tax_lines: Option<Few<TaxIn<'r>, SMALL_LIST_MAX>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct AllocationIn<'r> {
    pub(super) amount: Option<Scalar<'r>>,
    pub(super) amount_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct TaxIn<'r> {
    pub(super) price: Option<Scalar<'r>>,
    pub(super) price_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct ShippingIn<'r> {
    pub(super) discounted_price: Option<Scalar<'r>>,
    pub(super) price: Option<Scalar<'r>>,
}

/// An amount in two currencies, of which only the shop's counts.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct MoneySet<'r> {
    pub(super) shop_money: Option<ShopMoney<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct ShopMoney<'r> {
    pub(super) amount: Option<Scalar<'r>>,
    pub(super) currency_code: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CodeIn {
    pub(super) code: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct NoteIn<'r> {
    pub(super) name: Option<String>,
    pub(super) value: Option<Loose<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct CustomerIn<'r> {
    pub(super) id: Option<Scalar<'r>>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct RefundIn<'r> {
    pub(super) id: Scalar<'r>,
    pub(super) order_id: Option<Scalar<'r>>,
    pub(super) created_at: Option<String>,
    pub(super) processed_at: Option<String>,
    pub(super) transactions: Option<Few<TransactionIn<'r>, SMALL_LIST_MAX>>,
    pub(super) refund_line_items: Option<Few<RefundLineIn<'r>, LINES_MAX>>,
    pub(super) order_adjustments: Option<Few<AdjustmentIn<'r>, SMALL_LIST_MAX>>,
    pub(super) total_duties_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct TransactionIn<'r> {
    pub(super) kind: Option<String>,
    pub(super) status: Option<String>,
    pub(super) amount: Option<Scalar<'r>>,
    pub(super) currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct RefundLineIn<'r> {
    pub(super) line_item_id: Scalar<'r>,
    pub(super) quantity: Option<Scalar<'r>>,
    pub(super) subtotal: Option<Scalar<'r>>,
    pub(super) subtotal_set: Option<MoneySet<'r>>,
    pub(super) total_tax: Option<Scalar<'r>>,
    pub(super) total_tax_set: Option<MoneySet<'r>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'r"))]
pub(super) struct AdjustmentIn<'r> {
    pub(super) kind: Option<String>,
    pub(super) amount: Option<Scalar<'r>>,
    pub(super) amount_set: Option<MoneySet<'r>>,
}

/// The shop's half of an amount, else the plain one.
pub(super) fn shop_half<'a, 'r>(
    set: Option<&'a MoneySet<'r>>,
    plain: Option<&'a Scalar<'r>>,
) -> Option<&'a Scalar<'r>> {
    set.and_then(|set| set.shop_money.as_ref())
        .and_then(|money| money.amount.as_ref())
        .or(plain)
}
