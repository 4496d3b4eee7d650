import { beforeEach, expect, it } from 'vitest';
import { Directory, Users } from '../../../../../../src/identify/process/directory.ts';
import { type ContainerAnswer, Containers } from '../../../../../../src/identify/process/linux/containers/containers.ts';
import { containerLabel } from '../../../../../../src/model/terms.ts';

const ID = '0123456789abcdef'.repeat(4);
const DOCKER = { engine: 'docker', id: ID, owner: null };
const NOTHING = { container: null, image: null, pod: null, namespace: null, project: null };

let asked = 0;
let now = 0;
let answer: ContainerAnswer;
let containers: Containers;
beforeEach(() => {
  asked = 0;
  now = 0;
  answer = { ...NOTHING, container: 'web', image: 'nginx' };
  const read = () => {
    asked++;
    return answer;
  };
  containers = new Containers(read, () => now);
});

it('asks once for a container that is known', () => {
  const web = containers.of(DOCKER);
  now = 1e6;
  expect(containers.of({ ...DOCKER })).toBe(web);
  expect(asked).toBe(1);
  expect(web).toEqual({ ...NOTHING, engine: 'docker', id: ID, container: 'web', image: 'nginx', unknown: null });
});

it('says what would help where nothing is known, and asks again later', () => {
  answer = 'hidden';
  const hidden = containers.of(DOCKER);
  expect(hidden.container).toBe('0123456789ab');
  expect(hidden.unknown).toContain('without --drop-all');
  now = 1000;
  expect(containers.of(DOCKER)).toBe(hidden);
  expect(asked).toBe(1);
  now = 3000;
  expect(containers.of(DOCKER)).toBe(hidden);
  expect(asked).toBe(2);
  now = 6000;
  expect(containers.of(DOCKER)).toBe(hidden);
  expect(asked).toBe(2);
  now = 7000;
  answer = { ...NOTHING, container: 'web' };
  expect(containers.of(DOCKER)).toMatchObject({ container: 'web', unknown: null });
});

it.each([
  ['missing', 'not in'],
  ['refused', "aren't trusted"],
  ['silent', "doesn't answer"],
] as const)('says why: %s', (why, text) => {
  answer = why;
  expect(containers.of({ ...DOCKER, owner: 1000 }).unknown).toMatch(new RegExp(`of user 1000.*${text}|${text}.*of user 1000`));
});

it('strips what files say', () => {
  answer = { ...NOTHING, container: '\u001b[31mweb\u202e', image: '\u0000' };
  expect(containers.of(DOCKER)).toMatchObject({ container: expect.not.stringMatching(/[\u001b\u202e]/u), image: null });
});

it('of LXC has its name without asking', () => {
  expect(containers.of({ engine: 'lxc', id: 'db', owner: null })).toMatchObject({ container: 'db', unknown: null });
  expect(asked).toBe(0);
});

it('names apps: those of each container apart, scripts too, and those of a pod together', () => {
  const directory = new Directory(new Users('/nonexistent'), null, null, containers);
  const facts = { name: 'nginx', exe: '/usr/sbin/nginx', uid: 0, parentPid: 1, startTime: 1, script: null, unit: null };
  const appOf = (pid: number, more: object = {}) => {
    const process = directory.process(directory.learn({ ...facts, pid, container: DOCKER, ...more }));
    return [directory.app(process?.app ?? -1)?.name, process?.unit, process?.container?.image];
  };
  expect(appOf(1)).toEqual(['nginx (docker web)', 'docker web', 'nginx']);
  expect(appOf(2, { name: 'node', script: 'server.js' })).toEqual(['server.js (node, docker web)', 'docker web', 'nginx']);
  expect(appOf(3, { container: null })).toEqual(['nginx', null, undefined]);
  answer = { ...NOTHING, container: 'proxy', pod: 'web-0', namespace: 'shop' };
  expect(appOf(4, { container: { ...DOCKER, id: 'a'.repeat(64) } })[0]).toBe('nginx (pod shop/web-0)');
  expect(directory.appCount).toBe(4);
  expect(containerLabel({ ...containers.of(DOCKER), pod: 'x' })).toBe('docker web');
});
