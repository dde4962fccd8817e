// Progress lines for what takes longer than two seconds: what it is, how far it is, how long it has taken.

const FIRST = 2000;
const NEXT = 10_000;

/**
 * Runs `work` and prints a line after 2 s and every 10 s until it ends; quick work prints nothing. `work` is given a
 * function that takes the words for how far it is ("2 of 4 parts").
 */
export async function withProgress(what, work, print = console.log) {
  const began = Date.now();
  let far = '';
  const say = () => print(`  … ${what}${far && `: ${far}`} (${Math.round((Date.now() - began) / 1000)} s)`);
  let timer = setTimeout(() => {
    say();
    timer = setInterval(say, NEXT);
    timer.unref();
  }, FIRST);
  timer.unref();
  try {
    return await work(words => {
      far = words;
    });
  } finally {
    clearTimeout(timer);
    clearInterval(timer);
  }
}
