import type { Network } from '../../engine/network.ts';
import type { Tensor } from '../../engine/tf.ts';
import type { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { Forecast } from '../../../core/forecast/model.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import type { InputLayout, PanelShape } from './inputs.ts';
import type { DeepParams } from './params.ts';
import type { Targets } from './targets.ts';

/** What makes one deep model different from the next: loaded only when it is trained or used. */
export interface Architecture<Params extends DeepParams> {
  /** What the network reads. Throws `UserError` when the panel cannot give it. */
  inputs(params: Params, panel: PanelShape): InputLayout;
  network(params: Params, sizes: NetworkSizes): DeepNetwork;
  head(params: Params): Head;
  /**
   * The network also takes consecutive windows of one series as a block of bars (bar-block.ts), and gives one row of
   * outputs a window: what depends on a bar alone is then computed once a bar. For a layout of one branch.
   */
  readonly sharesBars?: true;
  /** What the network's `explanation` of one window, or its average over many, says. */
  explain?(
    params: Params,
    explanation: Readonly<Record<string, Float32Array>>,
    about: Explained,
  ): readonly ExplanationPart[];
}

/** What a model was trained on. */
export interface Explained extends PanelShape {
  readonly symbols: readonly PairSymbol[];
}

/** What a network must know of its data. */
export interface NetworkSizes {
  /** Of the first branch. */
  readonly lookBack: number;
  /** Of the first branch. */
  readonly features: number;
  readonly branches: readonly BranchSizes[];
  readonly futureBars: number;
  readonly symbols: number;
  /** Numbers that the head wants for each window. */
  readonly outputs: number;
}

/** One input of windows: its bars and its features. */
export interface BranchSizes {
  readonly name: string;
  readonly lookBack: number;
  readonly features: number;
  /** See `Branch`. */
  readonly optional: boolean;
}

export function networkSizes(
  { branches, futureBars }: InputLayout,
  of: { readonly symbols: number; readonly outputs: number },
): NetworkSizes {
  const sizes = branches.map(({ name, lookBack, features, optional = false }) => ({
    name,
    lookBack,
    features: features.length,
    optional,
  }));
  const [{ lookBack, features }] = sizes;
  return { lookBack, features, branches: sizes, futureBars, ...of };
}

/** From named inputs to outputs; which inputs, the layout says. */
export type DeepNetwork = Network<Readonly<Record<string, Tensor>>, NetworkOutput>;

/** What a network gives for a batch of windows. */
export interface NetworkOutput {
  /** [rows, outputs] */
  readonly output: Tensor;
  /** What the network looked at, each averaged over the rows of the batch. */
  readonly explanation?: Readonly<Record<string, Tensor>>;
}

/** What a network's outputs mean: how they are judged, and how they become a forecast. */
export interface Head {
  /** What is learned of the bars after the window; the first number has the sign of the return. */
  readonly targets: Targets;
  readonly outputs: number;
  /** What classes the targets fall into, where there are such: class weights, SMOTE. Without: the first one's sign. */
  readonly questions?: readonly ClassQuestion[];
  /** The loss of each row, [rows], from outputs [rows, outputs] and targets [rows, width]. */
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

/** Outputs [count, outputs] beside what happened, targets [count, width]. */
export interface HeadSample {
  readonly count: number;
  readonly outputs: Float32Array;
  readonly targets: Float32Array;
}

/** What a head learned of the validation windows, by name. */
export type Calibration = Readonly<Record<string, number>>;

/** A question about what follows a window whose answer is one of some classes. */
export interface ClassQuestion {
  readonly classes: number;
  /** From 0; `targets` of the window begin at `at`. */
  of(targets: Float32Array, at: number): number;
}

/** How often each class occurs in training; all the same where classes are not to be weighed. */
export interface ClassBalance {
  /** Share of the training windows whose first target was positive. */
  readonly positiveShare: number;
  /** Of each of the head's questions, the share of each class. */
  readonly shares?: readonly (readonly number[])[];
}
