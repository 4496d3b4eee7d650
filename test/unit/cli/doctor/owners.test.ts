// The doctor asks the kernel's programs of Linux too, and leaves none of them attached.

import { describe, expect, it } from 'vitest';
import { ownerSteps } from '../../../../src/cli/doctor/owners.ts';
import { fakeEdges } from '../../../support/fake-edges.ts';

async function asked(attach: () => Promise<{ missing: string[]; framesMissing: string; close(): void }>, euid = 0) {
  const step = ownerSteps(fakeEdges({ platform: 'linux', euid }), [], attach).find(({ name }) => name === 'owners: eBPF');
  return await step?.ask();
}

describe('the doctor on Linux', () => {
  it('attaches the programs, says which are missing, and takes them away', async () => {
    let closed = 0;
    const programs =
      (missing: string[], framesMissing = '') =>
      () =>
        Promise.resolve({ missing, framesMissing, close: () => void closed++ });
    expect(await asked(programs([]))).toMatchObject({ result: 'ok', detail: 'all programs attach' });
    expect(await asked(programs(['connect4: invalid argument']))).toMatchObject({
      result: 'ok',
      detail: "the required programs attach, these don't: connect4: invalid argument",
    });
    expect(await asked(programs([], 'no net_dev_queue in this kernel'))).toMatchObject({
      result: 'ok',
      detail: 'all programs attach; frames of packet sockets have no owner here: no net_dev_queue in this kernel',
    });
    expect(closed).toBe(3);
  });

  it('says why they can not be had, and who may have them', async () => {
    const refused = () => Promise.reject(new Error('load: operation not permitted'));
    const detail = 'load: operation not permitted; owners are polled';
    expect(await asked(refused)).toMatchObject({ result: 'no', detail, wayOut: null });
    expect(await asked(refused, 1000)).toMatchObject({ result: 'no', detail, wayOut: expect.stringContaining('sudo') });
  });
});
