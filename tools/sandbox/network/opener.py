"""Opens ports inside boxes. A program of its own, run by path and without anything but Python.

Only a process with a single thread may enter a user namespace, and none comes back: so this one forks for
each box, and its child enters, listens, and hands the listening socket to whoever asked. A socket stays in
the namespace where it was made, so that is all that is needed inside.

Standard input is a SOCK_SEQPACKET socket. Each packet is `pid port` with two descriptors: the box's first
process (pidfd), and a socket for the answer, which is `ok` with a descriptor, `gone`, or what went wrong.
"""

import ctypes
import fcntl
import os
import select
import signal
import socket
import sys

NS_GET_USERNS = 0xB701
CLONE_NEWUSER, CLONE_NEWNET = 0x1000_0000, 0x4000_0000
MSG_CMSG_CLOEXEC = 0x4000_0000
IP_FREEBIND = 15  # the box may not have raised its loopback yet
BACKLOG = 128


def main() -> None:
    """Serve until nobody can ask any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    libc = ctypes.CDLL(None, use_errno=True)
    with socket.socket(fileno=sys.stdin.fileno()) as asked:
        while True:
            said, fds, _, _ = socket.recv_fds(asked, 100, 2, MSG_CMSG_CLOEXEC)
            if not said:
                return
            if len(fds) == 2 and os.fork() == 0:
                _answer(libc, said, *fds)
                os._exit(0)
            for fd in fds:
                os.close(fd)


def _answer(libc: ctypes.CDLL, said: bytes, pidfd: int, reply: int) -> None:
    with socket.socket(fileno=reply) as answering:
        try:
            pid, port = map(int, said.split())
            listening = _listen(libc, pid, pidfd, port)
        except ProcessLookupError:
            answering.send(b"gone")
        except OSError as error:
            answering.send((error.strerror or "unknown").encode())
        else:
            socket.send_fds(answering, [b"ok"], [listening.fileno()])


def _listen(libc: ctypes.CDLL, pid: int, pidfd: int, port: int) -> socket.socket:
    try:
        net = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    except FileNotFoundError:
        raise ProcessLookupError from None
    if select.select([pidfd], [], [], 0)[0]:  # it has ended, and its number may be another's
        raise ProcessLookupError
    owner = fcntl.ioctl(net, NS_GET_USERNS)
    for fd, kind in ((owner, CLONE_NEWUSER), (net, CLONE_NEWNET)):
        if libc.setns(fd, kind):
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}")
    listening = socket.socket()
    listening.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(BACKLOG)
    return listening


if __name__ == "__main__":
    main()
