/** The models of the simulated service, and their prices. */
export const SIM_MODELS = ['sim-tiers', 'sim-flat', 'sim-voice'] as const;

const PRICES_USD = { 'sim-flat': 0.02, 'sim-voice': 0.1 } as const;
const TIERS = [
  { seconds: 30, usd: 0.03 },
  { seconds: 60, usd: 0.05 },
] as const;

/** List price in US dollars of a quote or a submit; `undefined` if it makes no sense. */
export function listPriceUsd(body: Record<string, unknown>): number | undefined {
  const prompt = typeof body.prompt === 'string' ? body.prompt.length : body.character_count;
  switch (body.model) {
    case 'sim-tiers':
      return TIERS.find((tier) => tier.seconds === (body.duration_seconds ?? TIERS[0].seconds))?.usd;
    case 'sim-flat':
      return PRICES_USD['sim-flat'];
    case 'sim-voice':
      return typeof prompt === 'number' ? (PRICES_USD['sim-voice'] * prompt) / 1000 : undefined;
    default:
      return undefined;
  }
}

/** The response to `GET /models`. */
export function catalogue(): unknown {
  const durations = Object.fromEntries(
    TIERS.map((tier, at) => [
      tier.seconds,
      {
        usd: tier.usd,
        diem: tier.usd,
        min_seconds: (TIERS[at - 1]?.seconds ?? 0) + 1,
        max_seconds: tier.seconds,
      },
    ]),
  );
  const common = { privacy: 'anonymized', traits: [], min_prompt_length: 1, prompt_character_limit: 500 };
  const model = (id: string, spec: object) => ({
    id,
    object: 'model',
    type: 'music',
    created: 1,
    owned_by: 'sim',
    model_spec: { name: id, ...common, ...spec },
  });
  return {
    object: 'list',
    type: 'music',
    data: [
      model('sim-tiers', {
        pricing: { durations },
        duration_options: TIERS.map((tier) => tier.seconds),
        default_duration: 30,
      }),
      model('sim-flat', {
        pricing: { generation: { usd: PRICES_USD['sim-flat'], diem: PRICES_USD['sim-flat'] } },
      }),
      model('sim-voice', {
        pricing: { per_thousand_characters: { usd: PRICES_USD['sim-voice'], diem: PRICES_USD['sim-voice'] } },
        voices: ['Ann'],
      }),
    ],
  };
}
