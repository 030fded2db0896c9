import type { BarLength } from '../market/bar-length.ts';
import type { PairSymbol } from '../market/symbol.ts';
import type { Timeframe } from '../market/timeframe.ts';

/** What a network is to read: what its size depends on, beside its parameters. */
export interface NetworkAbout {
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  /** What the model asked for: `Model.features`. */
  readonly features: readonly string[];
  /** Bar lengths beside the timeframe that are stored for every symbol, of `Model.barLengths`. */
  readonly lengths: readonly BarLength[];
}

/** A network as it would be built, for one window or one observation. */
export interface NetworkLayers {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** In the order of computation; what a layer is made of stands behind it, one level deeper. */
  readonly layers: readonly NetworkLayer[];
  /** Trained numbers of the whole network. */
  readonly parameters: number;
}

export interface NetworkLayer {
  /** Such as `gru`. */
  readonly kind: string;
  /** Unique within the network: `encoder.0`. */
  readonly name: string;
  readonly depth: number;
  /** Shapes of the tensors that it takes and gives; a sequence of equal ones is one with a leading axis. */
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  /** Trained numbers, those of the layers inside it included. */
  readonly parameters: number;
  /** How often it is applied. */
  readonly times: number;
}
