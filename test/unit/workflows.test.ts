// What the workflows on the forge may do: actions that can't change under us, no more rights than needed, an end to every job.
// `actionlint` checks their syntax and shell, in the workflow itself.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const FOLDER = new URL('.github/workflows/', root);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: Record<string, string> };

/** The text of each job, by its name. A job that calls another workflow has no runner. */
function jobsOf(text: string): [name: string, body: string][] {
  const jobs = text.slice(text.indexOf('\njobs:\n') + '\njobs:'.length);
  return [...jobs.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)+)/gm)].map(([, name, body]) => [name as string, body as string]);
}

describe.each(readdirSync(FOLDER))('%s', (file) => {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const jobs = jobsOf(text);

  it('pins each action by commit and says its version', () => {
    const used = [...text.matchAll(/uses: (.*)/g)]
      .map((match) => match[1] as string)
      .filter((action) => !action.startsWith('./'));
    expect(used.length).toBeGreaterThan(2);
    for (const action of used) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may only read, except where a job asks for more', () => expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m));

  it('ends each job, and leaves no token in the clone', () => {
    expect(jobs.length).toBeGreaterThan(1);
    for (const [name, body] of jobs) {
      if (body.includes('runs-on:')) expect(body, name).toContain('timeout-minutes:');
      const clones = body.match(/actions\/checkout@/g)?.length ?? 0;
      expect(body.match(/persist-credentials: false/g)?.length ?? 0, name).toBe(clones);
    }
  });

  it('runs npm scripts that exist', () => {
    for (const match of text.matchAll(/npm run ([\w-]+)/g)) expect(scripts).toHaveProperty(match[1] as string);
  });
});
