import { BUYING } from './explanations/buying.js';
import { CHOOSING } from './explanations/choosing.js';
import type { Explanations } from './explanations/explanation.js';
import { LOCKFILE } from './explanations/lockfile.js';
import { MANIFEST } from './explanations/manifest.js';
import { MODELS } from './explanations/models.js';
import { PROGRAM } from './explanations/program.js';
import { RELEASE } from './explanations/release.js';
import { SERVICE } from './explanations/service.js';
import { SHARING } from './explanations/sharing.js';
import { STATE } from './explanations/state.js';

/** Every code that this program tells, by area, in the order in which `explain` lists them. */
export const EXPLANATIONS: Explanations = {
  ...MANIFEST,
  ...MODELS,
  ...BUYING,
  ...CHOOSING,
  ...LOCKFILE,
  ...SHARING,
  ...STATE,
  ...RELEASE,
  ...SERVICE,
  ...PROGRAM,
};
