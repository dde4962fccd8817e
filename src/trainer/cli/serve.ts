// unroll serve: a trained run answers over HTTP on this machine alone. A signal ends it at once, by its own default.
import { once } from 'node:events';
import process from 'node:process';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { plain } from './terminal.ts';
import { TRAINED_OPTIONS, trainedOf, writeRecord } from './trained.ts';

export const command: Command = {
  name: 'serve',
  operands: 'RUN',
  count: [1, 1],
  summary:
    'Answer with a trained run over HTTP, on 127.0.0.1 alone: GET / says what is served, POST /predict takes and gives what `unroll predict` or `unroll sample` does, POST /step reads one step of a sequence and keeps its state.',
  details:
    'Each request needs the header "Authorization: Bearer TOKEN" with the token that is printed at start, and JSON of up to 1 MB. Up to 64 sequences are kept, each until nobody has gone on with it for 10 minutes. Ctrl+C ends it.',
  options: {
    port: { value: 'N', help: 'The port; default: one that is free, which is printed.' },
    ...TRAINED_OPTIONS,
  },
  examples: ['unroll serve RUN', 'unroll serve RUN --port 8000'],
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const port = args.number('port', { min: 0, max: 65535, whole: true }) ?? 0;
    const { useFinishedRun } = await import('../inference/finished-run.ts');
    const { answersOf } = await import('../inference/serve/answers.ts');
    const { serve } = await import('../inference/serve/server.ts');
    const answers = await answersOf(await useFinishedRun(folder, checkpoint));
    const { url, token, server } = await serve(answers, port);
    if (args.flag('json')) writeRecord({ kind: 'serve', ...answers.about(), run: folder, url, token });
    else
      process.stdout.write(
        plain(
          `${folder} is served at ${url}\nToken: ${token}\n\ncurl -H "Authorization: Bearer ${token}" ${url}/\n`,
          true,
        ),
      );
    await once(server, 'close');
    return EXIT.done;
  },
};
