// BLEU of a corpus: K. Papineni et al., 2002, https://aclanthology.org/P02-1040, with the "exp" smoothing of sacreBLEU
// (M. Post, 2018, https://aclanthology.org/W18-6319). Tokens are the caller's: sacreBLEU's `tokenize="none"` over units that
// are joined by spaces.

const ORDERS = 4;

/** Sums over sentences, by name, so that parts can be added up. */
export function addBleu<T>(
  answer: readonly T[],
  truth: readonly T[],
  add: (name: string, value: number) => void,
): void {
  add('bleu answer', answer.length);
  add('bleu truth', truth.length);
  for (let n = 1; n <= ORDERS; n++) {
    const wanted = gramsOf(truth, n);
    let right = 0;
    for (const [gram, count] of gramsOf(answer, n)) right += Math.min(count, wanted.get(gram) ?? 0);
    add(`bleu right ${n}`, right);
    add(`bleu all ${n}`, Math.max(0, answer.length - n + 1));
  }
}

function gramsOf<T>(tokens: readonly T[], n: number): Map<string, number> {
  const grams = new Map<string, number>();
  for (let at = 0; at + n <= tokens.length; at++) {
    const gram = JSON.stringify(tokens.slice(at, at + n));
    grams.set(gram, (grams.get(gram) ?? 0) + 1);
  }
  return grams;
}

/** From 0 to 100. */
export function bleuOf(sums: Readonly<Record<string, number>>): number {
  const of = (name: string) => sums[`bleu ${name}`] ?? 0;
  const orders = Array.from({ length: ORDERS }, (_, index) => index + 1);
  if (orders.every(n => of(`right ${n}`) === 0)) return 0;
  let [logs, smoothing] = [0, 1];
  for (const n of orders) {
    const [right, all] = [of(`right ${n}`), of(`all ${n}`)];
    if (all === 0) return 0;
    if (right === 0) smoothing *= 2;
    logs += Math.log(right > 0 ? right / all : 1 / (smoothing * all));
  }
  const [own, other] = [of('answer'), of('truth')];
  const brevity = own >= other ? 1 : Math.exp(1 - other / own);
  return 100 * brevity * Math.exp(logs / ORDERS);
}
