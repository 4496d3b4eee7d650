// Bounded selection: the n largest of many, without sorting them all.

/**
 * The `limit` candidates with the largest key, in falling order.
 *
 * A heap of `limit` elements: O(candidates · log limit), no allocation beyond the result.
 */
export function selectTop(candidates: Iterable<number>, limit: number, key: (candidate: number) => number): number[] {
  const heap: number[] = [];
  const keys: number[] = [];
  for (const candidate of candidates) {
    const k = key(candidate);
    if (heap.length < limit) {
      heap.push(candidate);
      keys.push(k);
      siftUp(heap, keys, heap.length - 1);
    } else if (limit > 0 && k > (keys[0] as number)) {
      heap[0] = candidate;
      keys[0] = k;
      siftDown(heap, keys, 0);
    }
  }
  return heap
    .map((candidate, i) => ({ candidate, key: keys[i] as number }))
    .sort((a, b) => b.key - a.key || a.candidate - b.candidate)
    .map((entry) => entry.candidate);
}

function siftUp(heap: number[], keys: number[], from: number): void {
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((keys[parent] as number) <= (keys[at] as number)) return;
    swap(heap, keys, at, parent);
    at = parent;
  }
}

function siftDown(heap: number[], keys: number[], from: number): void {
  let at = from;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    let least = at;
    if (left < heap.length && (keys[left] as number) < (keys[least] as number)) least = left;
    if (right < heap.length && (keys[right] as number) < (keys[least] as number)) least = right;
    if (least === at) return;
    swap(heap, keys, at, least);
    at = least;
  }
}

function swap(heap: number[], keys: number[], a: number, b: number): void {
  const candidate = heap[a] as number;
  const key = keys[a] as number;
  heap[a] = heap[b] as number;
  keys[a] = keys[b] as number;
  heap[b] = candidate;
  keys[b] = key;
}
