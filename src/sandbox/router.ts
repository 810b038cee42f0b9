import { type AudioCall, complete, queue, quote, retrieve } from './audio-routes.js';
import { available, balanceAnswer, type CurrencyAmounts, chargesOf, rateLimitsAnswer } from './billing.js';
import { modelResponse } from './catalogue-entry.js';
import { denied } from './keyring.js';
import type { Limiter } from './limits.js';
import { checkSchema, SCHEMAS } from './request-rules.js';
import { isListed, type SandboxModel } from './sandbox-model.js';
import {
  type Account,
  invalid,
  json,
  refuse,
  type ServiceAnswer,
  type ServiceRequest,
  withErrorObject,
  withoutCode,
} from './service-response.js';
import type { State } from './service-state.js';
import { usageHistory } from './usage-history.js';
import { type SignedIn, takesWallet, tooPoor, type Wallets, walletAnswer } from './wallets.js';

/** Limit of a request body in bytes. */
export const BODY_BYTES_MAX = 1024 * 1024;

export interface RouterParts {
  readonly state: State;
  readonly limiter: Limiter;
  readonly catalogue: readonly SandboxModel[];
  readonly wallets: Wallets;
  accountOf(key: string): Account | undefined;
  walletAccount(address: string): Account;
  isBlocked(account: Account, nowMs: number): boolean;
  /** For a blocked account. */
  blockedUntilMs(account: Account): number;
  /** Called with the name of each requested route, `other` for an unknown one. */
  count(name: string): void;
}

interface Routed {
  readonly answer: ServiceAnswer;
  /** `''`: no known account. */
  readonly account: Account;
  /** Refused because the key is blocked. */
  readonly blocked: boolean;
}

/** The requester. */
interface Asker {
  readonly account: Account;
  readonly key: string;
}

interface Get {
  readonly method: 'GET';
  readonly open?: true;
  readonly answer: (parts: RouterParts, asker: Asker, query: URLSearchParams, nowMs: number) => ServiceAnswer;
}

interface Post {
  readonly method: 'POST';
  /** Responses without a key. */
  readonly open?: true;
  readonly schema: (typeof SCHEMAS)[keyof typeof SCHEMAS];
  readonly answer: (state: State, call: AudioCall) => ServiceAnswer;
}

const ROUTES: Readonly<Record<string, Get | Post>> = {
  '/models': { method: 'GET', open: true, answer: models },
  '/billing/balance': {
    method: 'GET',
    answer: (parts, { account }, _query, nowMs) =>
      balanceAnswer(left(parts, account, nowMs), parts.state.currencies),
  },
  '/billing/usage-history': {
    method: 'GET',
    answer: ({ state }, { account }, query, nowMs) =>
      usageHistory(
        query,
        account,
        chargesOf(state.ledger, account, state.description.chargedAt, nowMs),
        nowMs,
      ),
  },
  '/billing/usage': { method: 'GET', answer: () => refuse(410, 'Gone: use /billing/usage-history') },
  '/api_keys/rate_limits': {
    method: 'GET',
    answer: rateLimits,
  },
  '/audio/quote': { method: 'POST', open: true, schema: SCHEMAS.quote, answer: quote },
  '/audio/queue': { method: 'POST', schema: SCHEMAS.queue, answer: queue },
  '/audio/retrieve': { method: 'POST', schema: SCHEMAS.retrieve, answer: retrieve },
  '/audio/complete': { method: 'POST', schema: SCHEMAS.complete, answer: complete },
};

function left({ state }: RouterParts, account: Account, nowMs: number): CurrencyAmounts {
  return available(state.ledger, account, state.currencies, nowMs);
}

function rateLimits(
  parts: RouterParts,
  { account, key }: Asker,
  _query: URLSearchParams,
  nowMs: number,
): ServiceAnswer {
  const { state, catalogue, limiter } = parts;
  const spentMicroUsd = state.ledger.spentMicroUsd(account);
  return rateLimitsAnswer({
    models: catalogue.filter((model) => isListed(model, nowMs)).map((model) => model.id),
    // Clients need to be told about faster limits, because they cannot know that the service's minutes are shorter.
    ...(state.description.modelLimits || state.speed > 1 ? { perMinute: limiter.perMinute } : {}),
    currencies: left(parts, account, nowMs),
    leftMicroUsd: {
      USD: state.keyring.leftMicroUsd(key, 'USD', spentMicroUsd),
      DIEM: state.keyring.leftMicroUsd(key, 'DIEM', spentMicroUsd),
    },
    nowMs,
  });
}

const TYPES = ['asr', 'embedding', 'image', 'music', 'text', 'tts', 'upscale', 'inpaint', 'video'];

/** Without a type, the service lists text models, and the sandbox has none. */
function models(
  { catalogue, state }: RouterParts,
  { key }: Asker,
  query: URLSearchParams,
  nowMs: number,
): ServiceAnswer {
  const type = query.get('type') ?? 'text';
  if (![...TYPES, 'all', 'code'].includes(type)) {
    return invalid([{ path: 'type', message: 'Unknown model type' }]);
  }
  const listed = catalogue
    .filter((model) => isListed(model, nowMs) && state.keyring.mayUse(key, model.id))
    .map(modelResponse);
  return json(200, { data: type === 'music' || type === 'all' ? listed : [], object: 'list', type });
}

/** Answers a request, checking in the service's order: route, key, block, rate limit, form of the body, content. */
export function createRouter(parts: RouterParts): (request: ServiceRequest, nowMs: number) => Routed {
  return (request, nowMs) => {
    const [path = '', search = ''] = request.path.split('?', 2);
    const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
    parts.count(route === undefined ? 'other' : `${request.method} ${path}`);
    const { description } = parts.state;
    const wallet = takesWallet(path) ? parts.wallets.signedIn(request, nowMs) : undefined;
    if (wallet !== undefined) return signedIn(parts, { request, path, search, route }, wallet, nowMs);
    const key = bearer(request);
    const account = parts.accountOf(key) ?? '';
    const done = (given: ServiceAnswer, blocked = false): Routed => {
      const other = given.status >= 400 && parts.state.happens('errorObject');
      const answer = description.errorCodes ? given : withoutCode(given);
      return { answer: other ? withErrorObject(answer) : answer, account, blocked };
    };
    if (route === undefined) return done(takesWallet(path) ? paymentDiscovery() : refuse(404, 'Not found'));
    if (request.method !== route.method) {
      return done(json(405, { error: 'Method not allowed' }, { allow: route.method }));
    }
    if (route.open !== true && account === '') {
      const anonymous = description.strictAccess && request.headers.authorization === undefined;
      return done(anonymous ? paymentDiscovery() : refuse(401, 'Authentication failed'));
    }
    if (account !== '' && parts.isBlocked(account, nowMs)) {
      return done(blocked(parts.blockedUntilMs(account), description.strictAccess), true);
    }
    const denial =
      route.open === true ? undefined : denied(parts.state.keyring, key, path, description.strictAccess);
    if (denial !== undefined) return done(denial);
    if (parts.state.happens('badGateway')) return done(badGateway());
    return done(
      route.method === 'GET'
        ? route.answer(parts, { account, key }, new URLSearchParams(search), nowMs)
        : post(parts, { route, path }, { account, key }, request, nowMs),
    );
  };
}

interface WalletCall {
  readonly request: ServiceRequest;
  readonly path: string;
  readonly search: string;
  readonly route: Get | Post | undefined;
}

/** A wallet's request: signed for an account, without a key. */
function signedIn(
  parts: RouterParts,
  { request, path, search, route }: WalletCall,
  wallet: SignedIn,
  nowMs: number,
): Routed {
  if (!wallet.ok) return { answer: wallet.answer, account: '', blocked: false };
  const { address } = wallet;
  const { ledger, description } = parts.state;
  const account = parts.walletAccount(address);
  const currencies = left(parts, account, nowMs);
  const answer = () => {
    if (route?.method === 'POST' && request.method === 'POST') {
      const refusal = path === '/audio/queue' ? tooPoor(currencies.DIEM + currencies.USD) : undefined;
      if (refusal !== undefined) return refusal;
      const given = post(parts, { route, path }, { account, key: '' }, request, nowMs);
      return description.errorCodes ? given : withoutCode(given);
    }
    const limited = path.replace(/\/0x[^/]*$/, '');
    if (!parts.limiter.take(account, { path: limited, model: '' }, nowMs).allowed)
      return refuse(429, 'Rate limit exceeded');
    // Wallets are charged once the provider accepts the job.
    const chargedAt = description.chargedAt === 'queue' ? 'start' : description.chargedAt;
    const charges = chargesOf(ledger, account, chargedAt, nowMs);
    const query = new URLSearchParams(search);
    return walletAnswer({ path, query, address }, currencies, charges) ?? refuse(404, 'Not found');
  };
  return { answer: parts.wallets.inFlight(address, answer), account, blocked: false };
}

function bearer(request: ServiceRequest): string {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** The response to a request without credentials: how a wallet can pay. */
function paymentDiscovery(): ServiceAnswer {
  return json(402, {
    x402Version: 2,
    error: 'Payment required',
    accepts: [],
    authOptions: { apiKey: { header: 'Authorization' }, wallet: { header: 'SIGN-IN-WITH-X' } },
  });
}

/** Today's service says when the block ends, in Unix milliseconds. */
function blocked(untilMs: number, showsEnd: boolean): ServiceAnswer {
  const headers = showsEnd ? { 'x-ratelimit-remaining': '0', 'x-ratelimit-resets': String(untilMs) } : {};
  return json(429, { error: 'Too many failed requests. Please try again in 30 seconds.' }, headers);
}

function badGateway(): ServiceAnswer {
  return {
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>',
  };
}

function post(
  parts: RouterParts,
  { route, path }: { readonly route: Post; readonly path: string },
  { account, key }: Asker,
  request: ServiceRequest,
  nowMs: number,
): ServiceAnswer {
  const body = parse(request.body);
  const model = parts.state.model((body as { model?: unknown } | null | undefined)?.model, nowMs)?.id ?? '';
  const { allowed, headers } = parts.limiter.take(account, { path, model }, nowMs);
  const answer = allowed
    ? (malformed(parts.state, request, route, body) ??
      route.answer(parts.state, { account, key, body: body as object as AudioCall['body'], nowMs }))
    : refuse(429, 'Rate limit exceeded');
  return { ...answer, headers: { ...answer.headers, ...maybeFewer(parts.state, headers) } };
}

function maybeFewer(state: State, headers: Record<string, string>): Record<string, string> {
  const names = Object.keys(headers);
  if (names.length === 0 || !state.happens('headerMissing')) return headers;
  const missing = names[Math.floor(state.random() * names.length)];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== missing));
}

function malformed(
  { description }: State,
  request: ServiceRequest,
  route: Post,
  body: unknown,
): ServiceAnswer | undefined {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type !== 'application/json') {
    return description.strictAccess
      ? refuse(400, "'Content-Type' must be application/json")
      : refuse(415, 'Unsupported media type: expected application/json');
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    return refuse(415, 'Unsupported content encoding');
  if (Buffer.byteLength(request.body) > BODY_BYTES_MAX)
    return refuse(413, 'The request payload is too large');
  if (body === undefined) return refuse(400, 'Invalid JSON in the request body');
  const issues = checkSchema(route.schema, body);
  return issues.length > 0 ? invalid(issues) : undefined;
}

function parse(text: string): unknown {
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
