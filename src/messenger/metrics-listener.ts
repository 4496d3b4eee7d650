// Where Prometheus asks for metrics: HTTP on a loopback address. It answers GET /metrics and GET /healthz, knows only what it was last given, and
// treats whoever asks as a stranger: any program on this machine may, and so may a web page in a browser on it.

import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { preferredType, prometheusText } from '../export/prometheus-text.ts';
import type { EngineStatus, ListenPlan } from '../model/export.ts';
import type { MetricSet } from '../model/metrics.ts';
import type { Clock } from '../system/clock.ts';

/** Figures that are older are not told as if they were current, ms. They come every ten seconds. */
const STALE_MS = 60_000;
const [FRESH, NONE_YET, STALE] = ['ok\n', 'no figures yet\n', 'netmon-tui has told nothing for a minute\n'];
/** What /healthz answers. */
const HEALTH_ANSWERS: readonly string[] = [FRESH, NONE_YET, STALE];
/** A port in use is tried again after this time, ms. */
const AGAIN_MS = 10_000;
/** How long another listener may take to answer, ms, and what is read of that, UTF-16 units. */
const ANSWER_MS = 2000;
const LONGEST_ANSWER = 200;
const MOST_CONNECTIONS = 16;
const LONGEST_HEADER = 8192;
const LONGEST_REQUEST_MS = 5000;
const IDLE_MS = 65_000;

const REASON_OF: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses this port',
  EACCES: 'ports below 1024 are for root: choose a higher one',
  EADDRNOTAVAIL: 'this machine has no such address',
};

/** Listens as long as it is open. */
export class MetricsListener {
  readonly #plan: ListenPlan;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #server: Server;
  #set: MetricSet | null = null;
  /** When it was given, monotonic ms. */
  #givenAt = 0;
  #scrapes = 0;
  #failure: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param changed its status did */
  constructor(plan: ListenPlan, clock: Clock, changed: () => void) {
    this.#plan = plan;
    this.#clock = clock;
    this.#changed = changed;
    const limits = {
      maxHeaderSize: LONGEST_HEADER,
      headersTimeout: LONGEST_REQUEST_MS,
      requestTimeout: LONGEST_REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: 1000,
    };
    this.#server = createServer(limits, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('error', (thrown: NodeJS.ErrnoException) => this.#fail(thrown));
    this.#server.on('listening', () => {
      this.#failure = null;
      changed();
    });
    this.#listen();
  }

  /** Port that it listens on; 0 while it doesn't. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get status(): EngineStatus {
    return {
      engine: 'prometheus',
      to: hostAndPort(this.#plan),
      acknowledged: null,
      sent: this.#scrapes,
      waiting: 0,
      behindSince: null,
      failure: this.#failure,
      refused: null,
      deleted: null,
      next: null,
    };
  }

  /** Takes what to tell from now on. */
  give(set: MetricSet): void {
    this.#set = set;
    this.#givenAt = this.#clock.monotonic();
    this.#changed();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #listen(): void {
    const { address, port } = this.#plan;
    this.#server.listen({ host: address, port, exclusive: true });
  }

  #fail({ code = 'unknown' }: NodeJS.ErrnoException): void {
    this.#timer = setTimeout(() => this.#listen(), AGAIN_MS);
    this.#timer.unref();
    const tell = (failure: string | null) => {
      this.#failure = failure;
      this.#changed();
    };
    const reason = REASON_OF[code] ?? `can't listen there (${code})`;
    if (code !== 'EADDRINUSE') tell(reason);
    else void whoAnswers(this.#plan).then((who) => tell(who === 'netmon-tui' ? null : reason)); // a recorder serves the same
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, text, type = 'text/plain; charset=utf-8' } = this.#reply(request);
    if (status === 405) response.shouldKeepAlive = false; // what else it sends is not read
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  #reply({ method, url = '', headers }: IncomingMessage): Reply {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'only GET is answered\n' };
    // A page that has its own name lead here would read the answer like one of its own.
    if (!isLoopbackName(headers.host)) return { status: 403, text: 'ask by the loopback address\n' };
    const path = url.split('?')[0];
    if (path !== '/metrics' && path !== '/healthz') return { status: 404, text: 'there are /metrics and /healthz\n' };
    if (this.#set === null) return { status: 503, text: NONE_YET };
    if (this.#clock.monotonic() - this.#givenAt >= STALE_MS) return { status: 503, text: STALE };
    if (path === '/healthz') return { status: 200, text: FRESH };
    this.#scrapes++;
    const type = preferredType(headers.accept);
    return { status: 200, text: prometheusText(this.#set, type), type };
  }
}

/** Who answers where a listener would. */
export function whoAnswers({ address, port }: ListenPlan): Promise<'netmon-tui' | 'another' | 'nobody'> {
  return new Promise((resolve) => {
    const call = request({ host: address, port, path: '/healthz', timeout: ANSWER_MS, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += String(chunk);
        if (text.length > LONGEST_ANSWER) response.destroy();
      });
      response.once('close', () => resolve(HEALTH_ANSWERS.includes(text) ? 'netmon-tui' : 'another'));
      response.once('error', () => undefined);
    });
    call.once('timeout', () => call.destroy(new Error('no answer')));
    call.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' ? 'nobody' : 'another'));
    call.end();
  });
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

function hostAndPort({ address, port }: ListenPlan): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether a Host header names this machine itself. */
function isLoopbackName(host: string | undefined): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host ?? '');
}
