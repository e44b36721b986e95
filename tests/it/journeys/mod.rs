//! Whole stories, from empty databases, over HTTP.

mod platforms;
mod sale;
