//! Slice by slice, through HTTP.

mod identity;
