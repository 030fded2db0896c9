import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

/** A message for people, as it stands in the source, with … for what is filled in, and what it says to do. */
export interface KnownError {
  readonly message: string;
  readonly hint: string;
  /** Wing and room: `data/store`. */
  readonly room: string;
}

/** Classes whose message is read by whoever runs the program. */
const CLASSES: ReadonlySet<string> = new Set(['UserError', 'FileError', 'CheckFailed', 'UsageError']);
const src = resolve(import.meta.dirname, '../src');

/** Every error that the program raises by name, sorted by room and message; those made elsewhere from parts are not in it. */
export function errorCatalogue(): readonly KnownError[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  const found = files.flatMap((name) => {
    const room = name.split(/[/\\]/).slice(0, -1).slice(0, 2).join('/');
    return errorsIn(readFileSync(join(src, name), 'utf8'), name).map((error) => ({ ...error, room }));
  });
  const once = new Map(found.map((error) => [`${error.room} ${error.message}`, error]));
  return [...once.values()].sort(
    (a, b) => a.room.localeCompare(b.room, 'en') || a.message.localeCompare(b.message, 'en'),
  );
}

export function errorsIn(text: string, name: string): readonly Omit<KnownError, 'room'>[] {
  if (![...CLASSES].some((one) => text.includes(`new ${one}(`))) return [];
  const errors: Omit<KnownError, 'room'>[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && CLASSES.has(node.expression.text)) {
      const [message, options] = node.arguments ?? [];
      const hints = options === undefined ? [''] : textsOf(hintOf(options));
      if (message !== undefined)
        textsOf(message).forEach((said, i) =>
          errors.push({ message: said, hint: hints[Math.min(i, hints.length - 1)] ?? '' }),
        );
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  return errors.filter(({ message }) => message.replaceAll('…', '').trim().length > 3);
}

function hintOf(options: ts.Expression): ts.Expression | undefined {
  if (!ts.isObjectLiteralExpression(options)) return undefined;
  const found = options.properties.find(
    (property) => ts.isPropertyAssignment(property) && property.name.getText() === 'hint',
  );
  return found !== undefined && ts.isPropertyAssignment(found) ? found.initializer : undefined;
}

/** The texts that an expression may be: of a choice each, of a sum both parts. */
function textsOf(expression: ts.Expression | undefined): readonly string[] {
  if (expression === undefined) return [];
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isTemplateExpression(expression))
    return [
      expression.head.text + expression.templateSpans.map(({ literal }) => `…${literal.text}`).join(''),
    ];
  if (ts.isConditionalExpression(expression))
    return [...textsOf(expression.whenTrue), ...textsOf(expression.whenFalse)];
  if (ts.isParenthesizedExpression(expression)) return textsOf(expression.expression);
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return [[expression.left, expression.right].map((part) => textsOf(part)[0] ?? '…').join('')];
  return [];
}
