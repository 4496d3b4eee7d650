import { describe, expect, it } from 'vitest';
import { unitOf } from '../../../../../../src/identify/process/linux/procfs/process.ts';

const ID = '0123456789abcdef'.repeat(4);

describe('unitOf', () => {
  it.each([
    ['0::/system.slice/ssh.service\n', 'ssh.service'],
    ['0::/system.slice/system-getty.slice/getty@tty1.service\n', 'getty@tty1.service'],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/firefox.service\n', 'firefox.service'],
    ['0::/system.slice/systemd-journald\\x2ddev.socket\n', 'systemd-journald-dev.socket'],
    ['12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/system.slice/cron.service\n', 'cron.service'],
    [`0::/system.slice/docker-${ID}.scope\n`, 'docker 0123456789ab'],
    [`11:memory:/docker/${ID}\n`, 'docker 0123456789ab'],
    [`0::/machine.slice/libpod-${ID}.scope/container\n`, 'podman 0123456789ab'],
    [`0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope\n`, 'containerd 0123456789ab'],
    [`0::/kubepods/besteffort/crio-${ID}.scope\n`, 'cri-o 0123456789ab'],
    ['0::/lxc.payload.web/init.scope\n', 'lxc web'],
    ['0::/lxc/db\n', 'lxc db'],
  ])('%s', (cgroup, unit) => {
    expect(unitOf(cgroup)).toBe(unit);
  });

  it.each([
    '',
    '0::/\n',
    '0::/user.slice/user-1000.slice/user@1000.service/init.scope\n',
    '0::/user.slice/session-3.scope\n',
    '4:cpu:/a.service\n',
  ])('nothing: %j', (cgroup) => {
    expect(unitOf(cgroup)).toBeNull();
  });

  it('ends on a long, hostile path', () => {
    expect(unitOf(`0::/${'a.service'.repeat(400)}`)).toBeNull();
    expect(unitOf(`0::/docker-${'z'.repeat(4000)}.scope`)).toBeNull();
  });
});
