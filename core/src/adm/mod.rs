//! Amazon Device Messaging.
