// What a thread made for an answer goes back when the answer is out: V8 lets a thread pile up 60 MiB of it before it clears up by itself.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Above what a reader needs between two answers (6 MB); clearing up takes it 5 to 15 ms. */
const LEFT_ALONE = 12e6;
/** V8's own function, which it gives away under a flag alone; null where it doesn't. */
const collect = collector();

/** Has V8 clear up now, where there is much. */
export function clearUp(): void {
  if (getHeapStatistics().used_heap_size > LEFT_ALONE) collect?.();
}

function collector(): (() => void) | null {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as () => void;
  } catch {
    return null; // then V8 clears up when it likes
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
