import type { Transport, TransportRequest } from '../core/ports.js';
import { exchange, type Redact, readJson } from './answer.js';
import type { Account, CallResult, UsageEntry, UsageHistory, VeniceClient } from './client.js';
import { readRetrieval } from './retrieve.js';
import {
  readAccountBalance,
  readCompleted,
  readKeyBalance,
  readQueued,
  readQuote,
  readRateLimits,
  readTransactions,
  readUsagePage,
  readWalletBalance,
  type TransactionsPage,
  type UsagePage,
} from './wire.js';
import { readCatalogue } from './wire-models.js';

const MIB = 1024 * 1024;
const JSON_BYTES_MAX = MIB;
const MODELS_BYTES_MAX = 8 * MIB;

/** Deadlines of whole exchanges. The submit's is generous: giving up on it leaves a charge in doubt. */
const DEADLINE_MS = {
  models: 60_000,
  quote: 30_000,
  queue: 120_000,
  complete: 30_000,
  balance: 30_000,
  usage: 60_000,
  limits: 30_000,
} as const;

/** A long file may take long to download, but the headers come soon. */
const RETRIEVE_DEADLINES = { deadlineMs: 600_000, headersDeadlineMs: 60_000 } as const;

const USAGE_PAGES_MAX = 100;
/** Size of one page of a wallet's ledger. The service allows 20 such requests a minute. */
const TRANSACTIONS_MAX = 100;
const TRANSACTION_PAGES_MAX = 15;

/**
 * The API, typed, over a transport. Never throws; see `VeniceClient`.
 *
 * @param redact removes the API key from responses
 * @param account whose balance and charges are requested: a wallet has its own routes. Absent: an API key's
 */
export function createClient(transport: Transport, redact: Redact, account?: Account): VeniceClient {
  const wallet = account?.kind === 'wallet' ? account.id : undefined;
  const call = async <T>(
    request: TransportRequest,
    read: (body: unknown) => T | undefined,
    bytesMax = JSON_BYTES_MAX,
  ): Promise<CallResult<T>> => {
    const good = await exchange(transport, request, redact);
    return good.ok ? readJson(good, bytesMax, read) : good;
  };
  return {
    models: () => call(get('/models?type=music', DEADLINE_MS.models), readCatalogue, MODELS_BYTES_MAX),
    quote: (query) => call(post('/audio/quote', query, DEADLINE_MS.quote), readQuote),
    queue: (request) =>
      call(post('/audio/queue', request, DEADLINE_MS.queue, { freshConnection: true }), (body) =>
        readQueued(body, request.model),
      ),
    retrieve: async (model, queueId) => {
      const { deadlineMs, ...more } = RETRIEVE_DEADLINES;
      const body = { model, queue_id: queueId };
      const good = await exchange(transport, post('/audio/retrieve', body, deadlineMs, more), redact);
      return good.ok ? readRetrieval(transport, good, RETRIEVE_DEADLINES) : good;
    },
    complete: (model, queueId) =>
      call(post('/audio/complete', { model, queue_id: queueId }, DEADLINE_MS.complete), readCompleted),
    balance: () =>
      wallet === undefined
        ? call(get('/api_keys/rate_limits', DEADLINE_MS.balance), readKeyBalance)
        : call(get(`/x402/balance/${wallet}`, DEADLINE_MS.balance), readWalletBalance),
    accountBalance: () => call(get('/billing/balance', DEADLINE_MS.balance), readAccountBalance),
    usageHistory: (startMs, endMs, entriesMax) =>
      wallet === undefined
        ? walkUsage((path) => call(get(path, DEADLINE_MS.usage), readUsagePage), startMs, endMs, entriesMax)
        : walkTransactions(
            (offset) =>
              call(
                get(
                  `/x402/transactions/${wallet}?limit=${TRANSACTIONS_MAX}&offset=${offset}`,
                  DEADLINE_MS.usage,
                ),
                readTransactions,
              ),
            startMs,
            endMs,
            entriesMax,
          ),
    rateLimits: async () =>
      wallet === undefined
        ? call(get('/api_keys/rate_limits', DEADLINE_MS.limits), readRateLimits)
        : { ok: true, value: new Map(), rate: {} },
  };
}

function get(path: string, deadlineMs: number): TransportRequest {
  return { method: 'GET', path, deadlineMs };
}

function post(
  path: string,
  body: object,
  deadlineMs: number,
  more?: Pick<TransportRequest, 'freshConnection' | 'headersDeadlineMs'>,
): TransportRequest {
  return { method: 'POST', path, body: JSON.stringify(body), deadlineMs, ...more };
}

/** A continuation sends only the cursor, which contains the window. */
async function walkUsage(
  page: (path: string) => Promise<CallResult<UsagePage>>,
  startMs: number,
  endMs: number,
  entriesMax: number,
): Promise<CallResult<UsageHistory>> {
  const query = new URLSearchParams({
    startTimestamp: new Date(startMs).toISOString(),
    endTimestamp: new Date(endMs).toISOString(),
    pageSize: String(Math.min(1_000, Math.max(10, entriesMax))),
  });
  const entries: UsageEntry[] = [];
  let unread = 0;
  let path = `/billing/usage-history?${query}`;
  for (let pages = 1; ; pages++) {
    const result = await page(path);
    if (!result.ok) return result;
    entries.push(...result.value.entries);
    unread += result.value.unread ?? 0;
    const { nextCursor } = result.value;
    if (nextCursor === undefined || entries.length >= entriesMax || pages >= USAGE_PAGES_MAX) {
      const cut = nextCursor !== undefined || entries.length > entriesMax;
      const value = { entries: entries.slice(0, entriesMax), cut, ...(unread > 0 && { unread }) };
      return { ok: true, value, rate: result.rate };
    }
    path = `/billing/usage-history?cursor=${encodeURIComponent(nextCursor)}`;
  }
}

/** A wallet's ledger has no window: read back to where it begins. */
async function walkTransactions(
  page: (offset: number) => Promise<CallResult<TransactionsPage>>,
  startMs: number,
  endMs: number,
  entriesMax: number,
): Promise<CallResult<UsageHistory>> {
  const entries: UsageEntry[] = [];
  let unread = 0;
  for (let pages = 0; ; pages++) {
    const result = await page(pages * TRANSACTIONS_MAX);
    if (!result.ok) return result;
    const { value, rate } = result;
    entries.push(
      ...value.entries.filter(({ timestampMs }) => timestampMs >= startMs && timestampMs <= endMs),
    );
    unread += value.unread ?? 0;
    const more = value.more && value.oldestMs >= startMs;
    if (more && entries.length < entriesMax && pages + 1 < TRANSACTION_PAGES_MAX) continue;
    // New charges shift the pages, so the same entry can appear twice.
    const unique = [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
    const oldestFirst = unique.sort((a, b) => a.timestampMs - b.timestampMs);
    const found = { entries: oldestFirst.slice(-entriesMax), cut: more, ...(unread > 0 && { unread }) };
    const listed = { ...found, withoutDiem: true } as const;
    return { ok: true, value: listed, rate };
  }
}
