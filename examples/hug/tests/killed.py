"""One worker without a web server: sends until it is killed. Arguments: the database, the configuration."""

from __future__ import annotations

import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import clients
from database import Database
from sending import Sender
from work import Work

database = Database(sys.argv[1])
running = clients.clients(clients.read(sys.argv[2]), database)
sender = Sender(Work(database, lease=1.0), running, lease=1.0)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
sender.start()
stop.wait()
sender.stop()
running.close()
