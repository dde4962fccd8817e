// The optimizer that code makes, with its rates; frameworks' defaults are filled in where they differ from Unroll's.
import { argument, type CodeReader, type FoundCall, type Note } from './reader.ts';
import type { OptimizerTaken, Taken } from './taken.ts';

type Kind = OptimizerTaken['type'];

const PYTHON = /AdamW|Adam|SGD|RMSprop|RMSProp|Adagrad|Adadelta|NAdam|Nadam|RAdam|Adamax|LBFGS|Ftrl|Lion/;
const SCRIPT = /train\s*\.\s*(?:adamax|adam|sgd|momentum|rmsprop|adagrad|adadelta)/;
const KINDS: Readonly<Record<string, Kind>> = {
  adam: 'adam',
  adamw: 'adamw',
  sgd: 'sgd',
  momentum: 'sgd',
  rmsprop: 'rmsprop',
};
/** `compile(optimizer="adam")`: Keras's and TensorFlow.js's own rates. */
const RATE_BY_NAME: Readonly<Record<Kind, number>> = { adam: 0.001, adamw: 0.001, sgd: 0.01, rmsprop: 0.001 };

export function optimizerOf(code: CodeReader, note: Note): Taken<OptimizerTaken> | null {
  const made = code.calls(code.isPython ? PYTHON : SCRIPT);
  const [first, ...more] = made;
  if (!first) return byName(code, note) ?? ofArguments(code);
  const taken = described(code, first, note);
  const others = more.filter(
    call => JSON.stringify(described(code, call, () => {})) !== JSON.stringify(taken),
  );
  if (others.length === 0) return taken && { value: taken, line: first.line };
  note(
    others[0]!.line,
    `Several optimizers are made (lines ${[first, ...others].map(({ line }) => line).join(', ')}), so none of them is taken.`,
  );
  return null;
}

function kindOf(name: string): Kind | null {
  return KINDS[name.toLowerCase().replace(/^train\s*\.\s*/, '')] ?? null;
}

function described(code: CodeReader, call: FoundCall, note: Note): OptimizerTaken | null {
  const type = kindOf(call.name);
  if (!type) {
    note(call.line, `${call.name} is not one of Unroll's optimizers (Adam, AdamW, SGD, RMSprop).`);
    return null;
  }
  const learningRate = rateOf(code, call, type);
  if (learningRate === null) {
    note(call.line, `The learning rate of ${call.name} comes from outside of this file.`);
    return null;
  }
  const decay = code.number(argument(call, 'weight_decay'));
  if (decay && type !== 'adamw') note(call.line, `weight_decay=${decay} of ${call.name} is left out.`);
  return { ...specific(code, call, type), type, learningRate } as OptimizerTaken;
}

/** A schedule in its place is a call: its first rate is taken. */
function rateOf(code: CodeReader, call: FoundCall, type: Kind): number | null {
  const isTorch = code.isPython && isTorchCall(code, call);
  const given =
    call.named.get('lr')?.value ??
    call.named.get('learning_rate')?.value ??
    call.named.get('learningRate')?.value ??
    call.positional[isTorch ? 1 : 0];
  if (!given)
    return isTorch ? (type === 'sgd' ? 0.001 : type === 'rmsprop' ? 0.01 : 0.001) : RATE_BY_NAME[type];
  const schedule = code.callOf(given);
  if (schedule)
    return code.number(argument(schedule, 'initial_learning_rate', 0) ?? argument(schedule, 'learning_rate'));
  return code.number(given);
}

function isTorchCall(code: CodeReader, { callee, positional, named }: FoundCall): boolean {
  if (/\boptim\./.test(callee.node.text) || named.has('lr')) return true;
  if (named.has('learning_rate')) return false;
  return /^\s*(?:from|import)\s+torch\b/m.test(code.text) && positional[0]?.kind !== 'constant';
}

function specific(code: CodeReader, call: FoundCall, type: Kind): Record<string, number | boolean> {
  const number = (...names: string[]) => {
    for (const name of names) {
      const value = code.number(argument(call, name));
      if (value !== null) return value;
    }
    return undefined;
  };
  const betas = code.numbers(argument(call, 'betas'));
  const isScript = !code.isPython;
  const all: Record<Kind, Record<string, number | boolean | null | undefined>> = {
    adam: {
      beta1: betas?.[0] ?? number('beta_1') ?? (isScript ? code.number(call.positional[1]) : undefined),
      beta2: betas?.[1] ?? number('beta_2') ?? (isScript ? code.number(call.positional[2]) : undefined),
      epsilon: number('eps', 'epsilon'),
    },
    adamw: {
      beta1: betas?.[0] ?? number('beta_1'),
      beta2: betas?.[1] ?? number('beta_2'),
      epsilon: number('eps', 'epsilon'),
      weightDecay: number('weight_decay'),
    },
    sgd: {
      momentum:
        number('momentum') ??
        (/momentum/.test(call.name) ? (code.number(call.positional[1]) ?? undefined) : undefined),
      nesterov: code.flag(argument(call, 'nesterov')),
    },
    rmsprop: {
      decay: number('alpha', 'rho'),
      momentum: number('momentum'),
      epsilon: number('eps', 'epsilon'),
    },
  };
  return Object.fromEntries(
    Object.entries(all[type]).filter(([, value]) => value !== null && value !== undefined),
  ) as Record<string, number | boolean>;
}

/** `TrainingArguments(learning_rate=…)`: AdamW at 5e-5, unless it says otherwise. */
function ofArguments(code: CodeReader): Taken<OptimizerTaken> | null {
  const [call] = code.calls(/(?:Seq2Seq)?TrainingArguments/);
  if (!call) return null;
  const given = (name: string, otherwise: number) => {
    const expression = argument(call, name);
    return expression ? code.number(expression) : otherwise;
  };
  const learningRate = given('learning_rate', 5e-5);
  if (learningRate === null) return null;
  const weightDecay = given('weight_decay', 0) ?? 0;
  return { value: { type: 'adamw', learningRate, weightDecay }, line: call.line };
}

/** `model.compile(optimizer="adam")` */
function byName(code: CodeReader, note: Note): Taken<OptimizerTaken> | null {
  for (const call of code.calls(/compile/)) {
    const name = code.string(argument(call, 'optimizer', 0));
    if (name === null) continue;
    const type = kindOf(name);
    if (type) return { value: { type, learningRate: RATE_BY_NAME[type] }, line: call.line };
    note(call.line, `"${name}" is not one of Unroll's optimizers (Adam, AdamW, SGD, RMSprop).`);
  }
  return null;
}
