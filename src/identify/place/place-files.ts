// Where country and network data lie on a machine, and the few looks at the file system that finding them takes.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';

/** Largest file that is read: it stays in memory. Country files are about 10 MB, city files about 60. */
const FILE_LIMIT = 256 * 2 ** 20;
const MAX_NAMES = 1000;

/** Looks at the file system; tests hand in their own. */
export interface PlaceFiles {
  /** Names in a folder; empty where there is none. Never throws. */
  list(folder: string): readonly string[];
  /** A file's bytes; null where there is no such file. @throws Error that says why it can't be read */
  read(path: string): Buffer | null;
}

const FOLDERS = [
  '/usr/share/GeoIP',
  '/var/lib/GeoIP',
  '/usr/local/share/GeoIP',
  '/usr/local/var/GeoIP',
  '/opt/homebrew/var/GeoIP',
  '/opt/homebrew/share/GeoIP',
];
const HOME_FOLDERS = ['.local/share/GeoIP', '.local/share/netmon-tui', 'Library/Application Support/netmon-tui'];

/** File names, best first: what is small and made for the purpose comes before cities, which are read for their countries only. */
const NAMES = {
  country: [
    /^Geo(?:Lite2|IP2)-Country\.mmdb$/i,
    /^dbip-country(?:-lite)?(?:-\d{4}-\d{2})?\.mmdb$/i,
    /^(?:ipinfo[_-]?)?(?:country|country_asn|lite)\.mmdb$/i,
    /^Geo(?:Lite2|IP2)-City\.mmdb$/i,
    /^dbip-city(?:-lite)?(?:-\d{4}-\d{2})?\.mmdb$/i,
  ],
  asn: [
    /^Geo(?:Lite2|IP2)-(?:ASN|ISP)\.mmdb$/i,
    /^dbip-asn(?:-lite)?(?:-\d{4}-\d{2})?\.mmdb$/i,
    /^(?:ipinfo[_-]?)?(?:asn|country_asn|lite)\.mmdb$/i,
  ],
} as const;

/** What a file is looked for. */
export type PlaceRole = keyof typeof NAMES;

/** Path of the best file of the usual places, null where there is none. @param home folder of the user, null where it is not known */
export function usualPath(role: PlaceRole, home: string | null, files: PlaceFiles): string | null {
  const folders = home === null ? FOLDERS : [...HOME_FOLDERS.map((folder) => `${home}/${folder}`), ...FOLDERS];
  const listed = folders.map((folder) => ({ folder, names: [...files.list(folder)].sort().reverse() })); // newest month first
  for (const wanted of NAMES[role])
    for (const { folder, names } of listed) {
      const name = names.find((one) => wanted.test(one));
      if (name !== undefined) return `${folder}/${name}`;
    }
  return null;
}

/** The machine's file system. */
export const systemPlaceFiles: PlaceFiles = {
  list(folder) {
    try {
      return readdirSync(folder).slice(0, MAX_NAMES);
    } catch {
      return []; // most machines have none of these folders
    }
  },
  read(path) {
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not stop the start for ever
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw new Error(`can't be opened (${code})`);
    }
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new Error('no regular file');
      if (stats.size > FILE_LIMIT) throw new Error(`larger than ${FILE_LIMIT / 2 ** 20} MiB`);
      const bytes = Buffer.allocUnsafe(stats.size);
      let length = 0;
      while (length < bytes.length) {
        const got = readSync(descriptor, bytes, length, bytes.length - length, null);
        if (got === 0) break;
        length += got;
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  },
};
