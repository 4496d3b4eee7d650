// What holds from the first line of a run, root or not: files are the owner's alone, and nobody opens Node's debugger by a signal.

/**
 * Hardens the process as it starts.
 *
 * SIGUSR1 makes Node listen for a debugger, on which anybody on this machine could then run code here. After root is given up the
 * user's other programs may send signals, so it must mean nothing.
 */
export function hardenStart(): void {
  process.umask(0o077);
  process.on('SIGUSR1', () => undefined);
}
