"""A server out there, over TLS and plain: answers by path, and says in a line each what it was asked."""

import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

certificate, key = sys.argv[1:]
saying = threading.Lock()


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode("latin-1")
        asked = {"method": self.command, "path": self.path, "headers": list(self.headers.items()), "body": body}
        with saying:
            print(json.dumps(asked), flush=True)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        act = getattr(self, "act_" + parts.path.strip("/").split("/")[0], None)
        if act:
            return act(query)
        self.say(200, json.dumps(asked).encode(), {"Content-Type": "application/json", "X-Seen": self.headers.get("x-key", "")})

    def say(self, status, content, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def act_redirect(self, query):
        self.say(int(query.get("status", 302)), b"", {"Location": query["to"]})

    def act_large(self, query):
        self.say(200, b"x" * int(query["size"]))

    def act_status(self, query):
        self.say(int(query["is"]), b"said so")

    def act_slow(self, query):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b".")
                time.sleep(0.05)
        except OSError:
            pass
        self.close_connection = True

    def act_nonsense(self, query):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nA: b\r\n c: \x00d\r\n\x01\x02: 3\r\n\r\n")
        self.close_connection = True

    def log_message(self, *arguments):
        pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Secured(ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, address):
        # The handshake belongs to the connection's own thread.
        self.RequestHandlerClass(context.wrap_socket(request, server_side=True), address, self)

    def handle_error(self, request, address):
        pass


class Plain(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


servers = Secured(("127.0.0.1", 0), Upstream), Plain(("127.0.0.1", 0), Upstream)
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps([server.server_port for server in servers]), flush=True)
sys.stdin.read()
