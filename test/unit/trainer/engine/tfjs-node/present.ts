// Whether there is a tfjs-node to test with; npm test never needs one.
import { findTfjsNode, PATH_VARIABLE } from '../../../../../src/trainer/engine/tfjs-node/find.ts';

/** null, or why the tests are skipped */
export function whyAbsent(): string | null {
  const found = findTfjsNode(process.env);
  return 'folder' in found ? null : `${PATH_VARIABLE} names no tfjs-node (docs/tfjs-node.md)`;
}
