// Alerts on a machine: real programs in a namespace do what each kind is about, after a first run has recorded what is usual.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Told {
  readonly type: string;
  readonly kind: string;
  readonly text: string;
  readonly held: string | null;
}

const WEB = '203.0.113.9';
/** A web server, and a resolver that answers every question with the question. */
const SERVERS = `
  require('node:http').createServer((request, out) => request.resume().on('end', () => out.end('hello'))).listen(8080, '${WEB}', () => {
    const dns = require('node:dgram').createSocket('udp4');
    dns.on('message', (asked, { port, address }) => { asked[2] |= 0x80; dns.send(asked, port, address); });
    dns.bind(53, '${WEB}', () => console.log('ready'));
  });`;
/** Tries many ports, one after the other. */
const SCAN = `const { connect } = require('node:net'); let port = 1;
  const next = () => { if (port < 150) connect(port++, '${WEB}').on('error', next).on('connect', next); }; next();`;
/** Where whoever is behind the router seems to be. */
const CALLER = '203.0.113.20';
const BEHIND = '192.168.77.2';
const TRANSLATE = `table ip nmt { chain out { type nat hook postrouting priority 100; oifname "vb" ip saddr ${BEHIND} snat to ${CALLER}; }; }`;
/** Calls ports that nobody listens on. */
const KNOCK = `const { connect } = require('node:net'); let port = 2000;
  const next = () => { if (port < 2060) connect(port++, '10.99.0.1').on('error', next); }; next();`;
const reason = netnsObstacle('curl', 'dig');

describe('alerts, live', () => {
  const program = inject('program');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-alerts-'));
  const config = join(folder, 'config.toml');
  let pair: Pair;

  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`alerts, live: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
    pair.run(pair.far, `ip addr add ${WEB}/32 dev lo`);
    pair.run(pair.near, 'ip route add 203.0.113.0/24 via 10.99.0.2');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds a new name, a new app, the same name at a new place, an upload, a scan, a beacon, and data in the names of dig', async () => {
    writeFileSync(config, '[alerts]\nlearn = "0s"\nupload-floor = "1 MB"\n');
    const server = pair.start(pair.far, process.execPath, ['-e', SERVERS]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const words = [
      '--json',
      '--interval',
      '200ms',
      '-i',
      'va',
      '--config',
      config,
      `--history=${join(folder, 'h.sqlite')}`,
      '--stay-root',
    ];
    const start = async () => {
      const run = new Running(pair.start(pair.near, process.execPath, [program.bin, ...words]));
      await run.until(() => run.samples.length > 0, 'the first sample');
      return run;
    };
    const curl = (host: string, more = '', from = 'curl') =>
      pair.run(pair.near, `${from} -s -o /dev/null ${more} --resolve ${host}:8080:${WEB} http://${host}:8080/`);
    const dig = (...names: readonly string[]) =>
      pair.run(pair.near, `dig +short +tries=1 +timeout=1 @${WEB} ${names.join(' ')} || :`);

    const first = await start();
    curl('good.example.com');
    dig('a.example.com');
    await first.until(() => JSON.stringify(first.samples.at(-1)).includes('"dig"'), 'what is usual');
    expect(await first.interrupt()).toBe(130);

    const run = await start();
    const alerts = () => (run.lines as unknown as Told[]).filter(({ type }) => type === 'alert');
    const told = async (kind: string, text: RegExp) => {
      await run.until(() => alerts().some((one) => one.kind === kind && text.test(one.text)), `${kind}: ${text}`);
      expect(alerts().find((one) => one.kind === kind && text.test(one.text))?.held).toBe(null);
    };
    pair.start(pair.near, 'sh', [
      '-c',
      `while :; do curl -s -o /dev/null --resolve c2.example.org:8080:${WEB} http://c2.example.org:8080/; sleep 7.2; done`,
    ]);
    curl('good.example.com');
    curl('new.example.net');
    await told('new-domain', /^curl reached example\.net for the first time\.$/);
    expect(alerts().some(({ text }) => text.includes('example.com'))).toBe(false);

    copyFileSync(pair.run(pair.near, 'command -v curl').trim(), join(folder, 'curl'));
    spawnSync('chmod', ['755', join(folder, 'curl')]);
    curl('good.example.com', '', join(folder, 'curl'));
    await told('new-app', /^curl ran from a new place: same name, but .*\/curl\.$/);

    pair.run(pair.near, `${process.execPath} -e "${SCAN.replaceAll('\n', ' ')}"`);
    await told('new-app', /^node\S* used the network for the first time, to reach 203\.0\.113\.9\.$/);
    await told(
      'scan',
      /^node\S* tried about \d+ ports on 203\.0\.113\.9 within a minute; (\d+ %|all) refused or did not answer\.$/,
    );

    writeFileSync(join(folder, 'big'), Buffer.alloc(3_000_000));
    curl('good.example.com', `-T ${join(folder, 'big')}`);
    await told('upload', /^curl sent [34](\.\d)? MB this hour; it has been watched for .*, too short to say what is usual\.$/);

    const data = (i: number) => `${String(i).padStart(60, 'q')}.t.example.org`;
    for (let i = 0; i < 120; i += 40) dig(...Array.from({ length: 40 }, (_, j) => data(i + j)));
    await told('dns-tunnel', /^dig asked DNS for \d+ long names under example\.org within ten minutes\.$/);

    const begun = performance.now();
    while (performance.now() - begun < 100_000 && !alerts().some(({ kind }) => kind === 'beacon'))
      await new Promise((resolve) => setTimeout(resolve, 1000));
    await told('beacon', /^curl calls c2\.example\.org every \d+(\.\d)? s, (to within 0\.1|give or take \d(\.\d)?) s\.$/);
    expect(await run.interrupt()).toBe(130);
    const counts = alerts().map(({ kind, text }) => `${kind}: ${text}`);
    expect(new Set(counts).size, counts.join('\n')).toBe(counts.length);
  }, 150_000);

  // Sockets of another network namespace are this machine's, as a container's are. Behind a router that translates, nobody can tell.
  it('finds a first caller from outside and a scan from there, and takes a namespace of its own for no outside', async ({
    skip,
    onTestFinished,
  }) => {
    const outside = `nmo${process.pid}`;
    const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    ip('netns', 'add', outside);
    onTestFinished(() => void ip('netns', 'del', outside));
    ip('link', 'add', 'vo', 'netns', pair.far, 'type', 'veth', 'peer', 'name', 'vp', 'netns', outside);
    pair.run(pair.far, 'ip addr add 192.168.77.1/24 dev vo; ip link set vo up; sysctl -qw net.ipv4.ip_forward=1');
    pair.run(outside, `ip addr add ${BEHIND}/24 dev vp; ip link set vp up; ip route add default via 192.168.77.1`);
    const { status, error } = spawnSync('ip', ['netns', 'exec', pair.far, 'nft', TRANSLATE]);
    if (error !== undefined || status !== 0) return skip('alerts, live: needs nft of nftables');

    writeFileSync(config, '[alerts]\nlearn = "0s"\n');
    const words = ['--json', '--interval', '200ms', '-i', 'va', '--config', config, `--history=${join(folder, 'in.sqlite')}`];
    const start = async () => {
      const run = new Running(pair.start(pair.near, process.execPath, [program.bin, ...words, '--stay-root']));
      await run.until(() => run.samples.length > 0, 'the first sample');
      const serve = `for (const port of [9090, 9091]) require('node:http').createServer((_, out) => out.end()).listen(port, '10.99.0.1');
        setTimeout(() => console.log('ready'), 300);`;
      const server = pair.start(pair.near, process.execPath, ['-e', serve]);
      await new Promise((resolve) => server.stdout.once('data', resolve));
      const end = () => {
        server.kill('SIGKILL');
        return run.interrupt();
      };
      return { run, end };
    };
    const call = (from: string, port: number) => pair.run(from, `curl -s -o /dev/null http://10.99.0.1:${port}/`);
    const inbound = ({ samples }: Running) => (samples.at(-1)?.flows ?? []).filter(({ direction }) => direction === 'inbound');

    const first = await start();
    call(outside, 9090);
    await first.run.until(() => inbound(first.run).length > 0, 'what is usual');
    expect(await first.end()).toBe(130);

    const { run, end } = await start();
    call(outside, 9090);
    call(pair.far, 9091);
    call(outside, 9091);
    for (const from of [pair.far, outside]) pair.run(from, `${process.execPath} -e "${KNOCK.replaceAll('\n', ' ')}"`);
    const alerts = () => (run.lines as unknown as Told[]).filter(({ type }) => type === 'alert');
    await run.until(() => alerts().length > 1, 'both alerts');
    expect(await end()).toBe(130);
    expect(alerts().map(({ kind, text, held }) => `${kind}: ${text} ${held}`)).toEqual([
      expect.stringMatching(/^new-inbound: node\S* accepted a connection from outside this network .* on tcp\/9091\. null$/),
      expect.stringMatching(/^scan: 203\.0\.113\.20 tried about \d+ ports on this machine within a minute; .*\. null$/),
    ]);
    const directions = new Set(run.samples.flatMap(({ flows }) => flows.map(({ direction, app }) => `${direction} ${app}`)));
    expect([...directions].some((text) => /^local node/.test(text))).toBe(true);
  }, 60_000);
});
