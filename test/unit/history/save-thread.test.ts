// A thread that can't even begin: here its compiled code is not where it should be, elsewhere its user may not read it.

import { expect, it } from 'vitest';
import type { SaveRequest } from '../../../src/history/image-save.ts';
import { saveInThread } from '../../../src/history/save-thread.ts';

it('is told apart from a history file that can not be written', async () => {
  const request: SaveRequest = {
    path: '/nonexistent/h.sqlite',
    journals: [],
    owner: null,
    maxBytes: 1,
    time: { now: 0, wall: 0, elapsedMs: 0 },
    last: null,
  };
  await expect(saveInThread(request)).rejects.toMatchObject({
    code: 'history',
    message: expect.stringMatching(/^the thread that saves history could not begin: .*save-worker\.js/),
    hint: expect.stringContaining('doctor'),
  });
});
