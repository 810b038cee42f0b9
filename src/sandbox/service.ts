import { createHash } from 'node:crypto';
import { type Currency, microUsdFromUsd } from '../core/money.js';
import {
  DESCRIPTION_DEFAULT,
  type Description,
  type DescriptionName,
  descriptionOf,
} from './api-versions.js';
import { type AudioJob, renderAudio } from './audio/render.js';
import type { Charge, CurrencyAmounts } from './billing.js';
import { chargesOf } from './billing.js';
import { FAULTS_DEFAULT, type Faults, type Variants } from './faults.js';
import { createKeyring, type Keyring, type SandboxKey } from './keyring.js';
import { type Entry, foldLedger, type Job } from './ledger.js';
import { createFailureBlock, createLimiter, type LimitOptions, limitsAtSpeed } from './limits.js';
import { createRouter } from './router.js';
import { isListed, type SandboxModel } from './sandbox-model.js';
import type { Account, AudioBody, ServiceAnswer, ServiceRequest } from './service-response.js';
import type { State } from './service-state.js';
import { createWallets } from './wallets.js';

export interface ServiceOptions {
  /** Uniform in [0, 1). The only source of chance, used in the order of the requests. */
  readonly random: () => number;
  /** Earlier effects: a restored ledger. */
  readonly entries?: Iterable<Entry>;
  /** Called with each effect, before it happens and before the response is sent. If it throws, nothing happens. */
  readonly persist?: (entry: Entry) => void;
  /** Divides the generation times, both real and stated, and multiplies the request limits. Default 1. */
  readonly speed?: number;
  readonly catalogue?: readonly SandboxModel[];
  readonly limits?: LimitOptions;
  /** Which description of the service to follow. Default: today's. */
  readonly as?: DescriptionName;
  /** USD of each account before its first job. Default 100. */
  readonly balanceUsd?: number;
  /** The other balances of each account, in US dollars; DIEM: on each UTC day. Default: none. */
  readonly currenciesUsd?: Partial<Record<Currency, number>>;
  /** Accepted keys, each with its own user unless it names one. Default: only `sandbox`. */
  readonly keys?: readonly (string | SandboxKey)[];
  /** Factor on the catalogue's prices at a given time. Default: always 1. */
  readonly priceFactor?: (nowMs: number) => number;
  /** Default: `FAULTS_DEFAULT`. */
  readonly faults?: Partial<Faults>;
  /** Default: those of the description. */
  readonly variants?: Partial<Variants>;
  /** Must return audio in the job's format. Default: `renderAudio`. */
  readonly audio?: (job: AudioJob) => AudioBody;
}

/** The simulated API: its responses are a function of its options, the requests so far and their times. */
export interface Service {
  /** @param nowMs since the Unix epoch; must not go back */
  handle(request: ServiceRequest, nowMs: number): ServiceAnswer;
  /** All charges and refunds before `nowMs`, across all accounts, in order of time. */
  charges(nowMs: number): readonly Charge[];
  /** By queue id, including deleted ones. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly counts: Counts;
}

export interface Counts {
  /** By method and path: `POST /audio/queue`. */
  readonly requests: ReadonlyMap<string, number>;
  /** Responses with status 429, for any reason. */
  readonly tooMany: number;
  /** How often a key was blocked because of failures. */
  readonly blocks: number;
}

export function createService(options: ServiceOptions): Service {
  const keys = (options.keys ?? ['sandbox']).map((key) => (typeof key === 'string' ? { key } : key));
  const accounts = new Map(keys.map(({ key, user = key }) => [key, accountOf(user)]));
  const description = descriptionOf(options.as ?? DESCRIPTION_DEFAULT);
  const state = createState(options, description, createKeyring(new Map(keys.map((key) => [key.key, key]))));
  const limits = limitsAtSpeed(options.limits ?? description.limits, options.speed ?? 1);
  const limiter = createLimiter(limits);
  const block = createFailureBlock(limits);
  const requests = new Map<string, number>();
  let tooMany = 0;
  const route = createRouter({
    state,
    limiter,
    catalogue: options.catalogue ?? description.catalogue,
    accountOf: (key) => accounts.get(key),
    wallets: createWallets(),
    walletAccount: (address) => accountOf(`wallet ${address}`),
    isBlocked: block.isBlocked,
    blockedUntilMs: block.untilMs,
    count: (name) => requests.set(name, (requests.get(name) ?? 0) + 1),
  });
  return {
    handle(request, nowMs) {
      const { answer, account, blocked } = route(request, nowMs);
      if (answer.status === 429) tooMany += 1;
      if (countsAsFailure(description, answer.status) && account !== '' && !blocked)
        block.failed(account, nowMs);
      return answer;
    },
    charges: (nowMs) => chargesOf(state.ledger, undefined, description.chargedAt, nowMs),
    jobs: state.ledger.jobs,
    counts: {
      requests,
      get tooMany() {
        return tooMany;
      },
      get blocks() {
        return block.blocks;
      },
    },
  };
}

/** Today neither 5xx nor 429 counts. The description of August makes no exception. */
function countsAsFailure({ strictAccess }: Description, status: number): boolean {
  return status >= 400 && (!strictAccess || (status < 500 && status !== 429));
}

function accountOf(user: string): Account {
  return createHash('sha256').update(user).digest('hex').slice(0, 12);
}

const SEEN_MAX = 10_000;

function createState(options: ServiceOptions, description: Description, keyring: Keyring): State {
  const { random, catalogue = description.catalogue, persist, audio = renderAudio } = options;
  const ledger = foldLedger(options.entries ?? []);
  const chances: Faults & Variants = {
    ...FAULTS_DEFAULT,
    ...options.faults,
    ...description.variants,
    ...options.variants,
  };
  const byId = new Map(catalogue.map((model) => [model.id, model]));
  const seen = new Map<string, number>();
  return {
    ledger,
    speed: options.speed ?? 1,
    description,
    currencies: currenciesOf({ USD: options.balanceUsd ?? 100, ...options.currenciesUsd }),
    random,
    uuid: () => uuidFrom(random),
    keyring,
    happens: (chance) => chances[chance] > 0 && random() < chances[chance],
    timesSeen(key) {
      if (seen.size >= SEEN_MAX) seen.clear();
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      return times;
    },
    model(id, nowMs) {
      const model = byId.get(String(id));
      return model !== undefined && isListed(model, nowMs) ? model : undefined;
    },
    isRetired(id, nowMs) {
      const model = byId.get(String(id));
      return model !== undefined && !isListed(model, nowMs);
    },
    replacement(id, nowMs) {
      const by = byId.get(String(id))?.spec.deprecation?.replacementModelId;
      return by !== undefined && this.isRetired(id, nowMs) ? this.model(by, nowMs) : undefined;
    },
    medianMs: (id) => byId.get(id)?.runMsMedian ?? 0,
    priceFactor: options.priceFactor ?? (() => 1),
    audio,
    effect(entry) {
      persist?.(entry);
      ledger.add(entry);
    },
  };
}

function currenciesOf(usd: Partial<Record<Currency, number>>): CurrencyAmounts {
  const of = (currency: Currency) => microUsdFromUsd(usd[currency] ?? 0) ?? 0;
  return {
    DIEM: of('DIEM'),
    EARNED_CREDITS: of('EARNED_CREDITS'),
    BUNDLED_CREDITS: of('BUNDLED_CREDITS'),
    USD: of('USD'),
  };
}

/** Version 4. */
function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  hex[12] = '4';
  hex[16] = '89ab'[Math.floor(random() * 4)]!;
  const part = (from: number, to: number) => hex.slice(from, to).join('');
  return [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join('-');
}
