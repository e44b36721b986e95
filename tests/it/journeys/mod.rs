//! Whole stories, from empty databases, over HTTP.

mod sale;
