"""A mail server that keeps nothing: each letter becomes one line of JSON on standard output.

Arguments: `none`, `starttls` or `tls`, then certificate and key where TLS is asked for. Its first line says the port. Ends
when standard input does.
"""

import asyncio
import email
import json
import socket
import ssl
import sys
from email import policy

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        text = message.get_body(("plain",))
        html = message.get_body(("html",))
        tell(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "subject": str(message["subject"]),
                "text": text.get_content() if text else "",
                "html": html.get_content() if html else "",
                "auto_submitted": message["auto-submitted"] == "auto-generated",
                "login": session.auth_data.login.decode() if session.auth_data else None,
            }
        )
        return "250 taken"


def tell(value):
    print(json.dumps(value), flush=True)


def let_in(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"papers", b"correct horse")
    return AuthResult(success=known, auth_data=data if known else None, handled=False)


async def main(protection, certificate=None, key=None):
    context = None
    if protection != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    starttls = context if protection == "starttls" else None

    def serve():
        return SMTP(
            Sink(),
            hostname="localhost",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=let_in,
            auth_require_tls=protection == "starttls",
        )

    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    await loop.create_server(serve, sock=listener, ssl=context if protection == "tls" else None)
    tell({"port": listener.getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
