// How the extension tells its workers, and a person the command line, where @tensorflow/tfjs-node may be taken from.

/** The setting `unroll.tensorflow.path`, or what a person at the shell chose. */
export const TFJS_NODE_PATH = 'UNROLL_TFJS_NODE';
/** Further folders, best first: the extension's storage, and the workspace where it is trusted. */
export const TFJS_NODE_FOLDERS = 'UNROLL_TFJS_NODE_FOLDERS';
