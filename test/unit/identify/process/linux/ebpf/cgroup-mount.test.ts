import { describe, expect, it } from 'vitest';
import { cgroupMount } from '../../../../../../src/identify/process/linux/ebpf/loader.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

const mountOf = (mounts: string | null) => cgroupMount(`${fakeRoot(mounts === null ? {} : { 'proc/self/mounts': mounts })}/proc`);

describe('cgroupMount', () => {
  it('finds the unified hierarchy alone', () => {
    const mounts = `sysfs /sys sysfs rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0
bpf /sys/fs/bpf bpf rw 0 0
`;
    expect(mountOf(mounts)).toBe('/sys/fs/cgroup');
  });

  it('finds it beside version 1 (hybrid)', () => {
    const mounts = `tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
`;
    expect(mountOf(mounts)).toBe('/sys/fs/cgroup/unified');
  });

  it('finds none with version 1 only, without mounts, or without procfs', () => {
    expect(mountOf('cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n')).toBeNull();
    expect(mountOf('')).toBeNull();
    expect(mountOf(null)).toBeNull();
  });

  it('finds it at a path with a blank, escaped as in getmntent(3)', () => {
    expect(mountOf('none /mnt/my\\040cgroups\\134x cgroup2 rw 0 0\n')).toBe('/mnt/my cgroups\\x');
  });

  it('goes by the type, not by the name of the source', () => {
    expect(mountOf('cgroup2 /mnt/a tmpfs rw 0 0\nany /mnt/b cgroup2 rw 0 0\n')).toBe('/mnt/b');
  });
});
