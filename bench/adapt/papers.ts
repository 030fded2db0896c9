/**
 * `npx tsx bench/adapt/papers.ts [digits.csv.gz]`: what meta-learning and continual learning do on the tasks of their papers, as lines
 * of Markdown for docs/results/adapt.md. The file is that of scikit-learn's package: sklearn/datasets/data/digits.csv.gz.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { learnInTurn, METHODS } from './permuted-tasks.ts';
import { trainSine } from './sine.ts';

const cell = (value: number): string => value.toFixed(2);

console.log('| sinusoids | before | 1 step | 5 steps | 10 steps |\n| --- | --- | --- | --- | --- |');
for (const [method, shots] of [
  ['maml', 10],
  ['first-order', 10],
  ['maml', 5],
] as const) {
  // prettier-ignore
  const { errors } = await trainSine({ method, shots, iterations: 8000, seed: 1 });
  const at = [0, 1, 5, 10].map((step) => cell(errors[step]));
  console.log(`| ${method}, ${shots} points | ${at.join(' | ')} |`);
}

const [file] = process.argv.slice(2);
if (file !== undefined) {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  const rows = lines.map((line) => line.split(',').map(Number));
  const points = {
    width: 64,
    x: Float32Array.from(rows.flatMap((row) => row.slice(0, 64).map((value) => value / 16))),
    y: Int32Array.from(rows, (row) => row[64]),
  };
  const settings = { tasks: 5, hidden: 100, classes: 10, epochs: 20, strength: 100, memoryPerTask: 200 };
  console.log('\n| digits | accuracy, two seeds | backward transfer |\n| --- | --- | --- |');
  for (const method of METHODS) {
    const runs = [];
    for (const seed of [1, 2]) runs.push(await learnInTurn(points, method, { ...settings, seed }));
    const average = runs.map((run) => cell(run.average)).join(', ');
    console.log(
      `| ${method} | ${average} | ${runs.map(({ backward = NaN }) => cell(backward)).join(', ')} |`,
    );
  }
}
