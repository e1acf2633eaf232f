//! Pushpad, Ionic, Cozie and the legacy FCM API as dialects: the requests of their original clients, and bad ones.

mod cozie;
mod fcm_legacy;
mod host;
mod ionic;
mod pushpad;
mod random;
