// How libc's allocator gives memory back: at once. A save takes four times the history file for a second; without this, glibc keeps most of
// it for the thread that had it (measured: 47 MiB resident grew to 136 in three saves of 31 MB, with this to 59).

/** mallopt(3): blocks from this size on are mapped by themselves, and unmapped when they are freed. */
const M_MMAP_THRESHOLD = -3;
const M_TRIM_THRESHOLD = -1;
const LARGE_BYTES = 1 << 20;

/** Has it so for this process. Other systems than glibc's give large blocks back by themselves, or can't be told. */
export async function returnMemory(): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    const koffi = (await import('koffi')).default;
    const mallopt = koffi.load('libc.so.6').func('int mallopt(int, int)');
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
  } catch {
    // musl, or a system on which libc can't be called: memory is kept a little longer
  }
}

/**
 * Gives back what was freed so far: a start leaves more than a MiB of holes, each thread that saves some (measured: 17 MiB after 24 saves).
 * A millisecond or a few, in a thread of libuv's.
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
  trim().catch(() => {}); // musl: memory is kept a little longer
}
