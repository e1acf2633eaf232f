//! Which client serves which app.

use std::fmt;

use pushcore::notification::App;
use pushcore::service::Service;
use pushcore::{Error, ErrorKind};

/// The number of apps whose lane is remembered. More are looked up each time.
const MOST_KNOWN: usize = 32;

/// One service with one set of credentials, and the apps that it serves.
#[derive(Clone)]
pub struct Served {
    app: App,
    service: Service,
}

impl Served {
    /// The app: without a name, all apps of the service in its environment that no other client serves by name.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The service with its credentials.
    pub fn service(&self) -> &Service {
        &self.service
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

/// The clients that are configured, by the apps that they serve.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    all: Vec<Served>,
}

impl Lanes {
    /// Adds a client.
    ///
    /// # Errors
    /// `Misuse` where `app` is of another service; `Conflict` where the app is served already.
    pub fn add(&mut self, app: App, service: Service) -> Result<(), Error> {
        if app.service() != service.kind() {
            let text = format!(
                "an app of {} with credentials of {}",
                app.service(),
                service.kind()
            );
            return Err(Error::new(ErrorKind::Misuse, text));
        }
        if self.all.iter().any(|other| is_same(&other.app, &app)) {
            let text = format!(
                "two clients for {} {}",
                app.service(),
                app.name().unwrap_or("without a name")
            );
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        self.all.push(Served { app, service });
        Ok(())
    }

    /// Every client, in the order in which they were added.
    pub fn all(&self) -> &[Served] {
        &self.all
    }

    /// The client that serves an app: the one of its name, or else the one without a name. `None` where there is none.
    pub fn find(&self, app: &App) -> Option<usize> {
        let of = |name: Option<&str>| {
            self.all.iter().position(|other| {
                let other = &other.app;
                other.service() == app.service()
                    && other.environment() == app.environment()
                    && other.name() == name
            })
        };
        app.name().and_then(|name| of(Some(name))).or_else(|| of(None))
    }
}

/// The platform is part of the message and not of the credentials.
fn is_same(one: &App, other: &App) -> bool {
    one.service() == other.service() && one.environment() == other.environment() && one.name() == other.name()
}

/// The lanes of the apps that were asked for before.
#[derive(Debug, Default)]
pub struct Known(Vec<(App, Option<usize>)>);

impl Known {
    /// [`Lanes::find`], from memory where the app is known.
    pub fn find(&mut self, lanes: &Lanes, app: &App) -> Option<usize> {
        if let Some((_, lane)) = self.0.iter().find(|(known, _)| known == app) {
            return *lane;
        }
        let lane = lanes.find(app);
        if self.0.len() < MOST_KNOWN {
            self.0.push((app.clone(), lane));
        }
        lane
    }
}

#[cfg(test)]
mod tests {
    use pushcore::baidu;
    use pushcore::notification::Environment;
    use pushcore::service::Kind;

    use super::*;

    fn service() -> Service {
        let credentials = baidu::Credentials::new("key", "secret").expect("credentials");
        baidu::Service::new(credentials, baidu::default_authority()).into()
    }

    fn app(name: Option<&str>) -> App {
        let app = App::new(Kind::Baidu);
        match name {
            Some(name) => app.named(name).expect("a name"),
            None => app,
        }
    }

    #[test]
    fn a_name_comes_before_no_name_and_environments_are_apart() {
        let mut lanes = Lanes::default();
        lanes.add(app(None), service()).expect("the first");
        lanes.add(app(Some("shop")), service()).expect("another");
        let mut known = Known::default();
        for _ in 0..2 {
            assert_eq!(known.find(&lanes, &app(Some("shop"))), Some(1));
            assert_eq!(known.find(&lanes, &app(Some("news"))), Some(0));
            assert_eq!(known.find(&lanes, &app(None)), Some(0));
            assert_eq!(known.find(&lanes, &App::new(Kind::Adm)), None);
            let sandbox = app(Some("shop"))
                .in_environment(Environment::Sandbox)
                .expect("an environment");
            assert_eq!(known.find(&lanes, &sandbox), None);
        }
        let twice = lanes.add(app(Some("shop")), service()).expect_err("twice");
        assert_eq!(twice.kind(), ErrorKind::Conflict);
        let other = lanes
            .add(App::new(Kind::Fcm), service())
            .expect_err("another service");
        assert_eq!(other.kind(), ErrorKind::Misuse);
    }
}
