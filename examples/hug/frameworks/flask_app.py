"""A dialect in Flask: the raw target, the headers, the raw body go in; status, headers and bytes come out."""

from __future__ import annotations

import flask
import wsgi
from host import Host


def create_app(host: Host, system: str) -> flask.Flask:
    """An app that answers every request of `system`."""
    app = flask.Flask(__name__)

    @app.before_request
    def answer() -> flask.Response:
        environ = flask.request.environ
        try:
            body = wsgi.body(environ)
        except TimeoutError:
            return flask.Response(status=408)
        if body is None:
            return flask.Response(status=413)
        reply = host.serve(system, flask.request.method, wsgi.target(environ), wsgi.headers(environ), body)
        return flask.Response(reply.body, reply.status, reply.headers)

    return app
