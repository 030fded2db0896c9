import { z } from 'zod';

const usdPerMillion = z.number().min(0).max(10_000);

/** Language models that may be asked. Keys belong into the environment. */
export const AdvisorConfig = z
  .strictObject({
    providers: z
      .record(
        z.string().regex(/^[a-z0-9][a-z0-9-]{0,19}$/, 'expected a short id, such as openai'),
        z.strictObject({
          kind: z.enum(['openai', 'anthropic', 'google', 'compatible']),
          model: z
            .string()
            .regex(/^[\w.:/-]{1,120}$/, 'expected the name of a model as the provider writes it'),
          price: z.strictObject({ input: usdPerMillion, output: usdPerMillion }),
          url: z.url({ protocol: /^https?$/ }).optional(),
          keyVariable: z
            .string()
            .regex(
              /^[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET)$/,
              'expected a name that ends in _KEY, _TOKEN or _SECRET',
            )
            .optional(),
        }),
      )
      .default({})
      .describe(
        'Language models by a name of yours, such as local: { kind: compatible, url: "http://127.0.0.1:11434/v1", model: qwen3, price: { input: 0, output: 0 } }; prices in USD per million tokens; keys in OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY or keyVariable',
      ),
    usdPerDay: z
      .number()
      .min(0)
      .max(100_000)
      .default(1)
      .describe('What all language models together may cost in a UTC day, in USD'),
    tokensPerDay: z
      .int()
      .min(0)
      .default(500_000)
      .describe('Tokens of all language models together in a UTC day, in and out'),
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(60)
      .describe('Patience with one answer, and between two pieces of it'),
    retries: z
      .int()
      .min(0)
      .max(10)
      .default(2)
      .describe('Attempts after a refused or failed request (status 429 or 5xx)'),
    mostSteps: z.int().min(1).max(50).default(8).describe('Rounds of tool calls for one question'),
    mostOutputTokens: z
      .int()
      .min(16)
      .max(100_000)
      .default(2000)
      .describe('Longest answer, in tokens, thinking included'),
  })
  .prefault({})
  .describe('Language models that are asked, and what they may cost; none has a vote in the ensemble');
