// Preloaded with node --import: makes Node answer as it does on a Mac.
import { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/** A script that starts Node with this preload, so that children of the program get it, too. */
const MAC_NODE = '/usr/mac/node';
const linuxNode = process.execPath;

function become(platform, execPath) {
  Object.defineProperty(process, 'platform', { value: platform, enumerable: true, configurable: true });
  process.execPath = execPath;
}

become('darwin', MAC_NODE);
os.platform = () => 'darwin';
os.type = () => 'Darwin';
os.release = () => '25.1.0';

/** Interfaces that are up and have an address (libuv, bsd-ifaddrs.c). */
const ADDRESSES = {
  lo0: [
    ['127.0.0.1', '255.0.0.0', 0],
    ['fe80::1', 'ffff:ffff:ffff:ffff::', 1],
  ],
  en0: [
    ['fe80::1c3f:1234:5678:9abc', 'ffff:ffff:ffff:ffff::', 14],
    ['192.168.1.10', '255.255.255.0', 0],
  ],
  utun4: [['100.64.0.2', '255.255.255.255', 0]],
};
os.networkInterfaces = () =>
  Object.fromEntries(
    Object.entries(ADDRESSES).map(([name, addresses]) => [
      name,
      addresses.map(([address, netmask, scopeid]) => ({
        address,
        netmask,
        ...(address.includes(':') ? { family: 'IPv6', scopeid } : { family: 'IPv4' }),
        mac: name === 'en0' ? 'ac:de:48:00:11:22' : '00:00:00:00:00:00',
        internal: name === 'lo0',
        cidr: null,
      })),
    ]),
  );
syncBuiltinESMExports();

// koffi asks for the native library of macOS and gets the one of Linux, which checks the platform as it loads.
const load = process.dlopen;
process.dlopen = (module, path, ...more) => {
  if (!path.includes('/koffi/darwin_')) return load.call(process, module, path, ...more);
  become('linux', linuxNode);
  try {
    load.call(process, module, path.replace('/koffi/darwin_', '/koffi/linux_'), ...more);
  } finally {
    become('darwin', MAC_NODE);
  }
};

// Linux has no SIGINFO; tcpdump.mjs takes SIGUSR2 for it.
const { kill } = ChildProcess.prototype;
ChildProcess.prototype.kill = function (signal) {
  return kill.call(this, signal === 'SIGINFO' ? 'SIGUSR2' : signal);
};
