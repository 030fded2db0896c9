/**
 * The dependency order of docs/architecture.md, highest first. A folder imports only from lower rows
 * (and from itself); `foundation` is below everything. `config` is read by `cli` alone.
 */
const ROWS = [
  ['cli'],
  ['dashboard', 'report', 'config'],
  ['paper', 'backtest', 'training'],
  ['ensemble', 'models'],
  ['engine', 'data', 'environments'],
  ['trading', 'evaluation', 'dataset', 'features'],
  ['market'],
  ['foundation'],
];
const PURE = ['foundation', 'market', 'features', 'dataset', 'trading', 'environments', 'evaluation'];
/** Pure numeric packages that pure folders may use. */
const PURE_PACKAGES = ['fastest-levenshtein'];

const folder = (names) => `^src/(${names.join('|')})/`;

const order = ROWS.flatMap((row, level) => {
  const above = ROWS.slice(0, level).flat();
  return above.length === 0
    ? []
    : [
        {
          name: `${row.join('-')}-imports-nothing-above`,
          comment: 'Dependencies point downwards: see docs/architecture.md.',
          severity: 'error',
          from: { path: folder(row) },
          to: { path: folder(above) },
        },
      ];
});

const only = (name, packages, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^(src|bin)/', pathNot: allowed },
  to: { path: `node_modules/(${packages.join('|')})(/|$)` },
});

module.exports = {
  forbidden: [
    ...order,
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'pure-folders-do-no-io',
      comment: 'Time, randomness and data are arguments of pure code.',
      severity: 'error',
      from: { path: folder(PURE) },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        ...(PURE_PACKAGES.length > 0 ? { pathNot: `node_modules/(${PURE_PACKAGES.join('|')})/` } : {}),
      },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(@tensorflow/tfjs-node$|[.][.]/dist/)' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      to: { path: '^(tests|bench|scripts)/' },
    },
    only('only-the-store-knows-polars', ['nodejs-polars'], '^src/data/store/'),
    only('only-the-exchange-knows-ccxt', ['ccxt'], '^src/data/exchange/'),
    only('only-engine-and-models-know-tensorflow', ['@tensorflow'], '^src/(engine|models)/'),
    only('only-engine-knows-onnx-runtime', ['onnxruntime-node', 'onnxruntime-common'], '^src/engine/'),
    only('only-cli-and-dashboard-know-ink', ['ink', 'react', '@inkjs'], '^src/(cli|dashboard)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
