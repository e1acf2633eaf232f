//! Baidu Cloud Push, REST 3.0.
