// The field that adds a layer's input to its output (He et al. 2016).
import * as z from 'zod';

export const residual = z
  .boolean()
  .default(false)
  .describe('Add its input to its output, which must be as wide and as long (He et al. 2016).');
