import type { ExplanationPart } from '../../core/forecast/explanation.ts';

/** An explanation as lines of text: the inputs that count most, the first lags, or a whole matrix. */
export function explanationText(part: ExplanationPart, most = 12): string {
  const number = (value: number): string => String(Number(value.toPrecision(4)));
  const line = (name: string, value: string): string => `  ${name.padEnd(28)} ${value}`;
  const more = (count: number): readonly string[] =>
    count > most ? [`  and ${count - most} more: --json has them all`] : [];
  const lines = ((): readonly string[] => {
    switch (part.kind) {
      case 'importance': {
        const shown = part.names.slice(0, most);
        return [...shown.map((name, i) => line(name, number(part.values[i]))), ...more(part.names.length)];
      }
      case 'by-lag': {
        const shown = part.values.slice(0, most);
        return [
          ...shown.map((value, i) => line(i === 0 ? 'last closed bar' : `${i} bars before`, number(value))),
          ...more(part.values.length),
        ];
      }
      case 'matrix':
        return [
          line('', part.columns.join('  ')),
          ...part.rows.map((name, i) => line(name, part.values[i].map(number).join('  '))),
        ];
    }
  })();
  return [`${part.title} (${part.unit})`, ...lines].join('\n');
}
