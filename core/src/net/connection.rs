//! stub
use std::sync::Arc;
use std::time::Duration;
use super::*;
use crate::error::Error;
use crate::http::{Authority, Request};
use crate::time::Now;
/// c
#[derive(Debug)]
pub struct ConnectionConfig {}
/// c
#[derive(Debug)]
pub struct Connection {}
#[allow(missing_docs)]
impl Connection {
    pub fn new(_: &Arc<ConnectionConfig>, _: &Authority, _: Now) -> Result<Self, Error> { loop {} }
    pub fn capacity(&self) -> usize { 0 }
    pub fn window(&self) -> usize { 0 }
    pub fn in_flight(&self) -> usize { 0 }
    pub fn is_ready(&self) -> bool { true }
    pub fn is_draining(&self) -> bool { true }
    pub fn is_closed(&self) -> bool { true }
    pub fn receive(&mut self, _: &[u8], _: Now) {}
    pub fn receive_eof(&mut self, _: Now) {}
    pub fn handle_timeout(&mut self, _: Now) {}
    pub fn send(&mut self, _: &Request, _: Now) -> Result<RequestId, SendError> { Err(SendError::Full) }
    pub fn cancel(&mut self, _: RequestId, _: Now) -> Processed { Processed::No }
    pub fn close(&mut self, _: Now) {}
    pub fn transmit(&mut self) -> &[u8] { &[] }
    pub fn transmitted(&mut self, _: usize) {}
    pub fn poll_event(&mut self) -> Option<Event<'_>> { None }
    pub fn poll_timeout(&self) -> Option<Duration> { None }
}
