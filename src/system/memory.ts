// Makes libc's allocator return memory at once. A save needs four times the size of the history file for a second. Without this, glibc keeps most
// of it for the thread (measured: resident memory grew from 47 MiB to 136 in three saves of 31 MB; with this, to 59).

/** mallopt(3): blocks from this size on get their own mapping, and are unmapped when freed. */
const M_MMAP_THRESHOLD = -3;
const M_TRIM_THRESHOLD = -1;
const LARGE_BYTES = 1 << 20;

/** Sets this for the process. Other systems return large blocks by themselves or have no such setting. */
export async function returnMemory(): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    const koffi = (await import('koffi')).default;
    const mallopt = koffi.load('libc.so.6').func('int mallopt(int, int)');
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
  } catch {
    // musl, or libc can't be called: memory is returned later
  }
}

/**
 * Returns memory freed so far. The start leaves more than a MiB of holes, and each save some more (measured: 17 MiB after 24 saves). Takes a few
 * milliseconds in one of libuv's threads.
 */
export function trimMemory(): void {
  if (process.platform !== 'linux') return;
  const trim = async () => {
    const koffi = (await import('koffi')).default;
    koffi
      .load('libc.so.6')
      .func('int malloc_trim(size_t)')
      .async(0, () => undefined);
  };
  trim().catch(() => {}); // musl: memory is returned later
}
