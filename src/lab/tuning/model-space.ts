import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { type SearchRange, searchRanges } from '../../core/forecast/search-range.ts';
import type { Dimension, Space, Value } from './space.ts';

const value = z.union([z.number(), z.string(), z.boolean()]);
const bounds = {
  low: z.number(),
  high: z.number(),
  log: z.boolean().optional(),
  step: z.number().positive().optional(),
};
const when = z.record(z.string(), z.array(value).min(1)).optional();
/** What a file may say of a parameter: a range, choices, or one fixed value. */
const Narrowed = z.union([
  value,
  z.strictObject({ ...bounds, when }),
  z.strictObject({ choices: z.array(value).min(1), when }),
]);
/** `--space space.yaml`: `<parameter>: { low, high, log, step, when }`, `{ choices, when }` or one value. */
export const SpaceFile = z.record(z.string(), Narrowed);

/**
 * The parameters of a model that have a range in `searchRanges`. A model without any is searched between the bounds of
 * its schema: numbers with a least and a greatest value, choices, switches.
 */
export function spaceOfModel(params: z.ZodType): Space {
  const registered = spaceBy(params, (schema) => searchRanges.get(schema));
  return Object.keys(registered).length > 0 ? registered : spaceBy(params, rangeOfBounds);
}

function spaceBy(params: z.ZodType, rangeOf: (schema: z.ZodType) => SearchRange | undefined): Space {
  const space: Record<string, Dimension> = {};
  for (const [name, schema] of Object.entries(shapeOf(params))) {
    const range = rangeOf(schema);
    if (range !== undefined) space[name] = dimensionOf(range, schema);
  }
  return space;
}

const Bounded = z.object({
  type: z.literal(['number', 'integer']),
  minimum: z.number(),
  maximum: z.number(),
});
const Choices = z.object({ enum: z.array(value).min(2) });
const Switch = z.object({ type: z.literal('boolean') });

function rangeOfBounds(schema: z.ZodType): SearchRange | undefined {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const choices = Choices.safeParse(described).data;
  if (choices !== undefined) return { choices: choices.enum };
  if (Switch.safeParse(described).success) return { choices: [false, true] };
  const { minimum = -Infinity, maximum = Infinity } = Bounded.safeParse(described).data ?? {};
  // Whole numbers without bounds of their own have those of what a number can hold.
  if (minimum <= Number.MIN_SAFE_INTEGER || maximum >= Number.MAX_SAFE_INTEGER) return undefined;
  return { low: minimum, high: maximum };
}

/**
 * The space as a file narrows it: only the parameters it names are searched. Throws `UserError` for a parameter that the
 * model does not have, or a value that it refuses.
 */
export function narrowedSpace(
  params: z.ZodType,
  file: z.output<typeof SpaceFile>,
): { readonly space: Space; readonly fixed: Readonly<Record<string, Value>> } {
  const shape = shapeOf(params);
  const space: Record<string, Dimension> = {};
  const fixed: Record<string, Value> = {};
  for (const [name, entry] of Object.entries(file)) {
    const schema = shape[name];
    if (schema === undefined)
      throw new UserError(`The model has no parameter "${name}".`, {
        hint: suggest(name, Object.keys(shape)),
      });
    for (const one of valuesToTry(entry)) {
      const checked = schema.safeParse(one);
      if (!checked.success)
        throw new UserError(`"${name}" cannot be ${String(one)}: ${issueLines(checked.error).join('; ')}.`, {
          hint: `Correct "${name}" in the space.`,
        });
    }
    if (typeof entry !== 'object') fixed[name] = entry;
    else space[name] = { ...dimensionOf(entry, schema), ...(entry.when && { when: entry.when }) };
  }
  for (const [name, dimension] of Object.entries(space)) requireSound(name, dimension, Object.keys(space));
  return { space, fixed };
}

function valuesToTry(entry: z.output<typeof Narrowed>): readonly Value[] {
  if (typeof entry !== 'object') return [entry];
  return 'choices' in entry ? entry.choices : [entry.low, entry.high];
}

function requireSound(name: string, dimension: Dimension, names: readonly string[]): void {
  const refuse = (what: string): never => {
    throw new UserError(`"${name}" in the space ${what}.`, { hint: 'Correct it and start again.' });
  };
  if (dimension.kind !== 'categorical') {
    if (dimension.low > dimension.high) refuse('has a low above its high');
    if (dimension.log && dimension.low <= 0) refuse('is searched by its logarithm and must be above 0');
    if (dimension.log && dimension.step !== undefined) refuse('cannot have both log and step');
  }
  for (const other of Object.keys(dimension.when ?? {}))
    if (names.indexOf(other) < 0 || names.indexOf(other) >= names.indexOf(name))
      refuse(`depends on "${other}", which must be searched and stand before it`);
}

function dimensionOf(range: SearchRange, schema: z.ZodType): Dimension {
  if ('choices' in range) return { kind: 'categorical', choices: range.choices };
  return { kind: isWhole(schema) ? 'int' : 'float', ...range };
}

/** Whether the schema, behind defaults and the like, is of whole numbers. */
function isWhole(schema: z.ZodType): boolean {
  return !schema.safeParse(0.5).success && !schema.safeParse(1.5).success && !schema.safeParse(20.5).success;
}

/** The parameters of a model or a strategy, by name. */
export const shapeOf = (params: z.ZodType): Readonly<Record<string, z.ZodType>> =>
  params instanceof z.ZodObject ? params.shape : {};
