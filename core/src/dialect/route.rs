//! The routing table.

use crate::http::{Incoming, Method};

/// A request that a system's clients make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, in which `{name}` stands for one segment.
    pub path: &'static str,
    /// The name of the operation.
    pub operation: &'static str,
    /// Whether the body holds credentials: the job of such a request does not go to JSON.
    pub secret: bool,
}

/// Why no route takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unrouted {
    /// No route has the path.
    Path,
    /// A route has the path, with another method.
    Method,
}

/// A route with the ids of one request.
#[derive(Clone, Debug)]
pub(super) struct Routed {
    pub(super) route: &'static Route,
    ids: Vec<(&'static str, String)>,
}

impl Route {
    pub(super) const fn new(method: Method, path: &'static str, operation: &'static str) -> Self {
        Self {
            method,
            path,
            operation,
            secret: false,
        }
    }

    /// The route of a request whose body holds credentials.
    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Returns the ids in a raw path; `None` where the path is another one.
    fn ids(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let (mut ids, mut raw) = (Vec::new(), path.split('/'));
        for wanted in self.path.split('/') {
            let segment = raw.next()?;
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                // An encoded slash is a part of the id, because the raw path was split.
                Some(name) => ids.push((name, decoded(segment)?)),
                None if wanted == segment => {}
                None => return None,
            }
        }
        raw.next().is_none().then_some(ids)
    }
}

impl Routed {
    /// Finds the route of a request. One slash at the end of the path is the same as none, as frameworks have it.
    pub(super) fn find(routes: &'static [Route], incoming: &Incoming) -> Result<Self, Unrouted> {
        let path = incoming.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        let method = incoming.method();
        let mut why = Unrouted::Path;
        for route in routes {
            let Some(ids) = route.ids(path) else { continue };
            if method == Some(route.method) {
                return Ok(Self { route, ids });
            }
            why = Unrouted::Method;
        }
        Err(why)
    }

    /// Returns an id out of the path, decoded; empty where the route has no such name.
    pub(super) fn id(&self, name: &str) -> &str {
        let found = self.ids.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, id)| id)
    }
}

/// Decodes a segment; `None` for an empty one, a broken escape, or what is not UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                out.push((digit()? * 16 + digit()?) as u8);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[Route] = &[
        Route::new(Method::Get, "/v1/apps/{app}/endpoints/{id}", "get"),
        Route::new(Method::Put, "/v1/apps/{app}/endpoints/{id}", "put"),
        Route::new(Method::Get, "/v1/apps", "list"),
    ];

    fn find(method: &str, target: &str) -> Result<(&'static str, String, String), Unrouted> {
        let incoming = Incoming::new(method, target, "").unwrap();
        let found = Routed::find(ROUTES, &incoming)?;
        Ok((
            found.route.operation,
            found.id("app").to_owned(),
            found.id("id").to_owned(),
        ))
    }

    #[test]
    fn ids_come_from_the_path_and_nowhere_else() {
        let found = find("GET", "/v1/apps/a/endpoints/e%2Ff%20g?app=other&id=other").unwrap();
        assert_eq!(found, ("get", "a".to_owned(), "e/f g".to_owned()));
        assert_eq!(find("PUT", "/v1/apps/a/endpoints/%C3%A9/").unwrap().2, "é");
        assert_eq!(find("GET", "/v1/apps/").unwrap().0, "list");
    }

    #[test]
    fn what_is_no_route_is_named() {
        assert_eq!(find("POST", "/v1/apps"), Err(Unrouted::Method));
        assert_eq!(find("BREW", "/v1/apps"), Err(Unrouted::Method));
        for target in [
            "/",
            "/v1",
            "/v1/apps/a",
            "/v1/apps//endpoints/e",
            "/v1/apps/a/endpoints/%zz",
            "/v1/apps/a/endpoints/%ff",
            "/v1/apps/a/endpoints/%2",
            "/v1/apps/a/endpoints/e/f",
            "/V1/apps",
            "/v1/apps//",
            "/v1%2Fapps",
        ] {
            assert_eq!(find("GET", target), Err(Unrouted::Path), "{target}");
        }
    }
}
