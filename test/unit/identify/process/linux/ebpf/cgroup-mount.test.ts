import { describe, expect, it } from 'vitest';
import { cgroupMount } from '../../../../../../src/identify/process/linux/ebpf/loader.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

const mountOf = (mounts: string | null) => cgroupMount(`${fakeRoot(mounts === null ? {} : { 'proc/self/mounts': mounts })}/proc`);

describe('cgroupMount', () => {
  it('unified alone', () => {
    const mounts = `sysfs /sys sysfs rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0
bpf /sys/fs/bpf bpf rw 0 0
`;
    expect(mountOf(mounts)).toBe('/sys/fs/cgroup');
  });

  it('beside version 1 (hybrid)', () => {
    const mounts = `tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
`;
    expect(mountOf(mounts)).toBe('/sys/fs/cgroup/unified');
  });

  it('none: version 1 only, nothing, no procfs', () => {
    expect(mountOf('cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n')).toBeNull();
    expect(mountOf('')).toBeNull();
    expect(mountOf(null)).toBeNull();
  });

  it('at a place with a blank, written as getmntent(3) does', () => {
    expect(mountOf('none /mnt/my\\040cgroups\\134x cgroup2 rw 0 0\n')).toBe('/mnt/my cgroups\\x');
  });

  it('by its type, not by what its source is called', () => {
    expect(mountOf('cgroup2 /mnt/a tmpfs rw 0 0\nany /mnt/b cgroup2 rw 0 0\n')).toBe('/mnt/b');
  });
});
