import { describe, expect, it } from 'vitest';
import { foldApp } from '../../../../src/identify/process/directory.ts';
import type { ProcessFacts } from '../../../../src/identify/process/process-facts.ts';

function fold(facts: Partial<ProcessFacts>) {
  const exe = facts.exe === undefined ? '/usr/bin/curl' : facts.exe;
  const name = exe === null ? 'curl' : exe.slice(exe.lastIndexOf('/') + 1);
  return foldApp({ pid: 1, name, exe, uid: 0, parentPid: 1, startTime: 1, script: null, unit: null, ...facts });
}

describe('foldApp', () => {
  it('is the executable', () => {
    expect(fold({})).toEqual({ key: '/usr/bin/curl', name: 'curl', exe: '/usr/bin/curl' });
    expect(fold({ exe: null, name: 'flash' })).toEqual({ key: 'flash', name: 'flash', exe: null });
  });

  it('is the outermost bundle, with all its helpers', () => {
    const chrome = '/Applications/Google Chrome.app';
    const helper = `${chrome}/Contents/Frameworks/Google Chrome Framework.framework/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper`;
    const main = fold({ exe: `${chrome}/Contents/MacOS/Google Chrome` });
    expect([main, fold({ exe: helper })]).toEqual([
      { key: chrome, name: 'Google Chrome', exe: chrome },
      { key: chrome, name: 'Google Chrome', exe: chrome },
    ]);
  });

  it('is the script of an interpreter, one app per script', () => {
    const one = fold({ exe: '/usr/bin/python3', script: 'backup.py' });
    const two = fold({ exe: '/usr/bin/python3', script: 'sync.py' });
    expect([one.name, two.name, one.key === two.key]).toEqual(['backup.py (python3)', 'sync.py (python3)', false]);
  });

  it('includes the container beside the program, but only the program of a service', () => {
    expect(fold({ exe: '/usr/sbin/nginx', unit: 'docker 0123456789ab' }).name).toBe('nginx (docker 0123456789ab)');
    expect(fold({ exe: '/usr/sbin/nginx', unit: 'nginx.service' })).toEqual(fold({ exe: '/usr/sbin/nginx' }));
  });

  it('is the tool itself inside Xcode, which contains git, compilers and other apps', () => {
    const developer = '/Applications/Xcode.app/Contents/Developer';
    const git = `${developer}/usr/bin/git`;
    expect(fold({ exe: git })).toEqual({ key: git, name: 'git', exe: git });
    expect(fold({ exe: `${developer}/usr/libexec/git-core/git-remote-http` }).name).toBe('git-remote-http');
    const simulator = `${developer}/Applications/Simulator.app`;
    expect(fold({ exe: `${simulator}/Contents/MacOS/Simulator` })).toEqual({ key: simulator, name: 'Simulator', exe: simulator });
    expect(fold({ exe: '/Applications/Xcode.app/Contents/MacOS/Xcode' }).name).toBe('Xcode');
  });

  it('doesn’t take a folder for a bundle because its name ends like one', () => {
    expect(fold({ exe: '/opt/x.application/bin/tool' }).name).toBe('tool');
    expect(fold({ exe: '/opt/x.app' }).name).toBe('x.app');
  });
});
