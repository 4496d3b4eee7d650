// Finds and reads the machine's country and network data files.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';

/** Largest file to read, since it stays in memory. Country files are about 10 MB, city files about 60. */
const FILE_LIMIT = 256 * 2 ** 20;
const MAX_NAMES = 1000;

/** Access to the file system; tests replace it. */
export interface PlaceFiles {
  /** Names in a folder; empty if it can't be read. Never throws. */
  list(folder: string): readonly string[];
  /** A file's bytes; null if there is no such file. @throws Error with the reason if it can't be read */
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

/** File names, best first: small single-purpose files come before city files, of which we use only the country. */
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

/** What a file is for. */
export type PlaceRole = keyof typeof NAMES;

/** Path of the best file in the usual folders; null if there is none. @param home the user's home folder; null if unknown */
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
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // opening a FIFO must not block the start
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw new Error(`can't be opened (${code})`);
    }
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new Error('not a regular file');
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
