/**
 * The dependency order of docs/architecture.md. Wings, highest first: a wing imports from itself and from wings in lower
 * rows; desk and lab share a row and do not know each other. Inside a wing its rooms stand in rows too, and rooms of one
 * row are strangers. `npm run check:boundaries` proves all of it.
 */
const WINGS = [['app'], ['desk', 'lab'], ['learning'], ['data'], ['core']];
const ROOMS = {
  core: [
    ['strategy'],
    ['portfolio'],
    ['environments'],
    ['forecast'],
    ['features'],
    ['dataset'],
    ['evaluation'],
    ['trading'],
    ['market'],
    ['text'],
    ['foundation'],
  ],
  data: [['panel'], ['exchange', 'csv', 'series', 'text', 'synthetic'], ['store'], ['journal']],
  learning: [
    ['training'],
    ['ensemble', 'models'],
    ['allocators'],
    ['learners'],
    ['validation'],
    ['text'],
    ['engine'],
  ],
  lab: [['contracts'], ['audit'], ['portfolio'], ['tuning'], ['backtest'], ['queue']],
  desk: [['live'], ['paper'], ['session'], ['notify']],
  app: [
    ['cli'],
    ['server'],
    ['dashboard'],
    ['report'],
    ['config'],
    ['service'],
    ['advisor'],
    ['workflows'],
    ['plugins'],
  ],
};
/** The whole core is pure, and these packages only compute. */
const PURE_PACKAGES = ['fastest-levenshtein', 'quadprog', 'zod'];

const folder = (names, wing) => `^src/${wing === undefined ? '' : `${wing}/`}(${names.join('|')})/`;

/** What each row may not import: every row above it, and its neighbours in the same row. */
const order = (rows, wing) =>
  rows.flatMap((row, level) =>
    row.flatMap((name) => {
      const closed = [...rows.slice(0, level).flat(), ...row.filter((other) => other !== name)];
      if (closed.length === 0) return [];
      return {
        name: `${wing === undefined ? '' : `${wing}-`}${name}-imports-only-from-below`,
        comment: 'Dependencies point downwards: see docs/architecture.md.',
        severity: 'error',
        from: { path: folder([name], wing) },
        to: { path: folder(closed, wing) },
      };
    }),
  );

const only = (name, packages, allowed) => ({
  name,
  severity: 'error',
  from: { path: '^(src|bin)/', pathNot: allowed },
  to: { path: `node_modules/(${packages.join('|')})(/|$)` },
});

module.exports = {
  forbidden: [
    ...order(WINGS),
    ...Object.entries(ROOMS).flatMap(([wing, rows]) => order(rows, wing)),
    {
      name: 'config-is-read-by-the-doors-alone',
      comment: 'Only the command line and the server read settings; everything below takes values.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/app/(cli|server|config)/' },
      to: { path: '^src/app/config/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-does-no-io',
      comment: 'Time, randomness and data are arguments of pure code.',
      severity: 'error',
      from: { path: folder(['core']) },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: `node_modules/(${PURE_PACKAGES.join('|')})/`,
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
    only('only-the-texts-know-xml', ['fast-xml-parser'], '^src/data/text/'),
    only('only-the-exchange-knows-ccxt', ['ccxt'], '^src/data/exchange/'),
    only('only-the-journal-index-knows-sqlite', ['libsql'], '^src/data/journal/sqlite/'),
    only(
      'only-engine-and-networks-know-tensorflow',
      ['@tensorflow'],
      '^src/learning/(engine|learners|models|allocators)/',
    ),
    only(
      'only-engine-knows-onnx-runtime',
      ['onnxruntime-node', 'onnxruntime-common'],
      '^src/learning/engine/',
    ),
    only('only-the-portfolio-lab-knows-highs', ['highs'], '^src/lab/portfolio/'),
    only('only-the-object-store-knows-s3', ['@aws-sdk'], '^src/data/object-store'),
    only('only-the-queue-knows-bullmq', ['bullmq'], '^src/lab/queue/'),
    only('only-the-server-knows-hono', ['hono', '@hono'], '^src/app/server/'),
    only('only-the-advisor-knows-llm-sdks', ['ai', '@ai-sdk'], '^src/app/advisor/'),
    only('only-cli-and-dashboard-know-ink', ['ink', 'react', '@inkjs'], '^src/app/(cli|dashboard)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules|^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
