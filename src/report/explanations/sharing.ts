import type { Explanations } from './explanation.js';

/** Of batches that several machines share. */
export const SHARING: Explanations = {
  taken: {
    title: 'Another run is buying the take',
    text: 'The batch is shared between machines, and another run recorded first that it buys this take. Each take is bought by one run only.',
    money: 'Nothing was spent here: the other run pays for the take.',
    mend: 'Nothing to do: the other run collects what it buys. To see how far all runs are, show the status.',
    next: 'venice-batch status album.yaml',
  },
};
