"""A network with a lying name server, to be run in network and mount namespaces of its own.

    unshare --mount --net python lying_network.py ANSWERS COMMAND...

ANSWERS are the addresses returned by the name server, separated by "+" within a lookup and by
commas between lookups; the last answer is repeated. A web server on 127.0.0.1:80 records requests.
Prints a JSON object: the exit code, the standard error and the requests recorded.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

A_RECORD = b"\0\1"
answers = sys.argv[1].split(",")
asked: list[str] = []


class Secret(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        self.send_response(404)
        self.end_headers()


def answer(query: bytes) -> bytes:
    """Return the query with A records appended (RFC 1035); other types get no records."""
    question_end = query.index(b"\0", 12) + 5
    question = query[12:question_end]
    if question[-4:-2] != A_RECORD:
        return query[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + question
    given = answers.pop(0) if len(answers) > 1 else answers[0]
    if given == "fail":
        return query[:2] + b"\x81\x82\0\1\0\0\0\0\0\0" + question
    addresses = [socket.inet_aton(address) for address in given.split("+")]
    records = [b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + address for address in addresses]
    counts = b"\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0"
    return query[:2] + b"\x81\x80" + counts + question + b"".join(records)


def serve_names(listening: socket.socket) -> None:
    while True:
        query, client = listening.recvfrom(512)
        listening.sendto(answer(query), client)


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with tempfile.NamedTemporaryFile("w") as resolver:
    resolver.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    resolver.flush()
    subprocess.run(["mount", "--bind", resolver.name, "/etc/resolv.conf"], check=True)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    threading.Thread(target=serve_names, args=(names,), daemon=True).start()
    web = ThreadingHTTPServer(("127.0.0.1", 80), Secret)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    done = subprocess.run(sys.argv[2:], capture_output=True, text=True, check=False)
print(json.dumps({"exit_code": done.returncode, "stderr": done.stderr, "asked": asked}))
