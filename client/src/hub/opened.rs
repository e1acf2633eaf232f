//! The clients of a hub, opened when first needed.

use std::sync::{Mutex, OnceLock, PoisonError};

use pushcore::notification::App;
use pushcore::service::Service;
use pushcore::{Error, ErrorKind};

use super::lanes::Lanes;

/// A client of type `K` for each lane, made of its settings `C` when the first message needs it.
#[derive(Debug)]
pub struct Opened<C, K>(Vec<Place<C, K>>);

#[derive(Debug)]
struct Place<C, K> {
    /// `None` when the client has been opened.
    config: Mutex<Option<C>>,
    client: OnceLock<Result<K, Error>>,
}

impl<C, K> Opened<C, K> {
    /// Returns the clients of these settings, by lane. None is opened yet.
    pub fn new(configs: Vec<C>) -> Self {
        let places = configs.into_iter().map(|config| Place {
            config: Mutex::new(Some(config)),
            client: OnceLock::new(),
        });
        Self(places.collect())
    }

    /// The client of a lane, which `make` makes where it has not been opened.
    ///
    /// # Errors
    /// Those of `make`, each time the same; `Internal` for a lane that is none.
    pub fn open(
        &self,
        lanes: &Lanes,
        lane: usize,
        make: impl FnOnce(Service, C) -> Result<K, Error>,
    ) -> Result<&K, Error>
    where
        C: Default,
    {
        let (Some(served), Some(place)) = (lanes.all().get(lane), self.0.get(lane)) else {
            return Err(Error::new(ErrorKind::Internal, "a lane of the hub has no client"));
        };
        let client = place.client.get_or_init(|| {
            let mut config = place.config.lock().unwrap_or_else(PoisonError::into_inner);
            let config = config.take().unwrap_or_default();
            make(served.service().clone(), config)
        });
        client.as_ref().map_err(Error::clone)
    }

    /// The client of a lane; `None` where it has not been opened, or could not be.
    pub fn get(&self, lane: usize) -> Option<&K> {
        self.0.get(lane)?.client.get()?.as_ref().ok()
    }

    /// The clients that have been opened, with the apps that they serve.
    pub fn all<'s>(&'s self, lanes: &'s Lanes) -> impl Iterator<Item = (&'s App, &'s K)> {
        let lanes = lanes.all().iter().enumerate();
        lanes.filter_map(|(lane, served)| Some((served.app(), self.get(lane)?)))
    }
}
