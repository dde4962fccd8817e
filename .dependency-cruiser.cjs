// The import rule of docs/architecture.md: left may import right, never the other way; no circles.
const rooms = {
  extension: ['protocol', 'diagnosis', 'definitions', 'runs', 'experiment'],
  webview: ['protocol'],
  protocol: ['runs', 'experiment'],
  trainer: ['diagnosis', 'definitions', 'runs', 'experiment'],
  diagnosis: ['runs', 'experiment'],
  definitions: ['experiment'],
  runs: ['experiment'],
  experiment: [],
};

const roomRules = Object.entries(rooms).map(([room, mayImport]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import only ${['itself', ...mayImport].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [room, ...mayImport].map(name => `^src/${name}/`) },
}));

// Inside a room: a folder may import those before it, and not those after it. Folders of one rank may import each
// other, file by file without a circle. Files that stand in the room itself are the doors: they see all folders.
const ranks = {
  trainer: [
    ['engine', 'data'],
    ['layers'],
    ['tasks'],
    ['probes', 'training'],
    ['inference'],
    ['export', 'bench'],
    ['cli'],
  ],
  extension: [['tensorflow', 'runs'], ['workers'], ['experiments'], ['train'], ['definitions', 'dashboard']],
};

const folders = (room, list) => `^src/${room}/(${list.join('|')})/`;

const rankRules = Object.entries(ranks).flatMap(([room, order]) =>
  order.slice(0, -1).map((own, index) => ({
    name: `${room}-${own[0]}-imports-up`,
    comment: `in src/${room}, ${own.join(' and ')} must not import ${order
      .slice(index + 1)
      .flat()
      .join(', ')}`,
    severity: 'error',
    from: { path: folders(room, own) },
    to: { path: folders(room, order.slice(index + 1).flat()) },
  })),
);

module.exports = {
  forbidden: [
    ...roomRules,
    ...rankRules,
    {
      name: 'protocol-types-only',
      comment: 'the protocol takes types of other rooms, never their code',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: '^src/(runs|experiment)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'vscode-in-extension-only',
      comment: 'only src/extension imports vscode',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/extension/' },
      to: { path: '^vscode$' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dev-tools-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules/(mocha|playwright-core|fast-check|tsx)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
