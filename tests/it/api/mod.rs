//! Slice by slice, through HTTP.
