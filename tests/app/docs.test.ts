import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { wholeProgram } from '../../src/app/cli/main.ts';

const root = resolve(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => name.endsWith('.md') && !/^(api|reference|decisions|results|measurements)[/\\]/.test(name),
    )
    .map((name) => join('docs', name)),
];

interface Example {
  readonly page: string;
  readonly text: string;
}

/** Commands in blocks of code: `$ crypto-trader ...`, `crypto-trader ...`, `npx crypto-trader ...`, without comments. */
function examplesIn(page: string, text: string): readonly Example[] {
  const blocks = [
    ...[...text.matchAll(/^```(?:bash|sh|console)?\n([\s\S]*?)^```/gm)].map(([, body]) => body),
    ...[...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([body]) => body),
  ];
  return blocks
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => line.split(/ && |; /))
    .map((line) => /^\s*(?:\$ )?(?:\w+=\S+ )*(?:npx )?crypto-trader( .*)?$/.exec(line)?.[1])
    .flatMap((rest) => (rest === undefined ? [] : [{ page, text: rest.replace(/ {2,}.*| #.*/, '').trim() }]));
}

const words = (text: string): readonly string[] =>
  [...text.matchAll(/"[^"]*"|'[^']*'|[^\s|>]+/g)].map(([word]) => word.replace(/^["']|["']$/g, ''));

/** What is wrong with a command line as far as names go; `undefined`: every command and option is one that there is. */
function faultOf(program: Command, text: string): string | undefined {
  // What a service runs is a command line itself.
  const [own, served] = text.split(' -- ', 2);
  if (served !== undefined) return faultOf(program, own) ?? faultOf(program, served);
  let command = program;
  const rest = [...words(own)];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    rest.shift();
    command = next;
  }
  if (command === program && rest.length > 0 && !rest[0].startsWith('-')) return `no command "${rest[0]}"`;
  for (const word of rest) {
    const [name] = word.split('=');
    if (!name.startsWith('--')) continue;
    const known = [command, command.parent, program].some((one) =>
      one?.options.some(({ long }) => long === name || long === name.replace('--', '--no-')),
    );
    if (!known && name !== '--help') return `"${command.name()}" has no option ${name}`;
  }
  return undefined;
}

describe('the pages', () => {
  it('name only commands and options that there are', async () => {
    const program = await wholeProgram();
    const examples = pages.flatMap((page) => examplesIn(page, readFileSync(join(root, page), 'utf8')));
    expect(examples.length).toBeGreaterThan(60);
    const faults = examples.flatMap(({ page, text }) => {
      const fault = faultOf(program, text);
      return fault === undefined ? [] : [`${page}: ${text}: ${fault}`];
    });
    expect(faults).toEqual([]);
  });

  it('are caught when they name one that there is not', async () => {
    const program = await wholeProgram();
    const planted = examplesIn(
      'x.md',
      '```\n$ crypto-trader fetsh --since 2024-01-01\n$ crypto-trader fetch --sinse x\n```\n',
    );
    expect(planted.map(({ text }) => faultOf(program, text))).toEqual([
      'no command "fetsh"',
      '"fetch" has no option --sinse',
    ]);
  });

  it('lead to pages, pictures and files that are there', () => {
    const broken = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
      return [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(resolve(root, dirname(page), target)))
        .map((target) => `${relative(root, page) || page}: ${target}`);
    });
    expect(broken).toEqual([]);
  });
});
