import type { Explanation, Explanations } from './explanation.js';

const NOTHING = 'Nothing was bought. What is already paid for is collected all the same.';
const RUN = 'venice-batch run album.yaml';
const PLAN = 'venice-batch plan album.yaml';
const SAVE = 'venice-batch plan album.yaml --out plan.json';

function refused(title: string, text: string, mend: string, next = PLAN): Explanation {
  return { title, text, money: NOTHING, mend, next };
}

const TOTAL: Explanations = {
  'no-quote': refused(
    'The service told no price',
    'Nothing is bought without its price, and the service answered none for some track.',
    'Run again later.',
    RUN,
  ),
  'over-budget': refused(
    'The total passes the budget',
    'A budget holds for the life of the lockfile: what earlier runs spent, what is reserved and what is in doubt all count. Of several budgets the lowest wins.',
    'Raise the budget to what the help line says, or buy less with --only.',
  ),
  'over-balance': refused(
    'The balance does not cover the total',
    'The service charges each job to the first purse that covers its whole price, in the order DIEM, earned credits, bundled credits, USD; it never splits a price. The purses that are known do not cover every take, so the batch would end half-way. Earned credits are visible to an ADMIN key only: if they cover the rest, add --ignore-balance.',
    'Top up the account, buy less with --only, or use --ignore-balance.',
  ),
  'cannot-consume': refused(
    'The account cannot spend',
    'The service does not permit this key to buy anything now. A wallet needs at least $0.10.',
    'Top up the account or the wallet, or check the spend limit of the key. venice-batch never moves money into the service by itself.',
  ),
  'balance-unknown': {
    title: 'The balance is unknown',
    text: 'Neither GET /api_keys/rate_limits nor GET /billing/balance answered. The run goes on, limited by the approved total and the budget.',
    money: 'Asking costs nothing. The approved total and the budget hold all the same.',
    mend: 'Nothing needs to be done.',
    next: RUN,
  },
  'price-suspicious': {
    title: 'A quoted price is far under the declared one',
    text: 'The service quotes 0, or less than half of what its own catalogue declares. Budget and approved total count quoted prices: where the declared price is charged all the same, they hold nothing back.',
    money:
      'Nothing is bought at such a price unless a person approves it at a terminal, or --accept-price is given.',
    mend: 'Compare the price with the catalogue, and ask the service where it cannot be meant.',
    next: 'venice-batch models',
  },
  'price-rose': {
    title: 'A price rose since it was approved',
    text: 'A price is asked again when it is older than ten minutes, or when a saved plan is applied. It is above the approved one, so nothing more is submitted.',
    money: 'What was submitted before was bought at the approved prices. Nothing was bought at the new one.',
    mend: 'Look at the new total, and approve it if it suits you.',
    next: PLAN,
  },
};

const APPROVAL: Explanations = {
  'not-approved': refused(
    'Not approved',
    'The total was shown and not approved with `yes`.',
    'Run again to approve it.',
    RUN,
  ),
  'approval-needed': refused(
    'Nobody to approve the total',
    'There is no terminal to ask at, and neither --yes nor a saved plan approves it.',
    'Add --yes together with a budget, or apply a plan that was saved and looked at.',
    'venice-batch run album.yaml --yes --budget 5.00',
  ),
  'price-unconfirmed': refused(
    'Nobody has seen a price that is far under the declared one',
    'With --yes, --plan or from a program no person looks at the prices. One of them is 0 or less than half of what the catalogue declares, so that a budget would hold nothing back.',
    'Look at the prices. Where they are right, approve them at a terminal or add --accept-price.',
  ),
  'budget-needed': refused(
    'Buying without a question needs a budget',
    'With --yes or --plan nobody is asked. Outside of the sandbox a budget then has to say where it ends.',
    'Add --budget, or `budget:` to the manifest.',
    'venice-batch run album.yaml --yes --budget 5.00',
  ),
  'not-frozen': refused(
    'Something would be bought, and --frozen forbids it',
    'With --frozen nothing may be left to buy, and every file has to be as it was stored. What is in flight is collected where that holds; else nothing is changed.',
    'Run without --frozen where buying is allowed, and keep the lockfile and the files.',
    PLAN,
  ),
  'no-key': refused(
    'No API key',
    'Only the sandbox works without one. Models and prices are public; buying and collecting are not.',
    'Set VENICE_API_KEY (or VENICE_WALLET_KEY, to pay from a wallet), or name a file that sets it with --env-file.',
    'venice-batch run album.yaml --sandbox',
  ),
  'api-key': refused(
    'VENICE_API_KEY is not a key',
    'Its text has a form that no key has: a line break, a space, or the word Bearer. It was not sent anywhere.',
    'Set it to the key alone.',
    'venice-batch config album.yaml',
  ),
  'wallet-key': refused(
    'VENICE_WALLET_KEY is not a private key',
    'A private key is 64 hex digits, with or without 0x. An address or a recovery phrase is none. It was not sent anywhere: requests carry a signature, never the key.',
    'Set it to the private key of the wallet that pays.',
    'venice-batch config album.yaml',
  ),
  authentication: {
    title: 'The service refuses the key',
    text: 'The key is not valid, or the account may not use the API. No further request can succeed.',
    money: 'What was submitted before goes on at the service. Nothing more is bought under this key.',
    mend: 'Set VENICE_API_KEY (or VENICE_WALLET_KEY) to a valid key of the same account, and run again: it collects.',
    next: RUN,
  },
};

/** Nothing is wrong with what was left out. */
function stopped(title: string, text: string, mend: string, next = RUN): Explanation {
  return {
    title,
    text,
    money:
      'What was submitted before is collected all the same. What was left out was not sent and cost nothing.',
    mend,
    next,
  };
}

const STOPS: Explanations = {
  'answers-lost': stopped(
    'Three answers in a row were lost',
    'Each of these submits may have been charged, and nobody can tell. Something on the way loses answers, so the next one may be lost as well: nothing is bought, in this run or a later one, until a person settles them. Takes that earlier runs left in doubt count. What is in flight is collected all the same.',
    'See whether a proxy or the network loses answers, settle what is in doubt with `resolve`, and run again.',
    'venice-batch resolve album.yaml',
  ),
  ceiling: stopped(
    'What was approved, or the budget, is used up',
    'A run submits nothing that would pass the total that was approved, or the budget for the life of the lockfile. What is in doubt counts.',
    'Look at what is left, and approve it if it suits you.',
    PLAN,
  ),
  'balance-spent': stopped(
    'The balance is used up',
    'The service refused a submit for want of money: something else may spend from the same account.',
    'Top up the account or raise the spend limit of the key, and run again.',
  ),
  'fail-fast': stopped(
    'Stopped at the first take that was not made',
    'With --fail-fast nothing more is submitted after it.',
    'See why it was not made, and run again; without --fail-fast the others are bought all the same.',
  ),
  timeout: stopped(
    'The time of --timeout is over',
    'Nothing more is submitted or asked for in this run. What is in flight goes on at the service.',
    'Run again: it collects what is paid for and buys the rest.',
  ),
};

const SAVED_PLANS: Explanations = {
  'plan-stale': refused(
    'The saved plan is out of date',
    'A saved plan holds for the state it was made from: the requests and file names of the manifest, the attempts in the lockfile, and what was missing on disk.',
    'Make a new plan, look at it, and apply that one.',
    SAVE,
  ),
  'plan-used': refused(
    'The saved plan was used already',
    'Something that it buys was submitted since it was saved. A plan is an approval for one time, also when the run was cut short or everything it submitted was refused.',
    'Make a new plan for what is left.',
    SAVE,
  ),
  'plan-other-endpoint': refused(
    'The saved plan is for another endpoint',
    'Prices, models and the lockfile belong to one endpoint; the sandbox is one of its own.',
    'Apply it with the flags that it was made with, or make a new one.',
    SAVE,
  ),
  'plan-not-a-plan': refused(
    'Not a saved plan',
    'The file of --plan is not what `plan --out` writes, or was changed.',
    'Name the right file, or save a new plan.',
    SAVE,
  ),
  'plan-newer-version': refused(
    'The saved plan comes from a newer release',
    'It may be bound to something that this release does not look at.',
    'Update venice-batch, or save the plan with this release.',
    SAVE,
  ),
  'plan-unreadable': refused(
    'The saved plan cannot be read',
    'The file of --plan is not there, or the system does not let it be read.',
    'Check the path; it starts at the working directory.',
    SAVE,
  ),
  'plan-unwritable': refused(
    'The plan cannot be saved',
    'The file of --out cannot be written. Planning spends nothing.',
    'Name a file in a folder that exists and can be written.',
    SAVE,
  ),
};

const CHOICE: Explanations = {
  'unknown-track': refused(
    'A pattern matches no track',
    'What --only, --except or --force names has to exist, so that a slip of the pen does not change what is bought.',
    "Correct it: a track's id, a take (`opening#2`), or a pattern with `*` and `?` in quotes.",
  ),
  'force-blocked': {
    title: 'Not made again yet',
    text: '--force makes again what is done. This take is still in flight, or in doubt.',
    money: 'It is not bought again while an earlier attempt may still come, or may have been charged.',
    mend: 'Let it be collected, or resolve it; then force it again.',
    next: RUN,
  },
  'output-occupied': refused(
    'A file stands where one would be stored',
    'The lockfile does not know it. If the lockfile was lost, this keeps the batch from being bought a second time.',
    'Bring back the lockfile that the file belongs to, or move the file away.',
    'venice-batch status album.yaml',
  ),
  'no-file-here': {
    title: 'None of the files is in its place',
    text: 'The lockfile knows takes that were made, and not one of their files is where it looks for them. Most likely it looks in another folder than the one that they were made in with --out-dir.',
    money: 'They are paid for, and not bought again by themselves.',
    mend: 'Name the folder again with --out-dir, or put the files back. Where they are gone for good, --retry-failed buys them again.',
    next: 'venice-batch status album.yaml --out-dir audio',
  },
  'file-changed': {
    title: 'A stored file was changed',
    text: 'Its bytes are not those that were stored. It is left alone.',
    money: 'It is paid for, and not bought again by itself.',
    mend: 'If the change was not meant, put the file back from a copy, or buy it again with --force.',
    next: 'venice-batch verify album.yaml',
  },
};

export const BUYING: Explanations = { ...TOTAL, ...APPROVAL, ...STOPS, ...SAVED_PLANS, ...CHOICE };
