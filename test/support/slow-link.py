"""A link between two network namespaces that delays and loses packets by their far end's address, for kernels without netem.

usage: slow-link.py NEAR FAR < lines of "ADDRESS DELAY_MS LOSS_PERCENT"

Makes a TUN device `slow0` in each of the two namespaces, says `ready`, and carries IPv4 packets between them. A packet to or from ADDRESS waits for
DELAY_MS on its way towards FAR; of those in either direction LOSS_PERCENT are lost, every so manieth, for tests must not depend on chance. `*` is any
other address. Later lines replace earlier ones. Ends with its standard input.
"""

import ctypes
import fcntl
import heapq
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def tun(namespace):
    """Opens a TUN device in a namespace."""
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"slow0", IFF_TUN | IFF_NO_PI))
    return fd


near, far = tun(sys.argv[1]), tun(sys.argv[2])
rules = {"*": (0.0, 0.0)}
lost = {}
queue = []
number = 0
os.set_blocking(0, False)
text = b""
print("ready", flush=True)
while True:
    wait = max(0.0, queue[0][0] - time.monotonic()) if queue else None
    ready, _, _ = select.select([0, near, far], [], [], wait)
    if 0 in ready:
        more = os.read(0, 4096)
        if more == b"":
            break
        *lines, text = (text + more).split(b"\n")
        for line in lines:
            address, delay, loss = line.decode().split()
            rules[address] = (float(delay) / 1000, float(loss) / 100)
        print("ready", flush=True)
    for fd in (near, far):
        if fd not in ready:
            continue
        for _ in range(64):
            try:
                packet = os.read(fd, 65536)
            except BlockingIOError:
                break
            if len(packet) < 20 or packet[0] >> 4 != 4:
                continue
            address = socket.inet_ntoa(packet[16:20] if fd == near else packet[12:16])
            delay, loss = rules.get(address, rules["*"])
            lost[address] = lost.get(address, 0.0) + loss
            if lost[address] >= 1:
                lost[address] -= 1
                continue
            number += 1
            heapq.heappush(queue, (time.monotonic() + (delay if fd == near else 0), number, far if fd == near else near, packet))
    now = time.monotonic()
    while queue and queue[0][0] <= now:
        _, _, fd, packet = heapq.heappop(queue)
        try:
            os.write(fd, packet)
        except OSError:
            pass
