// The reference provider passes the vectors that every provider must pass.
import { referenceProvider } from '../../../../src/trainer/engine/reference/provider.ts';
import { describeProvider } from './describe-provider.ts';

describeProvider('reference', async () => referenceProvider);
