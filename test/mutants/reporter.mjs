// mocha's reporter for scripts/mutants.mjs: of the first failure the file and the title, for a fault is caught by it.
import Mocha from 'mocha';

const { EVENT_TEST_FAIL } = Mocha.Runner.constants;

export default class FirstFailure {
  constructor(runner) {
    runner.once(EVENT_TEST_FAIL, ({ file, title, parent }) => {
      const titles = [...(parent?.titlePath() ?? []), title].join(' ');
      console.log(`FAILED ${JSON.stringify({ file, title: titles.replace(/\s+/g, ' ') })}`);
    });
  }
}
