//! Slice by slice, through HTTP.

mod accounts;
mod accounts_keys;
mod accounts_log;
mod accounts_sessions;
mod catalogue_edits;
mod catalogue_papers;
mod catalogue_products;
mod catalogue_programs;
mod catalogue_shop_acts;
mod catalogue_shops;
mod clicks;
mod commissions;
mod commissions_histories;
mod commissions_lines;
mod compliance_decisions;
mod compliance_lists;
mod compliance_screening;
mod identity;
mod links;
mod links_dead;
mod order_sources;
mod orders;
