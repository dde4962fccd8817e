// A model's levels as people see them: their names, and which is shown first.
import type { SeriesLevel } from './format.ts';

/**
 * The last recurrent one, whose h_t carries all that comes back through time. Else the first: the output of a layer that
 * keeps no state is read at its own step alone by the layers behind, so that the reach shows only in what it reads.
 */
export function mainLevel(levels: readonly Pick<SeriesLevel, 'family'>[]): number {
  return Math.max(
    0,
    levels.findLastIndex(({ family }) => family === 'recurrent'),
  );
}

const PLACE = /^(encoder|layers)\.(\d+)(?:\.(\d+))?(-reverse)?$/;

/** "LSTM 1", "LSTM 2", "encoder GRU", "dense": of one title in one chain they are counted. */
export function levelTitles(levels: readonly Pick<SeriesLevel, 'name' | 'title'>[]): string[] {
  const found = levels.map(({ name, title }) => {
    const [, chain = '', , , reverse = ''] = PLACE.exec(name) ?? [];
    return { own: name.replace(/-reverse$/, ''), chain, title, reverse: reverse !== '' };
  });
  const hasEncoder = found.some(({ chain }) => chain === 'encoder');
  return found.map(({ own, chain, title, reverse }) => {
    const alike = found.filter(each => each.chain === chain && each.title === title).map(each => each.own);
    const places = [...new Set(alike)];
    const number = places.length > 1 ? `${places.indexOf(own) + 1}` : '';
    const side = hasEncoder ? (chain === 'encoder' ? 'encoder' : 'decoder') : '';
    return [side, title, number, reverse ? 'reverse' : ''].filter(Boolean).join(' ');
  });
}
