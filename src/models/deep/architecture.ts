import type { Network } from '../../engine/network.ts';
import type { Tensor } from '../../engine/tf.ts';
import type { ExplanationPart } from '../explanation.ts';
import type { Forecast } from '../model.ts';
import type { DeepParams } from './params.ts';
import type { WindowSizes } from './inputs.ts';

/** What makes one deep model different from the next: loaded only when it is trained or used. */
export interface Architecture<Params extends DeepParams> {
  /** Bars after the window whose calendar the network reads; 0 for none. */
  futureBars(params: Params): number;
  network(params: Params, sizes: NetworkSizes): DeepNetwork;
  head(params: Params): Head;
  /** What the network's `explanation` of one window, or its average over many, says. */
  explain?(params: Params, explanation: Readonly<Record<string, Float32Array>>): readonly ExplanationPart[];
}

export interface NetworkSizes extends WindowSizes {
  readonly symbols: number;
  /** Numbers that the head wants for each window. */
  readonly outputs: number;
}

export type DeepNetwork = Network<Readonly<Record<string, Tensor>>, NetworkOutput>;

export interface NetworkOutput {
  /** [rows, outputs] */
  readonly output: Tensor;
  /** What the network looked at, each averaged over the rows of the batch. */
  readonly explanation?: Readonly<Record<string, Tensor>>;
}

/** What a network's outputs mean: how they are judged, and how they become a forecast. */
export interface Head {
  /** Bars of the returns that are forecast. */
  readonly horizons: readonly number[];
  readonly outputs: number;
  /** The loss of each row, [rows], from outputs [rows, outputs] and scaled returns [rows, horizons]. */
  rowLosses(output: Tensor, targets: Tensor, balance: ClassBalance): Tensor;
  /** Fitted on validation windows only, after training. */
  calibrate(validation: HeadSample): Calibration;
  /** How good the calibrated outputs are. */
  scores(validation: HeadSample, calibration: Calibration): Readonly<Record<string, number>>;
  /** Row by row, `NaN` where an output is `NaN`; `volatility` turns scaled returns back into returns. */
  forecast(
    outputs: Float64Array,
    volatility: Float64Array,
    calibration: Calibration,
  ): Omit<Forecast, 'symbol'>;
}

/** Outputs [count, outputs] beside what happened, [count, horizons] in scaled returns. */
export interface HeadSample {
  readonly count: number;
  readonly outputs: Float32Array;
  readonly targets: Float32Array;
}

export type Calibration = Readonly<Record<string, number>>;

export interface ClassBalance {
  /** Share of the training windows whose return at the first horizon was positive. */
  readonly positiveShare: number;
}
