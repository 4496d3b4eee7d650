// Bounds of the memory of threads that ask SQLite. Numbers only: whoever starts such a thread needs no SQLite itself.

/** MiB. Rows pass by and are garbage at once: V8 gives such garbage 48 MiB otherwise before it clears up. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 4 } as const;
