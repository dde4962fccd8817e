// Mocha for the unit tests. A file or pattern on the command line is run alone: mocha would add it to those named here.
const process = require('node:process');

const named = process.argv
  .slice(2)
  .some(word => /\.ts$/.test(word) || /(^|\/)test\/(unit|e2e|deep)\b/.test(word));

module.exports = {
  spec: named ? [] : ['test/unit/**/*.test.ts'],
  'node-option': ['import=tsx'],
  require: ['./test/strict-views.mjs'],
  // a hang is found by what it does not do (scripts/test.mjs); this only tells which test it was
  timeout: 600_000,
  'forbid-only': true,
};
