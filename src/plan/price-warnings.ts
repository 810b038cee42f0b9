import type { Diagnostic } from '../core/diagnostic.js';
import { formatUsd } from '../core/money.js';
import type { Take } from '../manifest/take.js';
import type { KeyedQuery } from './catalogue-price.js';
import type { QuotedPrice } from './plan.js';
import { listed } from './text.js';

/** What is to be bought, and what the catalogue declares for it. */
export interface Unpriced {
  readonly take: Take;
  readonly query: KeyedQuery;
  readonly declaredMicroUsd?: number | undefined;
}

const TRACKS_NAMED_MAX = 5;

/** One warning per price: what is quoted, what is declared, and the total it would amount to. */
export function suspiciousPrices(
  drafts: readonly Unpriced[],
  prices: ReadonlyMap<string, QuotedPrice>,
): readonly Diagnostic[] {
  return [...prices.values()].flatMap((price): Diagnostic[] => {
    if (price.suspicious !== true) return [];
    const takes = drafts.filter(({ query }) => query.key === price.key);
    const { declaredMicroUsd, take } = takes[0]!;
    const declared =
      declaredMicroUsd === undefined
        ? 'the catalogue declares no price'
        : `the catalogue declares ${formatUsd(declaredMicroUsd)}`;
    const risk =
      declaredMicroUsd === undefined || declaredMicroUsd === 0
        ? 'the service may charge more than the budget allows'
        : `at the declared price, ${takes.length === 1 ? 'it costs' : `these ${takes.length} takes cost`} ${formatUsd(declaredMicroUsd * takes.length)}`;
    return [
      {
        code: 'price-suspicious',
        severity: 'warning',
        message: `the service quotes ${formatUsd(price.microUsd)} for ${price.model}, and ${declared}`,
        hint: `${risk}; approve it at a terminal, or add --accept-price`,
        span: take.span,
      },
    ];
  });
}

/** Names the takes without a price: they are not bought. */
export function noQuote(drafts: readonly Unpriced[]): readonly Diagnostic[] {
  if (drafts.length === 0) return [];
  const tracks = [...new Set(drafts.map(({ take }) => take.track))];
  return [
    {
      code: 'no-quote',
      severity: 'error',
      message: `no price was quoted for ${listed(tracks, TRACKS_NAMED_MAX)}`,
      hint: 'see the error above, or run again later',
      span: drafts[0]!.take.span,
    },
  ];
}
