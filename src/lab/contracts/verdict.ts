/** What a contract suite found out about one law. */
export type Verdict =
  | { readonly law: string; readonly kind: 'kept' }
  | { readonly law: string; readonly kind: 'broken'; readonly reason: string };
