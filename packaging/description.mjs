// What every package of netmon-tui says and holds. The kinds of package differ only in how they write this down: packaging/make.mjs.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { name, version, license, repository } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const homepage = repository.url.replace(/^git\+|\.git$/g, '');

export const PACKAGE = {
  name,
  version,
  summary: 'Terminal network monitor: which app is talking to whom, live',
  /** Lines of at most 79 cells. */
  text: `netmon-tui captures packets and names the process behind each of them and the
host at its other end. It shows traffic by app, connection, host, category and
interface, live in a terminal, and records it on request. Capturing needs root,
which it gives up before it decodes the first packet.`,
  licence: license,
  homepage,
  maintainer: 'netmon-tui developers <netmon-tui@users.noreply.github.com>',
  /** What it needs beside the C and C++ libraries of the executable: libpcap is loaded by name, so no tool finds it. */
  needs: {
    deb: ['libgcc-s1', 'libstdc++6', 'libpcap0.8 | libpcap0.8t64'],
    rpm: ['libpcap.so.1()(64bit)'],
    arch: ['libpcap', 'nodejs'],
  },
};

/** The licence of Node, which is in the executable: beside the Node that made it, as nodejs.org packs it, or where Debian has it. */
const NODE_LICENCE = ['LICENSE', 'share/doc/nodejs/LICENSE']
  .map((path) => join(dirname(dirname(process.execPath)), path))
  .find((path) => existsSync(path));

const DOCUMENTS = ['CHANGELOG.md', 'README.md', 'SECURITY.md', 'THIRD-PARTY.md'];

/**
 * The files of a package, in folders below its prefix; without `from` the executable. `words` stands for what it prints with these arguments.
 *
 * @param zsh the folder for zsh's functions, which Debian has for itself
 */
export const files = (zsh = 'site-functions') => [
  { to: 'bin/netmon-tui', mode: 0o755 },
  { from: 'man/netmon-tui.1', to: 'share/man/man1/netmon-tui.1.gz' },
  { words: ['completions', 'bash'], to: 'share/bash-completion/completions/netmon-tui' },
  { words: ['completions', 'fish'], to: 'share/fish/vendor_completions.d/netmon-tui.fish' },
  { words: ['completions', 'zsh'], to: `share/zsh/${zsh}/_netmon-tui` },
  { from: 'LICENSE', to: 'share/doc/netmon-tui/copyright' },
  ...DOCUMENTS.map((name) => ({ from: name, to: `share/doc/netmon-tui/${name}` })),
  ...(NODE_LICENCE === undefined ? [] : [{ from: NODE_LICENCE, to: 'share/doc/netmon-tui/LICENSE.node.gz' }]),
];

/** What service managers read, by platform. */
export const SERVICES = {
  linux: { from: 'packaging/netmon-tui.service', to: 'lib/systemd/system/netmon-tui.service' },
  darwin: { from: 'packaging/netmon-tui.record.plist', to: 'share/netmon-tui/netmon-tui.record.plist' },
};
