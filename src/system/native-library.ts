// koffi in a bundle: the native library alone, without koffi's own search for it, which looks into folders beside the program's that others may
// write. The executable has the library inside and lets the system load it from a file without a name, or from a private one for a moment.

import { closeSync, constants, fchmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { isExecutable, ownFilesIn, ownPath, readOwnFile } from './own-files.ts';

const LIBRARIES = 'dist/bundle/koffi';
/** Folders for files that live a moment. Only root can rename what root makes there. */
const FOLDERS = ['/dev/shm', '/tmp', '/var/tmp', '/run'] as const;
const PREFIX = 'netmon-tui-';
/** open(2)'s O_TMPFILE without O_DIRECTORY: a file that never gets a name. The same on x64 and arm64. */
const O_TMPFILE = 0o20000000;
/** Under this name a thread finds the file that an earlier one made. */
const SHARED = 'netmon-tui: native library';

/** Loads it. @throws the loader's error if there is none for this machine */
export function loadNative(): object {
  const { platform, arch } = process;
  const systems = platform === 'linux' ? (isMusl() ? ['musl', 'linux'] : ['linux', 'musl']) : [platform];
  let failure: unknown = null;
  for (const path of systems.flatMap((system) => librariesOf(`${system}_${arch}`))) {
    try {
      return isExecutable ? loadHeld(path) : load(ownPath(path));
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}

/** Libraries of a platform; on some processors koffi's name for it is longer (`linux_armhf`). */
function librariesOf(platform: string): readonly string[] {
  const longer = ownFilesIn(LIBRARIES).filter((name) => name.startsWith(platform) && name !== platform);
  return [platform, ...longer].map((name) => `${LIBRARIES}/${name}/koffi.node`);
}

function load(path: string): object {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/** Whether this process runs on musl; loading the wrong library could crash. */
function isMusl(): boolean {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-');
  } catch {
    return false;
  }
}

/** Loads a library that the executable holds. */
function loadHeld(path: string): object {
  const shared = getEnvironmentData(SHARED);
  if (typeof shared === 'string') return load(shared);
  const bytes = readOwnFile(path);
  let failure: unknown = null;
  for (const folder of FOLDERS) {
    try {
      return process.platform === 'linux' ? loadNameless(folder, bytes) : loadPrivate(folder, bytes);
    } catch (thrown) {
      failure = thrown; // the folder is missing, or nothing in it may be executed
    }
  }
  throw failure;
}

/** From a file without a name: only descriptors of this process lead to it, and the one that may write is closed by then. */
function loadNameless(folder: string, bytes: Buffer): object {
  const writing = openNameless(folder);
  let reading: number;
  try {
    writeFileSync(writing, bytes);
    fchmodSync(writing, 0o444); // other threads load it after root was dropped
    reading = openSync(`/proc/self/fd/${writing}`, 'r'); // stays open for them
  } finally {
    closeSync(writing);
  }
  const path = `/proc/self/fd/${reading}`;
  try {
    const loaded = load(path);
    setEnvironmentData(SHARED, path);
    return loaded;
  } catch (thrown) {
    closeSync(reading);
    throw thrown;
  }
}

/** What open(2) says where there is no O_TMPFILE: an overlay file system before Linux 6.1, or an older kernel. */
const NO_TMPFILE: ReadonlySet<string | undefined> = new Set(['EOPNOTSUPP', 'EISDIR']);

/**
 * Opens a file that has no name, or has lost it where the file system can't make such files. With capabilities that come from the executable it must
 * never have had one: its user's other processes could open it for writing meanwhile.
 *
 * @param isLent whether this process has such capabilities @throws the error of open(2)
 */
export function openNameless(folder: string, isLent = hasLentRights(), open: typeof openSync = openSync): number {
  try {
    return open(folder, constants.O_RDWR | constants.O_DIRECTORY | O_TMPFILE, 0o600);
  } catch (thrown) {
    // a full disk isn't a reason: whoever filled it can empty it now
    if (isLent || !NO_TMPFILE.has((thrown as NodeJS.ErrnoException).code)) throw thrown;
    const own = mkdtempSync(join(folder, PREFIX));
    try {
      return open(join(own, 'koffi.node'), 'wx+', 0o600);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  }
}

/** Whether a user who isn't root has capabilities here; true if that is unreadable. */
function hasLentRights(): boolean {
  if (process.geteuid?.() === 0) return false;
  try {
    return !/^CapPrm:\s*0+$/m.test(readFileSync('/proc/self/status', 'latin1'));
  } catch {
    return true;
  }
}

/** From a folder of this user's alone, which is gone when the library is loaded. */
function loadPrivate(folder: string, bytes: Buffer): object {
  const own = mkdtempSync(join(folder, PREFIX));
  try {
    const path = join(own, 'koffi.node');
    writeFileSync(path, bytes, { mode: 0o500, flag: 'wx' });
    return load(path);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
