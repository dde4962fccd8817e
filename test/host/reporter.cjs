// Mocha's own report on the screen, and what it counted in the file that UNROLL_TEST_REPORT names:
// a run is judged by that file and by nothing else.
const { writeFileSync } = require('node:fs');
const process = require('node:process');
const Mocha = require('mocha');

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.UNROLL_TEST_REPORT;
    if (!file) return;
    const report = { passed: 0, failed: [], skipped: [] };
    runner.on('pass', () => report.passed++);
    runner.on('fail', test => report.failed.push(test.fullTitle()));
    runner.on('pending', test => report.skipped.push(test.fullTitle()));
    runner.once('end', () => writeFileSync(file, JSON.stringify(report)));
  }
};
