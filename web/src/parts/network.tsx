import type { NetworkLayer, NetworkLayers } from '../../../src/core/forecast/layers.ts';
import { count } from '../format.ts';
import { Meter } from './ui.tsx';

const shape = (sizes: readonly number[]): string => sizes.join(' × ');
const shapes = (all: readonly (readonly number[])[]): string => all.map(shape).join(', ');

interface Block {
  readonly layer: NetworkLayer;
  readonly inside: NetworkLayer[];
}

/** A network from its inputs down, layer by layer; networks side by side (an actor and a critic) stand so. */
export function Network({ of: { inputs, layers, parameters } }: { readonly of: NetworkLayers }) {
  const blocks: Block[] = [];
  for (const layer of layers)
    if (layer.depth === 0) blocks.push({ layer, inside: [] });
    else blocks.at(-1)?.inside.push(layer);
  // `actor.0`, `critic.0`: each reads the inputs.
  const names = blocks.map(({ layer }) => /^(\w+)\.\d+$/.exec(layer.name)?.[1]);
  const columns = names.includes(undefined) ? [''] : [...new Set(names)];
  return (
    <div class="network">
      <p class="muted">
        {count(parameters)} trained numbers. Shapes are those of one window: rows come first, or steps where a
        layer goes through them one by one.
      </p>
      <ul class="plain row inputs">
        {inputs.map(({ name, shape: own }) => (
          <li key={name} class="layer">
            {name} <code>{shape(own)}</code>
          </li>
        ))}
      </ul>
      <div class="columns">
        {columns.map((column) => (
          <ol key={column} class="plain" aria-label={`Layers ${column ?? ''}`}>
            {blocks
              .filter((_, i) => columns.length === 1 || names[i] === column)
              .map(({ layer, inside }) => (
                <li key={layer.name}>
                  <Layer layer={layer} inside={inside} most={parameters} />
                </li>
              ))}
          </ol>
        ))}
      </div>
    </div>
  );
}

function Layer({ layer, inside, most }: Block & { readonly most: number }) {
  const { name, kind, inputs, outputs, parameters, times } = layer;
  return (
    <div class="layer">
      <div class="row tight">
        <b>{kind}</b> <span class="muted">{name}</span>
        {times > 1 && <span class="muted">applied {times} times</span>}
      </div>
      <div class="row tight">
        <code>{shapes(inputs)}</code> → <code>{shapes(outputs)}</code>
      </div>
      <div class="row tight">
        <Meter value={parameters} most={most} text={`${parameters} of ${most} trained numbers`} />
        <span class="muted">{count(parameters)}</span>
      </div>
      {inside.length > 0 && (
        <details>
          <summary class="muted">made of {inside.length} layers</summary>
          <ul class="plain">
            {inside.map((one, i) => (
              <li key={i} style={{ paddingLeft: `${(one.depth - 1) * 14}px` }}>
                {one.kind} <span class="muted">{one.name}</span>
                {one.times > 1 && <span class="muted"> × {one.times}</span>}{' '}
                <code>{shapes(one.outputs)}</code> <span class="muted">{count(one.parameters)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
