//! Tests of the whole: every form beside its page, its schema and its vectors.

mod answers;
pub(crate) mod documents;
