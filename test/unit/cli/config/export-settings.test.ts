// What the configuration says about exports, in tables inside a table, and whose configuration may say it.

import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { loadConfig } from '../../../../src/cli/config/config.ts';
import { configText } from '../../../../src/cli/config/print-config.ts';
import { resolveExports, resolveOptions } from '../../../../src/cli/resolve.ts';

async function loaded(text: string, words: string[] = [], path = FILE, mode = 0o100600) {
  const line = parseCommandLine(words);
  const config = await loadConfig(line, {
    platform: 'linux',
    env: { HOME: '/home/ann' },
    euid: 501,
    passwd: () => '',
    files: {
      folderOwner: () => null,
      read: (asked) => (asked === path ? { kind: 'read', uid: 501, mode, isFile: true, text } : { kind: 'missing' }),
    },
  });
  return { line, config };
}
const exportsOf = async (text: string, env = {}) => resolveExports((await loaded(text)).config, env);

const FILE = '/home/ann/.config/netmon-tui/config.toml';
const ALL = `[export]
fields = ["domain", "host"]
hash = ["address", "domain"]
[export.clickhouse]
url = "https://db.example:8443/?database=net"
user = "net"
secret-file = "db.secret"
ca = "~/ca.pem"
[export.prometheus]
listen = "localhost:9464"`;

describe('exports', () => {
  it('are none unless the file says so', async () => {
    expect(await exportsOf('')).toBeNull();
    expect(await exportsOf('[export]\nfields = ["domain"]')).toBeNull();
  });

  it('go to a collector of IPFIX at its usual port', async () => {
    const push = async (to: string) => (await exportsOf(`[export.ipfix]\nto = "${to}"`))?.push;
    const nobody = { user: null, secretFile: null, secret: null, ca: null };
    expect(await push('udp://flows.example')).toEqual([{ engine: 'ipfix', url: 'udp://flows.example:4739', ...nobody }]);
    expect(await push('tcp://[2001:db8::1]:2055')).toEqual([{ engine: 'ipfix', url: 'tcp://[2001:db8::1]:2055', ...nobody }]);
    for (const wrong of ['https://flows.example', 'udp://', 'udp://a.example/path', 'udp://ann@a.example'])
      await expect(push(wrong)).rejects.toThrow('udp://');
  });

  it('have an engine each, paths of the file, and a field hashed rather than plain', async () => {
    expect(await exportsOf(ALL, { NETMON_CLICKHOUSE_SECRET: 'hush' })).toEqual({
      push: [
        {
          engine: 'clickhouse',
          url: 'https://db.example:8443/?database=net',
          user: 'net',
          secretFile: '/home/ann/.config/netmon-tui/db.secret',
          secret: 'hush',
          ca: '/home/ann/ca.pem',
        },
      ],
      prometheus: { address: '127.0.0.1', port: 9464 },
      fields: ['host'],
      hash: ['domain', 'address'],
      folder: '/home/ann/.local/state/netmon-tui',
    });
  });

  it('are printed as a file that says the same', async () => {
    const { config } = await loaded(ALL);
    const printed = configText(config, '1').replace(/^# \S+ = .*$/gm, '');
    expect(printed).toContain('\n[export.clickhouse]\nurl = ');
    expect(await exportsOf(printed)).toEqual(await exportsOf(ALL));
  });

  it.each([
    ['[export.clickhous]\nurl = "https://x/"', 'unknown key "export.clickhous"'],
    ['[export.clickhouse]\nurl = 5', '"export.clickhouse.url" is not an address'],
    ['[export]\nclickhouse = "https://x/"', '"export.clickhouse" is not a table'],
    ['[export]\n"clickhouse.url" = "https://x/"', 'unknown key "export.clickhouse.url"'],
    ['[export.clickhouse]\nuser = "net"', '[export.clickhouse] has no address to send to'],
    ['[export.clickhouse]\nurl = "https://net:hush@x/"', 'export.clickhouse.url holds a password'],
    ['[export]\nfields = ["domain", "dns"]', '"export.fields" is not a list of exe, host'],
    ['[export.prometheus]\nlisten = "0.0.0.0:9464"', '"export.prometheus.listen" is not a loopback address'],
    ['[export.prometheus]\nlisten = "127.0.0.999:1"', 'is not a loopback address'],
    ['[export.prometheus]\nlisten = "[::1]:65536"', 'is not a loopback address'],
  ])('%j is refused', async (text, what) => {
    await expect(exportsOf(text)).rejects.toThrow(what);
  });

  it('of a file that others could have written are refused', async () => {
    const words = ['--config', '/tmp/x.toml'];
    const { config } = await loaded('export.otlp.url = "https://x/"', words, '/tmp/x.toml', 0o100622);
    expect(() => resolveExports(config, {})).toThrow('so the exports in it are refused');
  });

  it('leave replays, commands and questions alone', async () => {
    for (const words of [
      ['--read', 'x.pcap'],
      ['run', '--', 'ls'],
      ['why', 'example.com'],
    ]) {
      const { line, config } = await loaded(ALL, words);
      expect(resolveOptions(line, config).exports).toBeNull();
    }
    const { line, config } = await loaded(ALL, ['record']);
    expect(resolveOptions(line, config).exports).not.toBeNull();
  });
});
