"""The server of the couriers: `python -m tests.suites.courier_server MODEL VERSION LOG PORT_FILE`."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyarrow as pa

from tests.suites.couriers import answers

MODEL, VERSION, LOG, PORT = sys.argv[1:5]
STATE = json.loads(Path(MODEL).read_text())


class Predictions(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = [float(value) for value in answers(STATE, pa.Table.from_pylist(records))]
        replies = [{"prediction": value, "version": VERSION} for value in found]
        with Path(LOG).open("a") as log:
            for record, reply in zip(records, replies, strict=True):
                log.write(json.dumps({**record, **reply}) + "\n")
        body = json.dumps(replies).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


server = HTTPServer(("127.0.0.1", 0), Predictions)
Path(f"{PORT}.new").write_text(str(server.server_port))
Path(f"{PORT}.new").replace(PORT)
server.serve_forever()
