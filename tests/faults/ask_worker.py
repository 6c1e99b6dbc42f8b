# SPDX-License-Identifier: GPL-2.0-or-later
"""ask_worker.py WORKER: what an attacker says to podshark-worker himself, as the user whom he is. Reads a JSON object a line
from standard input and answers each with one: {"stage", "error", "sockets", "shut_down_lo"}, or {"ended": true}.

Of a request: the members of protocol.h's Request by name, or {"raw": HEX}; {"fd": PATH} opens that and passes it along.
{"shut_down_lo": true} tries to use a netlink socket that came. Before the first request, {"prepare": {...}}: "nofile" limits
descriptors, "close" closes some, "env" sets the environment, "inherit" leaves so many descriptors open."""

import json
import os
import resource
import socket
import struct
import sys

MAGIC = 0x50535734
NUMBERS = ("netlink", "raw_sockets", "cooked", "netfilter", "serial", "tcp4", "tcp6", "udp4", "udp6", "icmp4", "icmp6")


def encode(request):
    if "raw" in request:
        return bytes.fromhex(request["raw"])
    return struct.pack("=IIi11IQQ16s", request.get("magic", MAGIC), request.get("kind", 1),
                       request.get("pid", 0), *(request.get(n, 0) for n in NUMBERS), request.get("start", 0),
                       request.get("inode", 0), bytes.fromhex(request.get("uuid", "00" * 16)))


def shut_down_lo(sock):
    """errno of taking the loopback link down through a netlink socket."""
    # nlmsghdr: RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK; ifinfomsg: index 1, flags 0, change IFF_UP
    sock.send(struct.pack("=IHHII", 32, 16, 5, 1, 0) + struct.pack("=BxHiII", 0, 0, 1, 0, 1))
    answer = sock.recv(4096)
    return -struct.unpack_from("=i", answer, 16)[0]


def start(worker, prepare):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs.fileno(), 0)
        os.closerange(3, 256)
        for _ in range(prepare.get("inherit", 0)):
            os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
        for fd in prepare.get("close", ()):
            os.close(fd)
        if "nofile" in prepare:
            resource.setrlimit(resource.RLIMIT_NOFILE, (prepare["nofile"],) * 2)
        try:
            os.execve(worker, [worker], prepare.get("env", {}))
        finally:
            os._exit(126)
    theirs.close()
    return ours, pid


def ask(channel, request):
    passed = [os.open(request["fd"], os.O_RDONLY)] if "fd" in request else []
    try:
        socket.send_fds(channel, [encode(request)], passed)
        data, fds, _, _ = socket.recv_fds(channel, 256, 64)
    except OSError:
        return {"ended": True}
    if not data:
        return {"ended": True}
    _, stage, error, sockets = struct.unpack_from("=IIiI", data)
    answer = {"stage": stage, "error": error, "sockets": sockets}
    if fds and request.get("shut_down_lo"):
        answer["shut_down_lo"] = shut_down_lo(socket.socket(fileno=os.dup(fds[0])))
    for fd in fds:
        os.close(fd)
    return answer


def main():
    prepare, channel = {}, None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            prepare = request["prepare"]
            continue
        if channel is None:
            channel, pid = start(sys.argv[1], prepare)
        print(json.dumps({"worker": pid, **ask(channel, request)}), flush=True)


if __name__ == "__main__":
    main()
