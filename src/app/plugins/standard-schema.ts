import { z } from 'zod';

/** What libraries of schemas have in common (standardschema.dev, version 1): zod, valibot, arktype and others. */
export interface StandardSchema<Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Outcome<Output> | Promise<Outcome<Output>>;
  };
}

type Outcome<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** Parameters of a plug-in: a zod schema, which also says what there is to set, or any other Standard Schema. */
export type Schema<Output> = z.ZodType<Output> | StandardSchema<Output>;

/** The schema as the program uses it. One that answers with a promise is refused: parameters are checked at once. */
export function asZod<Output>(schema: Schema<Output>): z.ZodType<Output> {
  if (schema instanceof z.ZodType) return schema;
  return z.unknown().transform((value, context): Output => {
    const outcome = schema['~standard'].validate(value);
    if (outcome instanceof Promise) {
      context.addIssue('the schema answers with a promise; parameters are checked at once');
      return z.NEVER;
    }
    if (outcome.issues === undefined) return outcome.value;
    for (const { message, path = [] } of outcome.issues)
      context.addIssue({
        code: 'custom',
        message,
        path: path.map((part) => (typeof part === 'object' ? part.key : part)),
      });
    return z.NEVER;
  });
}
