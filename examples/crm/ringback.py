#!/usr/bin/env python3
"""A client of Ringback's REST door: Python and its standard library.

  ringback.py create IDEMPOTENCY_KEY [WAIT_SECONDS] <callback.json
  ringback.py show ID
  ringback.py list [QUERY]                       every page, a line of JSON each; QUERY such as state=completed
  ringback.py cancel ID
  ringback.py verify ID TIMESTAMP SIGNATURES <body

The environment names the service (RINGBACK_URL), the key (RINGBACK_KEY) and, for verify, RINGBACK_WEBHOOK_SECRET.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    """The service has answered with a problem (RFC 9457)."""

    def __init__(self, problem):
        super().__init__(problem.get("detail", ""))
        self.problem = problem


class Client:
    def __init__(self, url, key):
        self.url, self.key = url.rstrip("/"), key

    def call(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method, data=body, headers=headers or {})
        request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # Nothing was decided: the same request may be sent again.
            if error.code == 429 or error.code >= 500:
                raise ConnectionError(f"answered {error.code}") from error
            raise Refused(json.load(error)) from error

    def create(self, callback, idempotency_key, wait=0):
        """Asks for a callback. With the same key the person is called once, however often this is sent."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
            "Prefer": f"wait={wait}",
        }
        for pause in (1, 2, 4, None):
            try:
                return self.call("POST", "/v1/callbacks", json.dumps(callback).encode(), headers)
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause)

    def show(self, callback_id):
        return self.call("GET", f"/v1/callbacks/{urllib.parse.quote(callback_id)}")

    def cancel(self, callback_id):
        return self.call("DELETE", f"/v1/callbacks/{urllib.parse.quote(callback_id)}")

    def pages(self, **query):
        while True:
            page = self.call("GET", "/v1/callbacks?" + urllib.parse.urlencode(query))
            yield page
            if "next" not in page:
                return
            query["cursor"] = page["next"]


def verify(secret, message_id, timestamp, signatures, body, now=None):
    """Whether a message is from the service and not an old one (Standard Webhooks)."""
    if abs((time.time() if now is None else now) - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return any(hmac.compare_digest(expected, given.encode()) for given in signatures.split(" "))


def main(command="", *arguments):
    if command == "verify":
        if not verify(os.environ["RINGBACK_WEBHOOK_SECRET"], *arguments, sys.stdin.buffer.read()):
            sys.exit("the message is not from the service, or too old")
        return
    client = Client(os.environ["RINGBACK_URL"], os.environ["RINGBACK_KEY"])
    try:
        if command == "create":
            print(json.dumps(client.create(json.load(sys.stdin), *arguments)))
        elif command == "show":
            print(json.dumps(client.show(*arguments)))
        elif command == "cancel":
            print(json.dumps(client.cancel(*arguments)))
        elif command == "list":
            for page in client.pages(**dict(urllib.parse.parse_qsl("&".join(arguments)))):
                print(json.dumps(page))
        else:
            sys.exit(__doc__)
    except Refused as refused:
        sys.exit(json.dumps(refused.problem))


if __name__ == "__main__":
    main(*sys.argv[1:])
