// The deliveries themselves: real programs, servers and sockets, and texts from outside that try to be more than text.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { callBus, socketOf } from '../../../src/messenger/bus.ts';
import { desktopDelivery } from '../../../src/messenger/desktop.ts';
import { HookDelivery, whyNotStarted } from '../../../src/messenger/hook.ts';
import { messageOf } from '../../../src/messenger/message.ts';
import { journalEntry, LogDelivery, syslogEntry } from '../../../src/messenger/system-log.ts';
import { bodyFor, WebhookDelivery } from '../../../src/messenger/webhook.ts';
import { alertJson } from '../../support/alerts.ts';
import { ownFolder } from '../../support/fake-run.ts';

const OK = { isDelivered: true, refused: null };
const message = messageOf([alertJson()]);
const digest = messageOf([alertJson(), alertJson({ id: 'b', severity: 'warning', text: 'b sent much.' })]);

describe('a message', () => {
  it('of many lists the gravest first, and says how many more there are', () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      alertJson({ id: `a${i}`, text: `${i}.`, severity: i === 59 ? 'critical' : 'info' }),
    );
    const { text, title, severity, json } = messageOf(many);
    expect([title, severity]).toEqual(['netmon-tui: 60 alerts, critical', 'critical']);
    expect(text.split('\n')).toEqual(['59.', '0.', '1.', '2.', '3.', '4.', '5.', '6.', 'And 52 more.']);
    expect(JSON.parse(json)).toMatchObject({ type: 'digest', schema: 1, count: 60, severity: 'critical' });
    expect((JSON.parse(json) as { alerts: unknown[] }).alerts).toHaveLength(50);
  });
});

describe('a command', () => {
  /** A script that anybody would trust. */
  function script(text: string, mode = 0o755): { path: string; folder: string } {
    const folder = ownFolder();
    const path = join(folder, 'hook');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, mode);
    return { path, folder };
  }

  it('gets the alert as JSON and in variables, and its own arguments', async () => {
    const { path, folder } = script(
      `{ echo "$# $1"; echo "$NETMON_ALERT_KIND $NETMON_ALERT_APP $NETMON_ALERT_TEXT"; cat; } > "$(dirname "$0")/out"`,
    );
    expect(await new HookDelivery([path, '$HOME `id`']).send(message)).toEqual(OK);
    const [args, words, json] = readFileSync(join(folder, 'out'), 'utf8').split('\n');
    expect(args).toBe('1 $HOME `id`');
    expect(words).toBe('new-domain curl curl reached example.com for the first time.');
    expect(JSON.parse(json as string)).toEqual(alertJson());
  });

  it('need not read what it gets', async () => {
    const details = Array.from({ length: 64 }, () => 'x'.repeat(500));
    expect(await new HookDelivery([script('exit 0').path]).send(messageOf([alertJson({ details })]))).toEqual(OK);
  });

  it('is done when it fails, unless it asks for another time', async () => {
    const send = (text: string) => new HookDelivery([script(text).path]).send(message);
    expect(await send('exit 3')).toMatchObject({ reason: 'the command ended with status 3', isAgain: false });
    expect(await send('exit 75')).toMatchObject({ isAgain: true });
    expect(await send('kill -9 $$')).toMatchObject({ reason: 'the command was ended by SIGKILL', isAgain: false });
  });

  it('that hangs is killed with all that it started', async () => {
    const { path, folder } = script('sleep 600 & echo $! > "$(dirname "$0")/pid"; sleep 600');
    expect(await new HookDelivery([path], 300).send(message)).toMatchObject({
      reason: 'the command took longer than 0.3 s and was killed',
      isAgain: false,
    });
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('that the system refuses to start is tried again', async () => {
    const { path } = script('exit 0');
    expect(await new HookDelivery([path, 'x'.repeat(4 << 20)]).send(message)).toMatchObject({
      reason: "the command can't be started (E2BIG)",
      isAgain: true,
    });
  });

  it('is not started where others could replace it', async () => {
    const { path, folder } = script('exit 0');
    expect(whyNotStarted(path)).toBeNull();
    chmodSync(path, 0o775);
    expect(whyNotStarted(path)).toBe(`${path} can be written by other users`);
    chmodSync(path, 0o755);
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    writeFileSync(join(folder, 'open', 'hook'), '#!/bin/sh\n', { mode: 0o755 });
    expect(whyNotStarted(join(folder, 'open', 'hook'))).toBe(`${join(folder, 'open')} can be written by other users`);
    symlinkSync(join(folder, 'open', 'hook'), join(folder, 'link'));
    expect(whyNotStarted(join(folder, 'link'))).toBe(`${join(folder, 'open')} can be written by other users`);
    // One link leads to another, and that one others could point elsewhere.
    symlinkSync(path, join(folder, 'open', 'way'));
    symlinkSync(join('open', 'way'), join(folder, 'detour'));
    expect(whyNotStarted(join(folder, 'detour'))).toBe(`${join(folder, 'open')} can be written by other users`);
    symlinkSync('hook', join(folder, 'near'));
    expect(whyNotStarted(join(folder, 'near'))).toBeNull();
    symlinkSync('round', join(folder, 'round'));
    expect(whyNotStarted(join(folder, 'round'))).toBe(`${join(folder, 'round')} can't be started (ELOOP)`);
    expect(whyNotStarted(join(folder, 'none'))).toBe(`${join(folder, 'none')} can't be started (ENOENT)`);
    expect(await new HookDelivery([join(folder, 'none')]).send(message)).toMatchObject({ isAgain: true });
  });

  function isAlive(pid: number): boolean {
    try {
      return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      return false;
    }
  }
});

describe('a webhook', () => {
  /** A server that answers as told. */
  async function serving(listener: RequestListener, secured?: { cert: string; key: string }): Promise<string> {
    const server = secured === undefined ? createServer(listener) : createTlsServer(secured, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `${secured === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/topic?x=1`;
  }

  const hook = (url: string, more: object = {}) =>
    new WebhookDelivery({ url, format: 'json', token: null, ca: null, ...more }, 500);

  it('posts the alert, with its token', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string; target: string }[] = [];
    const url = await serving((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk));
      request.on('end', () => {
        seen.push({ headers: request.headers, body, target: `${request.method} ${request.url}` });
        response.end('thanks');
      });
    });
    expect(await hook(url, { token: 'secret' }).send(message)).toEqual(OK);
    expect(seen[0]).toMatchObject({
      target: 'POST /topic?x=1',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(alertJson());
  });

  it.each([
    [204, {}, OK],
    [302, { location: 'http://127.0.0.1:1/' }, { reason: 'it redirects (status 302); name the final address', isAgain: true }],
    [404, {}, { reason: 'it answers with status 404', isAgain: true, pauseMs: null }],
    [413, {}, { isAgain: false }],
    [429, { 'retry-after': '7' }, { isAgain: true, pauseMs: 7000 }],
    [503, { 'retry-after': '999999' }, { isAgain: true, pauseMs: 3_600_000 }],
    [503, { 'retry-after': 'Wed, 21 Oct 2026' }, { isAgain: true, pauseMs: null }],
  ])('takes status %i for what it means', async (status, headers, outcome) => {
    const url = await serving((_, response) => response.writeHead(status, headers as Record<string, string>).end());
    expect(await hook(url).send(message)).toMatchObject(outcome);
  });

  it('waits for no server that is silent, hangs up, or never ends', async () => {
    expect(await hook(await serving(() => {})).send(message)).toMatchObject({ reason: 'no answer within 0.5 s', isAgain: true });
    expect(await hook(await serving((request) => request.socket.destroy())).send(message)).toMatchObject({
      reason: 'the connection was closed',
      isAgain: true,
    });
    expect(await hook('http://127.0.0.1:1/').send(message)).toMatchObject({ reason: 'nobody listens there', isAgain: true });
    const endless = await serving((_, response) => {
      const more = () => void (response.destroyed || response.write('x'.repeat(1000), () => setTimeout(more, 1)));
      response.writeHead(200);
      more();
    });
    expect(await hook(endless).send(message)).toEqual(OK);
  });

  it('checks who answers over TLS', async () => {
    const folder = ownFolder();
    const [key, cert, old] = [join(folder, 'key'), join(folder, 'cert'), join(folder, 'old')];
    const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' });
    const subject = ['-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const type = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    openssl('req', '-x509', ...type, '-nodes', '-keyout', key, '-out', cert, ...subject);
    openssl('req', '-new', '-key', key, '-out', join(folder, 'request'), ...subject);
    openssl('x509', '-req', '-in', join(folder, 'request'), '-signkey', key, '-days', '-1', '-out', old);
    const secured = (path: string) =>
      serving((_, response) => response.end(), { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8') });
    const url = await secured(cert);
    expect(await hook(url).send(message)).toMatchObject({
      reason: "its certificate isn't trusted; webhook-ca adds certificates of your own",
      isAgain: true,
    });
    expect(await hook(await secured(old), { ca: old }).send(message)).toMatchObject({ reason: 'its certificate has expired' });
    expect(await hook(url, { ca: cert }).send(message)).toEqual(OK);
    expect(await hook(url.replace('127.0.0.1', 'localhost'), { ca: cert }).send(message)).toMatchObject({
      reason: 'its certificate is for another name',
    });
    expect(await hook(url, { ca: join(folder, 'none') }).send(message)).toMatchObject({
      reason: "webhook-ca can't be read (ENOENT)",
    });
    // Whoever could write it could answer as anybody.
    chmodSync(cert, 0o666);
    expect(await hook(url, { ca: cert }).send(message)).toMatchObject({
      reason: `webhook-ca is refused: ${cert} can be written by other users`,
    });
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    expect(await hook(url, { ca: join(folder, 'fifo') }).send(message)).toMatchObject({ reason: 'webhook-ca is not a file' });
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await hook(url).send(message)).toMatchObject({ isDelivered: false });
  });

  it('says to each receiver what it understands, and nothing that a name from outside would make of it', () => {
    const evil = messageOf([alertJson({ severity: 'critical', text: '<!channel> @everyone [x](http://evil) *b* & _c_' })]);
    const json = (format: 'slack' | 'discord') => JSON.parse(bodyFor(format, evil).body) as Record<string, unknown>;
    expect(json('slack')['text']).toBe('*netmon-tui: critical*\n&lt;!channel&gt; @everyone [x](http://evil) *b* &amp; _c_');
    expect(json('discord')).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
    expect(json('discord')['content']).toBe(
      '**netmon-tui: critical**\n\\<!channel\\> \\@everyone \\[x\\]\\(http\\://evil\\) \\*b\\* & \\_c\\_',
    );
    expect(bodyFor('ntfy', evil)).toMatchObject({ body: evil.text, headers: { title: 'netmon-tui: critical', priority: 5 } });
    const long = messageOf(Array.from({ length: 60 }, (_, i) => alertJson({ id: `a${i}`, text: '*'.repeat(500) })));
    expect((JSON.parse(bodyFor('discord', long).body) as { content: string }).content.length).toBeLessThanOrEqual(2000);
    expect(JSON.parse(bodyFor('json', digest).body)).toMatchObject({ type: 'digest', count: 2 });
  });
});

describe('the system log', () => {
  it('gets fields of its own in the journal', () => {
    expect(journalEntry(alertJson()).toString().split('\n')).toEqual([
      'MESSAGE=curl reached example.com for the first time.',
      'PRIORITY=6',
      'SYSLOG_FACILITY=3',
      'SYSLOG_IDENTIFIER=netmon-tui',
      'NETMON_KIND=new-domain',
      'NETMON_ID=a1',
      'NETMON_APP=curl',
      'NETMON_HOST=www.example.com',
      'NETMON_DETAILS=usual: 3 other domains',
      '',
    ]);
  });

  it('gets a line of syslog elsewhere', () =>
    expect(syslogEntry(alertJson({ text: 'x', severity: 'critical' }), new Date(2026, 10, 3, 4, 5, 6)).toString()).toBe(
      '<26>Nov  3 04:05:06 netmon-tui: x',
    ));

  it('gets a line for each alert of a digest, by the journal if there is one', async () => {
    const folder = ownFolder();
    const [journal, syslog] = [join(folder, 'journal'), join(folder, 'log')];
    const sent: string[] = [];
    const log = new LogDelivery((path, bytes) => (sent.push(`${path} ${bytes.toString().split('\n')[0]}`) > 0 ? null : 'none'), {
      journal,
      syslog: [syslog],
    });
    expect(await log.send(digest)).toMatchObject({ reason: 'this machine has neither a journal nor a syslog', isAgain: true });
    writeFileSync(syslog, '');
    await log.send(message);
    writeFileSync(journal, '');
    await log.send(digest);
    expect(sent[0]).toMatch(/log <30>.*: curl reached example\.com for the first time\.$/);
    expect(sent.slice(1)).toEqual([
      `${journal} MESSAGE=curl reached example.com for the first time.`,
      `${journal} MESSAGE=b sent much.`,
    ]);
    const full = new LogDelivery(() => 'EAGAIN', { journal, syslog: [] });
    expect(await full.send(message)).toMatchObject({ reason: 'EAGAIN', isAgain: true });
  });

  it('gets every alert of a digest once, with its fields, however often it is full', async () => {
    const journal = join(ownFolder(), 'journal');
    writeFileSync(journal, '');
    const many = messageOf(
      Array.from({ length: 60 }, (_, i) => alertJson({ id: `a${i}`, severity: i === 5 ? 'critical' : 'info' })),
    );
    const sent: string[] = [];
    let room = 7;
    const log = new LogDelivery((_, bytes) => (room-- > 0 && sent.push(bytes.toString()) > 0 ? null : 'EAGAIN'), {
      journal,
      syslog: [],
    });
    expect(await log.send(many)).toMatchObject({ isDelivered: false });
    room = 100;
    expect(await log.send(many)).toEqual(OK);
    expect(sent.map((entry) => /^NETMON_ID=(.*)$/m.exec(entry)?.[1])).toEqual(many.alerts.map(({ id }) => id));
    expect(sent.map((entry) => /^PRIORITY=(.*)$/m.exec(entry)?.[1]).indexOf('2')).toBe(5);
  });
});

describe('the desktop', () => {
  /** A bus that answers with these bytes, whatever it is asked. */
  async function busAnswering(...answers: Buffer[]): Promise<string> {
    const path = join(ownFolder(), 'bus');
    const server: Server = createSocketServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(Buffer.concat(answers)));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    return path;
  }
  const call = { destination: 'a.b', path: '/', interface: 'a.b', member: 'C', signature: '', body: Buffer.alloc(0) };

  it('is on a bus whose address may be written in several ways', () => {
    expect(socketOf('unix:path=/run/user/1000/bus')).toBe('/run/user/1000/bus');
    expect(socketOf('tcp:host=x;unix:guid=1,path=/tmp/a%20b')).toBe('/tmp/a b');
    expect(socketOf('unix:abstract=/tmp/dbus-x,guid=1')).toBe('\0/tmp/dbus-x');
    expect(socketOf('tcp:host=x,port=1')).toBeNull();
    expect(socketOf('')).toBeNull();
  });

  it('may be missing, silent or broken', async () => {
    expect(await desktopDelivery('linux', null).send(message)).toMatchObject({
      reason: 'the user has no session bus',
      isAgain: true,
    });
    expect(await desktopDelivery('linux', 'unix:path=/nonexistent').send(message)).toMatchObject({ reason: 'ENOENT' });
    expect(await callBus(await busAnswering(), 0, call, 100)).toBe('the bus does not answer');
    expect(await callBus(await busAnswering(Buffer.from('REJECTED EXTERNAL\r\n')), 0, call)).toBe('the bus refuses this user');
    expect(await callBus(await busAnswering(Buffer.from('OK x\r\n'), Buffer.alloc(64, 'x')), 0, call)).toBe(
      'the bus answers in another protocol',
    );
    expect(await callBus(await busAnswering(Buffer.alloc(70_000, 'x')), 0, call)).toBe('the bus answers too much');
  });

  it('may answer anything', async () => {
    const header = Buffer.from([0x6c, 2, 0, 1]);
    const hostile = fc.tuple(fc.uint8Array({ minLength: 12, maxLength: 60 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(hostile, async ([bytes, isFramed]) => {
        const body = Buffer.concat([header, Buffer.from(bytes)]);
        if (isFramed) {
          body.writeUInt32LE(0, 4);
          body.writeUInt32LE(body.length - 16, 12);
        }
        const padded = Buffer.concat([body, Buffer.alloc(8)]);
        expect(await callBus(await busAnswering(Buffer.from('OK x\r\n'), padded), 0, call, 30)).not.toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});
