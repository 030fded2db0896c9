export declare function peakMb(): number;
