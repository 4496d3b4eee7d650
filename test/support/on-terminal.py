# A terminal for tests: runs a program on a pseudo-terminal and hands on what it writes, as fast as a line of a given speed would.
# usage: on-terminal.py COLUMNS ROWS BYTES_PER_SECOND COMMAND...   (0: no limit)
# stdin, one word and its argument a line: type HEX | resize COLUMNS ROWS | signal NUMBER | stall | flow
# stdout: what the program wrote. stderr: "status N" when it ended (128 + n on a signal).
import fcntl, os, pty, select, struct, sys, termios, time

columns, rows, speed = (int(word) for word in sys.argv[1:4])


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


child, master = pty.fork()
if child == 0:
    resize(0, columns, rows)
    os.execvp(sys.argv[4], sys.argv[4:])

stalled = False
pending = b""
allowed = 0.0
last = time.monotonic()
control = True
while True:
    now = time.monotonic()
    allowed = min(allowed + (now - last) * speed, 64) if speed else 65536
    last = now
    waiting = [0] if control else []
    if not stalled and allowed >= 1:
        waiting.append(master)
    ready, _, _ = select.select(waiting, [], [], 0.01)
    if 0 in ready:
        data = os.read(0, 65536)
        control = data != b""
        pending += data
        *lines, pending = pending.split(b"\n")
        for line in lines:
            word, *arguments = line.decode().split()
            if word == "type":
                os.write(master, bytes.fromhex(arguments[0]))
            elif word == "resize":
                resize(master, int(arguments[0]), int(arguments[1]))
            elif word == "signal":
                os.kill(child, int(arguments[0]))
            elif word == "stall":
                stalled = True
            elif word == "flow":
                stalled = False
    if master in ready:
        try:
            data = os.read(master, int(allowed))
        except OSError:
            break
        if data == b"":
            break
        allowed -= len(data)
        os.write(1, data)
_, status = os.waitpid(child, 0)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
print("status", code, file=sys.stderr)
