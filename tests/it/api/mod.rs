//! Slice by slice, through HTTP.

mod catalogue_products;
mod catalogue_programs;
mod catalogue_shops;
mod order_sources;
mod orders;
