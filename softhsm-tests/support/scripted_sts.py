"""STS as a script has it: it answers AssumeRole with new keys, or with what a test puts in its way."""

import contextlib
import datetime
import http.server
import threading
import urllib.parse

ISSUED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>AROATEST:{name}</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIASCRIPTED{number:08}</AccessKeyId><SecretAccessKey>secret-of-scripted-sts-{number}</SecretAccessKey>
<SessionToken>token-of-scripted-sts-{number}</SessionToken><Expiration>{expiration}</Expiration></Credentials>
<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>
<ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></AssumeRoleResponse>"""

OWN = """<GetSessionTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetSessionTokenResult>
<Credentials><AccessKeyId>ASIASCRIPTED{number:08}</AccessKeyId><SecretAccessKey>secret-of-scripted-sts-{number}</SecretAccessKey>
<SessionToken>token-of-scripted-sts-{number}</SessionToken><Expiration>{expiration}</Expiration></Credentials>
</GetSessionTokenResult></GetSessionTokenResponse>"""

REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code>
<Message>{message}</Message></Error><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>"""


def refusal(status, code, message="no"):
    return status, "text/xml", REFUSED.format(code=code, message=message)


class ScriptedSTS:
    ca = None  # it speaks plain HTTP

    def __init__(self):
        # Each is a request's headers, and its form as a dictionary.
        self.requests = []
        # Answers in the place of credentials, the first for the next request.
        self.script = []
        # While it is not set, requests are taken and not answered.
        self.gate = threading.Event()
        self.gate.set()
        self.lock = threading.Lock()

    def answer(self, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        with self.lock:
            self.requests.append((headers, body, form))
            number = len(self.requests)
            if self.script:
                return self.script.pop(0)
        self.gate.wait(60)
        expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
            seconds=int(form["DurationSeconds"]))
        if form["Action"] == "GetSessionToken":
            return 200, "text/xml", OWN.format(number=number, expiration=expiration.strftime("%Y-%m-%dT%H:%M:%SZ"))
        account, _, role = form["RoleArn"].split(":", 4)[4].partition(":")
        name = form["RoleSessionName"]
        arn = f"arn:aws:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{name}"
        return 200, "text/xml", ISSUED.format(
            arn=arn, name=name, number=number, expiration=expiration.strftime("%Y-%m-%dT%H:%M:%SZ"))


@contextlib.contextmanager
def scripted_sts():
    service = ScriptedSTS()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, media_type, text = service.answer(dict(self.headers), body)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
