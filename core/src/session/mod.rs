//! Credentials and connections together: messages in, outcomes out.
