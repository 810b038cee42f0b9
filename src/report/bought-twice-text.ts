import { formatUsd } from '../core/money.js';
import { takeKey } from '../core/take-key.js';
import { type BoughtTwice, extraMicroUsd } from '../lockfile/bought-twice.js';
import { pricesPhrase } from '../plan/bought-twice-warning.js';
import { stateName } from './phrases.js';

/** Each take with more than one live purchase, and the extra cost. Empty if there are none. */
export function boughtTwiceLines(doubles: readonly BoughtTwice[]): string[] {
  if (doubles.length === 0) return [];
  return [
    `Bought more than once: ${formatUsd(extraMicroUsd(doubles))} more than needed`,
    ...doubles.flatMap((double) => [
      `  ${takeKey(double)}: ${pricesPhrase(double)} = ${formatUsd(double.totalMicroUsd)}`,
      ...double.attempts.map(({ attempt, state, at }) => {
        const bought = at.intent === undefined ? '' : `, bought ${at.intent}`;
        return `    ${attempt} ${stateName(state)}${bought}`;
      }),
    ]),
  ];
}
