//! Rows that stories begin with, made through the API as their owners would.
