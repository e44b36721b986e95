//! Slice by slice, through HTTP.

mod catalogue_products;
mod catalogue_programs;
mod catalogue_shops;
mod compliance_decisions;
mod compliance_lists;
mod compliance_screening;
mod identity;
