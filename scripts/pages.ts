/**
 * Writes docs/reference/: a page for each command, made of its own help, and the catalogues of features, models, strategies and errors.
 * With `--check` it writes nothing: it exits with 1 when a page is not what it would write.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import * as prettier from 'prettier';
import { z } from 'zod';
import { wholeProgram } from '../src/app/cli/main.ts';
import { catalogue } from '../src/core/features/catalogue.ts';
import { strategies } from '../src/core/strategy/registry.ts';
import { spaceOfModel } from '../src/lab/tuning/model-space.ts';
import type { Space } from '../src/lab/tuning/space.ts';
import { models } from '../src/learning/models/registry.ts';
import { modelParams } from '../src/learning/training/plan.ts';
import { errorCatalogue } from './error-catalogue.ts';

const folder = resolve(import.meta.dirname, '../docs/reference');
const MADE = 'Made by `npm run pages` from the program itself.';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** A command's help as it prints it, without the options that all commands share. */
function helpOf(command: Command): string {
  let text = '';
  command
    .configureHelp({ showGlobalOptions: false, helpWidth: 100 })
    .configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return `\`\`\`\n${text.trimEnd()}\n\`\`\``;
}

const named = (command: Command, before = ''): string => `${before}${command.name()}`;

function commandPage(command: Command): string {
  const own = command.commands.filter((one) => one.name() !== 'help');
  return `# ${named(command)}

${MADE} Options that all commands share: [commands](commands.md).

${helpOf(command)}

${own.map((one) => `## ${named(one, `${command.name()} `)}\n\n${helpOf(one)}`).join('\n\n')}
`;
}

const commandsPage = (program: Command): string => `# Commands

${MADE}

${table(
  ['command', 'does'],
  program.commands.map((command) => [
    `[${command.name()}](${pageOf(command.name())})`,
    command.description(),
  ]),
)}

Every command takes these:

${table(
  ['option', 'meaning'],
  program.options.map(({ flags, description }) => [`\`${flags}\``, description]),
)}
`;

const pageOf = (name: string): string => `command-${name}.md`;

const featuresPage = (): string => `# Features

${MADE} Values are stated of closed bars; \`crypto-trader features --check\` proves on your own candles that none looks ahead.

${[...new Set(catalogue.map(({ group }) => group))]
  .map(
    (group) =>
      `## ${group}\n\n${table(
        ['feature', 'is', 'unit', 'warm-up, bars of 1h', 'needs beside candles', 'source'],
        catalogue
          .filter((feature) => feature.group === group)
          .map(({ name, about, unit, warmUpBars, needs, source }) => [
            `\`${name}\``,
            about,
            unit,
            String(warmUpBars('1h')),
            needs.join(', '),
            source,
          ]),
      )}`,
  )
  .join('\n\n')}
`;

const Described = z.object({
  properties: z.record(z.string(), z.object({ description: z.string().optional() })).default({}),
});
const valueText = (value: unknown): string =>
  Array.isArray(value) && value.length > 6
    ? `${value.length} values`
    : value === undefined
      ? ''
      : `\`${JSON.stringify(value)}\``;

const rangeText = (range: Space[string]): string =>
  range.kind === 'categorical'
    ? range.choices.map((choice) => `\`${choice}\``).join(', ')
    : `${range.low} .. ${range.high}${range.log === true ? ', logarithmic' : ''}`;

function parametersTable(schema: z.ZodType, full: unknown, quick: Readonly<Record<string, unknown>>): string {
  const { properties } = Described.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const values = z.record(z.string(), z.unknown()).parse(full);
  const space = spaceOfModel(schema);
  const rows = Object.entries(properties).map(([name, { description }]) => [
    `\`${name}\``,
    valueText(values[name]),
    valueText(quick[name]),
    name in space ? rangeText(space[name]) : '',
    description ?? '',
  ]);
  return rows.length === 0
    ? 'No parameters.'
    : table(['parameter', 'default', 'with `--mode quick`', 'searched by `tune`', 'meaning'], rows);
}

const modelsPage = (): string => `# Models

${MADE} Set a parameter in config.yaml (\`models.<model>.<parameter>\`) or for one command with \`--set\`.

${models
  .map(
    (model) =>
      `## ${model.id}\n\n${model.kind}: ${model.summary}. Source: ${model.source}.\n\n${parametersTable(model.params, modelParams(model, 'full', {}), model.quickParams ?? {})}`,
  )
  .join('\n\n')}
`;

const strategiesPage = (): string => `# Strategies

${MADE} What a model expects is one thing, what to hold another: \`backtest --strategy <id>\`, \`paper --strategy <id>\`.

${strategies
  .map(
    (strategy) =>
      `## ${strategy.id}\n\n${strategy.summary}\n\n${parametersTable(strategy.params, strategy.params.parse({}), {})}`,
  )
  .join('\n\n')}
`;

function errorsPage(): string {
  const all = errorCatalogue();
  const rooms = [...new Set(all.map(({ room }) => room))];
  return `# Errors

${MADE} … stands for what is filled in. How to read an error, and what to look at first: [troubleshooting](../troubleshooting.md).

${rooms
  .map(
    (room) =>
      `## ${room}\n\n${table(
        ['it says', 'do'],
        all
          .filter((error) => error.room === room)
          .map(({ message, hint }) => [escaped(message), escaped(hint)]),
      )}`,
  )
  .join('\n\n')}
`;
}

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().default(false),
      link: z.boolean().default(false),
    }),
  ),
});

/** Of everything that an installed program brings along, as package-lock.json states it. */
function licencesPage(): string {
  const { packages } = Lock.parse(
    JSON.parse(readFileSync(resolve(import.meta.dirname, '../package-lock.json'), 'utf8')),
  );
  const rows = Object.entries(packages)
    .filter(([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link)
    .map(([path, { version = '', license = 'not stated' }]) => [
      path.replace(/^.*node_modules\//, ''),
      version,
      license,
    ]);
  const unique = [...new Map(rows.map((row) => [row.slice(0, 2).join(' '), row])).values()].sort((a, b) =>
    a[0].localeCompare(b[0], 'en'),
  );
  return `# Licences

${MADE} ${unique.length} packages come with an installed program. Texts that the licence of a word list asks for are in [docs/licences](../licences).

${table(['package', 'version', 'licence'], unique)}
`;
}

/** Messages have no markup of their own but code between backticks. */
const escaped = (text: string): string => text.replace(/[<>*_\[\]\\]/g, '\\$&');

const program = await wholeProgram();
for (const command of program.commands) command.copyInheritedSettings(program);
const pages = new Map([
  ['commands.md', commandsPage(program)],
  ...program.commands.map((command): [string, string] => [pageOf(command.name()), commandPage(command)]),
  ['features.md', featuresPage()],
  ['models.md', modelsPage()],
  ['strategies.md', strategiesPage()],
  ['errors.md', errorsPage()],
  ['licences.md', licencesPage()],
]);

/** Made anew with the others and before a release; a message that was reworded, or a package, alone fails no check. */
const UNCHECKED: ReadonlySet<string> = new Set(['errors.md', 'licences.md']);
const check = process.argv.includes('--check');
if (!check) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of pages) {
  const path = join(folder, name);
  const options = await prettier.resolveConfig(path);
  const wanted = await prettier.format(text, { ...options, filepath: path });
  if (!check) writeFileSync(path, wanted);
  else if (!UNCHECKED.has(name) && readIfThere(path) !== wanted) {
    console.log(`docs/reference/${name} is not what the program says: run \`npm run pages\``);
    process.exitCode = 1;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
