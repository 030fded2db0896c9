import { Badge, Empty, Fault, LOADING, Page, Panel } from '../parts/ui.tsx';
import { useGet } from '../parts/use.ts';

interface OpenApi {
  readonly info: { readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: unknown;
}

/** The OpenAPI document for people. */
export default function ApiPage() {
  const { value, error } = useGet<OpenApi>('/openapi.json');
  const routes = Object.entries(value?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(routes.flatMap(({ operation }) => operation.tags))];
  return (
    <Page
      title="API"
      about={
        <>
          OpenAPI 3.1: <a href="/api/openapi.json">/api/openapi.json</a>
        </>
      }
    >
      <Fault error={error} />
      {value === undefined && error === undefined && <Empty>{LOADING}</Empty>}
      {tags.map((tag) => (
        <Panel key={tag} title={tag}>
          <ul class="routes">
            {routes
              .filter(({ operation }) => operation.tags.includes(tag))
              .map(({ path, method, operation }) => (
                <li key={`${method} ${path}`}>
                  <div class="row">
                    <Badge kind={method === 'get' ? 'info' : 'warn'}>{method.toUpperCase()}</Badge>{' '}
                    <code>{path}</code>
                  </div>
                  <p>{operation.summary}</p>
                  {(operation.parameters?.length ?? 0) > 0 && (
                    <p class="muted">
                      {operation.parameters
                        ?.map(
                          ({ name, in: where, required }) =>
                            `${name} (${where}${required === true ? '' : ', optional'})`,
                        )
                        .join(', ')}
                    </p>
                  )}
                </li>
              ))}
          </ul>
        </Panel>
      ))}
    </Page>
  );
}
