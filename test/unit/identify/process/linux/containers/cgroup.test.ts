import { describe, expect, it } from 'vitest';
import { containerOf, unitOf } from '../../../../../../src/identify/process/linux/containers/cgroup.ts';

const ID = '0123456789abcdef'.repeat(4);
const POD = '1c2f9c3e-5c62-4a8e-9a53-0f6a3f1d2b4c';

describe('unitOf', () => {
  it.each([
    ['0::/system.slice/ssh.service\n', 'ssh.service'],
    ['0::/system.slice/system-getty.slice/getty@tty1.service\n', 'getty@tty1.service'],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/firefox.service\n', 'firefox.service'],
    ['0::/system.slice/systemd-journald\\x2ddev.socket\n', 'systemd-journald-dev.socket'],
    ['12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/system.slice/cron.service\n', 'cron.service'],
  ])('%s', (cgroup, unit) => {
    expect(unitOf(cgroup)).toBe(unit);
    expect(containerOf(cgroup)).toBeNull();
  });

  it.each([
    '',
    '0::/\n',
    '0::/user.slice/user-1000.slice/user@1000.service/init.scope\n',
    '0::/user.slice/session-3.scope\n',
    '4:cpu:/a.service\n',
  ])('nothing: %j', (cgroup) => {
    expect(unitOf(cgroup)).toBeNull();
    expect(containerOf(cgroup)).toBeNull();
  });

  it('ends on a long, hostile path', () => {
    expect(unitOf(`0::/${'a.service'.repeat(400)}`)).toBeNull();
    expect(containerOf(`0::/docker-${'z'.repeat(4000)}.scope`)).toBeNull();
    expect(containerOf(`0::/kubepods${'/pod'.repeat(1000)}/${ID}`)).toBeNull();
  });
});

describe('containerOf', () => {
  it.each([
    [`0::/system.slice/docker-${ID}.scope\n`, 'docker', null],
    [`11:memory:/docker/${ID}\n`, 'docker', null],
    [`0::/system.slice/docker-${ID}.scope/system.slice/nginx.service\n`, 'docker', null],
    [`0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope\n`, 'docker', 1000],
    [`0::/machine.slice/libpod-${ID}.scope/container\n`, 'podman', null],
    [`5:pids:/libpod_parent/libpod-${ID}\n`, 'podman', null],
    [`0::/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-${ID}.scope/container\n`, 'podman', 1001],
    [`0::/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope\n`, 'containerd', null],
    [`0::/kubepods.slice/kubepods-burstable.slice/x.slice:cri-containerd:${ID}\n`, 'containerd', null],
    [`0::/kubepods/besteffort/crio-${ID}.scope\n`, 'cri-o', null],
    [`0::/system.slice/nerdctl-${ID}.scope\n`, 'nerdctl', null],
    [`9:memory:/kubepods/burstable/pod${POD}/${ID}\n0::/\n`, 'kubernetes', null],
  ])('%s', (cgroup, engine, owner) => {
    expect(containerOf(cgroup)).toEqual({ engine, id: ID, owner });
  });

  it.each([
    ['0::/lxc.payload.web/init.scope\n', 'web'],
    ['0::/lxc/db\n', 'db'],
  ])('%s', (cgroup, id) => {
    expect(containerOf(cgroup)).toEqual({ engine: 'lxc', id, owner: null });
  });

  it("doesn't take what watches a container for the container", () => {
    expect(containerOf(`0::/machine.slice/libpod-conmon-${ID}.scope\n`)).toBeNull();
    expect(containerOf(`0::/system.slice/crio-conmon-${ID}.scope\n`)).toBeNull();
  });
});
