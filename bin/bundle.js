import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Packages on the way to the first line of output, taken into the bundle. Others stay outside: they are native, find their
 * own files, or are loaded late.
 */
const TAKEN_IN = [
  ...[
    '@hono/node-server',
    '@hono/zod-openapi',
    'cli-progress',
    'cli-table3',
    'commander',
    'croner',
    'csv-parse',
  ],
  ...[
    'fast-xml-parser',
    'fastest-levenshtein',
    'hono',
    'ink',
    'js-yaml',
    'p-limit',
    'p-retry',
    'pino',
    'pino-pretty',
    'pino-roll',
    'quadprog',
    'react',
  ],
  ...['string-width', 'yaml', 'zod'],
];
/** A process that was started from the build before may still load its pieces. */
const KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Bundles the command line compiled into `dist` into `dist/start`: Node spends most of a start on finding and reading
 * modules one by one. `dist` itself stays as it is, for library users, most worker threads and hashes of code.
 */
export async function bundleProgram(dist) {
  const { build } = await import('esbuild');
  const folder = join(dist, 'start');
  const options = {
    outdir: folder,
    // The hashes of the program's code cover *.js: this is the same code once more.
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // What is packed lies elsewhere, and has no packages beside it.
    nodePaths: [resolve(import.meta.dirname, '../node_modules')],
    write: false,
    logLevel: 'error',
  };
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: { main: join(dist, 'app/cli/main.js') },
    splitting: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    // Ink asks for them when it is worked on itself.
    external: ['react-devtools-core', 'ws'],
    // CommonJS packages ask for Node's own modules by it.
    banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
    plugins: [{ name: 'program', setup: (bundler) => setUp(bundler, dist) }],
    metafile: true,
  });
  // Threads that live for less than a second.
  const { outputFiles: threads } = await build({
    ...options,
    entryPoints: [join(dist, 'data/panel/feature-worker.js')],
  });
  const licences = licencesOf(Object.keys(metafile.inputs));
  const files = [...outputFiles, ...threads, { path: join(folder, 'LICENSES.txt'), contents: licences }];
  mkdirSync(folder, { recursive: true });
  // Pieces have their hash in their name; what names them comes last.
  for (const { path, contents } of files.toSorted((a) => (a.path.endsWith('main.mjs') ? 1 : -1))) {
    writeFileSync(`${path}.${process.pid}`, contents);
    renameSync(`${path}.${process.pid}`, path);
  }
  for (const path of readdirSync(folder).map((name) => join(folder, name)))
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
}

function setUp(bundler, dist) {
  bundler.onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
    const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/');
    const outside = dirname(importer).startsWith(dist) && !TAKEN_IN.includes(name);
    return kind !== 'entry-point' && outside ? { path, external: true } : undefined;
  });
  // Of its fifty languages one is spoken.
  bundler.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
    contents: "export { default as en } from './en.js'",
  }));
  bundler.onLoad({ filter: /\.js$/ }, ({ path }) => {
    if (!path.startsWith(dist)) return;
    const place = JSON.stringify(`../${relative(dist, path).replaceAll('\\', '/')}`);
    const contents = readFileSync(path, 'utf8')
      // Files are found from where the module lies in dist.
      .replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
      // Of a namespace only what is used is taken in; the object `z` would bring every language.
      .replace(/^import \{ z \} from ['"]zod['"]/m, "import * as z from 'zod'");
    return { contents };
  });
}

/** The licence of every package of which these files are. */
function licencesOf(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const texts = [...new Set(folders)]
    .filter(Boolean)
    .toSorted()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((one) => /^licen[sc]e/i.test(one));
      return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`;
    });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

if (process.argv[1] === import.meta.filename) await bundleProgram(resolve(import.meta.dirname, '../dist'));
