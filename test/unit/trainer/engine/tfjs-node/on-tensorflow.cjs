// For mocha --require: every module that imports engine/start.ts gets start-on-tensorflow.ts, but for that one itself.
const Module = require('node:module');
const path = require('node:path');

const start = path.resolve(__dirname, '../../../../../src/trainer/engine/start.ts');
const standIn = path.join(__dirname, 'start-on-tensorflow.ts');
const resolve = Module._resolveFilename;

Module._resolveFilename = function (request, parent, ...rest) {
  const found = resolve.call(this, request, parent, ...rest);
  return found.split('?')[0] === start && parent?.filename !== standIn ? standIn : found;
};

// without this, a test run that went past the stand-in would pass and say nothing
exports.mochaHooks = {
  afterAll() {
    if (!process.env.UNROLL_TEST_RAN_ON) throw new Error('No test ran on TensorFlow.');
  },
};
