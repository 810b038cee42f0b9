import type { Explanation, Explanations } from './explanation.js';

const NOTHING = 'Nothing was bought. Takes already paid for are still collected.';
const RUN = 'venice-batch run album.yaml';
const PLAN = 'venice-batch plan album.yaml';
const SAVE = 'venice-batch plan album.yaml --out plan.json';

function refused(title: string, text: string, mend: string, next = PLAN): Explanation {
  return { title, text, money: NOTHING, mend, next };
}

const TOTAL: Explanations = {
  'no-quote': refused(
    'No price was quoted',
    'Nothing is bought without a price, and the service quoted none for at least one track.',
    'Run again later.',
    RUN,
  ),
  'over-budget': refused(
    'The total exceeds the budget',
    'The budget applies to the lockfile for its whole life: what earlier runs spent, what is reserved, and what is in doubt all count. If several budgets are set, the lowest applies.',
    'Raise the budget to the amount in the help line, or buy less with --only.',
  ),
  'over-balance': refused(
    'The balance does not cover the total',
    'The service charges each job to the first balance that covers its whole price, in this order: DIEM, earned credits, bundled credits, USD. It never splits a price. The known balances do not cover every take, so the batch would stop partway. Earned credits are visible to an ADMIN key only: if they cover the rest, add --ignore-balance.',
    'Top up the account, buy less with --only, or use --ignore-balance.',
  ),
  'cannot-consume': refused(
    'The account cannot spend',
    'The service does not allow this key to buy anything right now. A wallet needs at least $0.10.',
    'Top up the account or the wallet, or check the spend limit of the key. venice-batch never tops up a balance for you.',
  ),
  'balance-unknown': {
    title: 'The balance is unknown',
    text: 'Neither GET /api_keys/rate_limits nor GET /billing/balance answered. The run continues, limited by the approved total and the budget.',
    money: 'Checking the balance costs nothing. The approved total and the budget still apply.',
    mend: 'Nothing to do.',
    next: RUN,
  },
  'price-suspicious': {
    title: 'The quoted price is far below the declared price',
    text: 'The service quotes 0, or less than half of what its own catalogue declares. The budget and the approved total count quoted prices: if the declared price is charged instead, they no longer limit spending.',
    money: 'Nothing is bought at such a price unless you approve it at a terminal or pass --accept-price.',
    mend: 'Compare the price with the catalogue. If it cannot be right, ask the service.',
    next: 'venice-batch models',
  },
  'price-rose': {
    title: 'A price rose since it was approved',
    text: 'A price is quoted again when it is more than ten minutes old, or when a saved plan is applied. The new price is above the approved one, so nothing more is submitted.',
    money: 'Takes submitted earlier were bought at the approved prices. Nothing was bought at the new price.',
    mend: 'Check the new total, and approve it if you agree.',
    next: PLAN,
  },
};

const APPROVAL: Explanations = {
  'not-approved': refused(
    'Not approved',
    'The total was shown, but not approved with `yes`.',
    'Run again to approve it.',
    RUN,
  ),
  'approval-needed': refused(
    'The total needs approval',
    'There is no terminal to ask at, and neither --yes nor a saved plan approves the total.',
    'Add --yes with a budget, or review and apply a saved plan.',
    'venice-batch run album.yaml --yes --budget 5.00',
  ),
  'price-unconfirmed': refused(
    'Nobody confirmed a price far below the declared one',
    'With --yes, --plan or the library, nobody looks at the prices. One of them is 0 or less than half of what the catalogue declares, so a budget would not limit what is charged.',
    'Check the prices. If they are right, approve them at a terminal or add --accept-price.',
  ),
  'budget-needed': refused(
    'Buying without confirmation requires a budget',
    'With --yes or --plan nobody is asked to confirm. Outside the sandbox, a budget must then set the limit.',
    'Add --budget, or set `budget:` in the manifest.',
    'venice-batch run album.yaml --yes --budget 5.00',
  ),
  'not-frozen': refused(
    '--frozen forbids buying',
    'With --frozen nothing may need to be bought, and every stored file must be unchanged. If that holds, takes in flight are collected; otherwise nothing is changed.',
    'Run without --frozen where buying is allowed, and keep the lockfile and the files.',
    PLAN,
  ),
  'no-key': refused(
    'No API key',
    'Only the sandbox works without a key. Models and prices are public; buying and collecting are not.',
    'Set VENICE_API_KEY (or VENICE_WALLET_KEY to pay from a wallet), or pass a file that sets it with --env-file.',
    'venice-batch run album.yaml --sandbox',
  ),
  'api-key': refused(
    'VENICE_API_KEY is not an API key',
    'The value contains something that no key contains: a line break, a space, or the word Bearer. It was not sent anywhere.',
    'Set it to the key alone.',
    'venice-batch config album.yaml',
  ),
  'wallet-key': refused(
    'VENICE_WALLET_KEY is not a private key',
    'A private key is 64 hex digits, with or without 0x. An address or a recovery phrase is not a private key. The value was not sent anywhere: requests carry a signature, never the key.',
    'Set it to the private key of the wallet that pays.',
    'venice-batch config album.yaml',
  ),
  authentication: {
    title: 'The service rejected the key',
    text: 'The key is not valid, or the account may not use the API. No further request can succeed.',
    money: 'Jobs submitted earlier continue at the service. Nothing more is bought with this key.',
    mend: 'Set VENICE_API_KEY (or VENICE_WALLET_KEY) to a valid key of the same account, and run again to collect.',
    next: RUN,
  },
};

/** Nothing is wrong with what was left out. */
function stopped(title: string, text: string, mend: string, next = RUN): Explanation {
  return {
    title,
    text,
    money: 'Takes submitted earlier are still collected. The takes left out were not sent and cost nothing.',
    mend,
    next,
  };
}

const STOPS: Explanations = {
  'answers-lost': stopped(
    'Three answers in a row were lost',
    'Each of these submits may have been charged. Something on the way loses answers, and the next one could be lost too, so nothing is bought, in this run or a later one, until you settle them. Takes left in doubt by earlier runs count. Takes in flight are still collected.',
    'Check whether a proxy or the network loses answers, settle the takes in doubt with `resolve`, and run again.',
    'venice-batch resolve album.yaml',
  ),
  ceiling: stopped(
    'The approved total or the budget is used up',
    'A run submits nothing that would exceed the approved total or the budget of the lockfile. Takes in doubt count.',
    'Check what remains, and approve it if you agree.',
    PLAN,
  ),
  'balance-spent': stopped(
    'The balance is used up',
    'The service refused a submit because the balance is too low. Something else may be spending from the same account.',
    'Top up the account or raise the spend limit of the key, and run again.',
  ),
  'fail-fast': stopped(
    'Stopped after the first failed take',
    'With --fail-fast nothing more is submitted after the first take that fails.',
    'Find out why it failed, and run again. Without --fail-fast the other takes are bought anyway.',
  ),
  timeout: stopped(
    'The --timeout was reached',
    'Nothing more is submitted or polled in this run. Takes in flight continue at the service.',
    'Run again to collect what is paid for and buy the rest.',
  ),
};

const SAVED_PLANS: Explanations = {
  'plan-stale': refused(
    'The saved plan is out of date',
    'A saved plan applies only to the state it was made from: the requests and file names in the manifest, the attempts in the lockfile, and the files missing on disk.',
    'Save a new plan, review it, and apply that one.',
    SAVE,
  ),
  'plan-used': refused(
    'The saved plan was already used',
    'At least one of its takes was submitted after the plan was saved. A plan can be applied once, even if the run was cut short or all its submits were refused.',
    'Save a new plan for the remaining takes.',
    SAVE,
  ),
  'plan-other-endpoint': refused(
    'The saved plan is for another endpoint',
    'Prices, models and the lockfile belong to one endpoint. The sandbox is an endpoint too.',
    'Apply it with the flags it was saved with, or save a new plan.',
    SAVE,
  ),
  'plan-not-a-plan': refused(
    'Not a saved plan',
    'The file given to --plan was not written by `plan --out`, or has been changed.',
    'Pass the right file, or save a new plan.',
    SAVE,
  ),
  'plan-newer-version': refused(
    'The saved plan comes from a newer release',
    'It may contain conditions that this release does not check.',
    'Update venice-batch, or save the plan with this release.',
    SAVE,
  ),
  'plan-unreadable': refused(
    'The saved plan cannot be read',
    'The file given to --plan does not exist or cannot be opened.',
    'Check the path. It is relative to the working directory.',
    SAVE,
  ),
  'plan-unwritable': refused(
    'The plan cannot be saved',
    'The file given to --out cannot be written. Planning spends nothing.',
    'Name a file in an existing, writable folder.',
    SAVE,
  ),
};

const CHOICE: Explanations = {
  'unknown-track': refused(
    'A pattern matches no track',
    'Every pattern of --only, --except and --force must match a track, so that a typo does not change what is bought.',
    'Correct it. Use a track id, a take (`opening#2`), or a quoted pattern with `*` and `?`.',
  ),
  'force-blocked': {
    title: 'Cannot be made again yet',
    text: '--force makes finished takes again. This take is still in flight or in doubt.',
    money: 'It is not bought again while an earlier attempt may still succeed or may have been charged.',
    mend: 'Let it be collected, or resolve it. Then force it again.',
    next: RUN,
  },
  'output-occupied': refused(
    'A file already exists at the target',
    'The lockfile does not know this file. If the lockfile was lost, this check keeps the batch from being bought a second time.',
    'Restore the lockfile that the file belongs to, or move the file away.',
    'venice-batch status album.yaml',
  ),
  'no-file-here': {
    title: 'None of the files is in the output folder',
    text: 'The lockfile lists finished takes, but none of their files is where it is expected. Most likely they were stored in another folder with --out-dir.',
    money: 'They are paid for, and are not bought again automatically.',
    mend: 'Pass the same --out-dir again, or put the files back. If they are gone for good, --retry-failed buys them again.',
    next: 'venice-batch status album.yaml --out-dir audio',
  },
  'file-changed': {
    title: 'A stored file was changed',
    text: 'Its contents differ from what was stored, or it is behind a symbolic link, which is not followed. The file is left alone.',
    money: 'It is paid for, and is not bought again automatically.',
    mend: 'If the change was not intended, restore the file from a backup, or buy it again with --force.',
    next: 'venice-batch verify album.yaml',
  },
};

export const BUYING: Explanations = { ...TOTAL, ...APPROVAL, ...STOPS, ...SAVED_PLANS, ...CHOICE };
