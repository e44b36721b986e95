//! Slice by slice, through HTTP.

mod catalogue_products;
mod catalogue_programs;
mod catalogue_shops;
mod commissions;
mod commissions_histories;
