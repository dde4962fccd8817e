// Whether there is a tfjs-node to test with; npm test never needs one.
import { TFJS_NODE_PATH } from '../../../../../src/runs/tfjs-node.ts';
import { findTfjsNode } from '../../../../../src/trainer/engine/tfjs-node/find.ts';

/** null, or why the tests are skipped */
export function whyAbsent(): string | null {
  const found = findTfjsNode(process.env);
  return 'folder' in found ? null : `${TFJS_NODE_PATH} names no tfjs-node (docs/tfjs-node.md)`;
}
