// How places in branches and loops stand to each other: which surely comes first, and which exclude each other.
import type { Branch } from './expression.ts';
import type { Node } from './node.ts';

/** Whatever reaches `of` has reached a place in these branches. */
export function isPrefix(branches: readonly Branch[], of: readonly Branch[]): boolean {
  return branches.every((branch, index) => of[index]?.id === branch.id && of[index]?.arm === branch.arm);
}

export function areExclusive(a: readonly Branch[], b: readonly Branch[]): boolean {
  return a.some(
    branch => !branch.isLoop && b.some(other => other.id === branch.id && other.arm !== branch.arm),
  );
}

export interface Placed {
  node: Node;
  branches: readonly Branch[];
}

/** Whether one of these places is surely passed, from the branch at `level` on: every arm has one, or ends before. */
export function covers(places: readonly Placed[], level: number): boolean {
  if (places.some(({ branches }) => branches.length <= level)) return true;
  const ids = new Set(places.map(({ branches }) => branches[level]!.id));
  return [...ids].some(id => {
    const own = places.filter(({ branches }) => branches[level]!.id === id);
    const statement = around(own[0]!.node, id);
    const arms = statement ? armsOf(statement) : null;
    if (!arms) return false;
    return arms.every(arm => {
      const inside = own.filter(({ branches }) => branches[level]!.arm === arm.id);
      return inside.length > 0 ? covers(inside, level + 1) : /\b(?:throw|raise|return)\b/.test(arm.text);
    });
  });
}

function around(node: Node, id: number): Node | null {
  for (let here: Node | null = node; here; here = here.parent) if (here.id === id) return here;
  return null;
}

/** All ways through a statement; null where it may be passed by, or is none whose arms are told. */
function armsOf(statement: Node): Node[] | null {
  const { type, namedChildren } = statement;
  if (type === 'switch_body') {
    const arms = namedChildren.filter(each => /^switch_(?:case|default)$/.test(each.type));
    return arms.some(each => each.type === 'switch_default') ? arms : null;
  }
  if (type !== 'if_statement') return null;
  const arms = statement.children.filter(({ field }) => field === 'consequence' || field === 'alternative');
  return arms.some(each => each.type === 'else_clause') ? arms : null;
}
