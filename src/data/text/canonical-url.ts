/** Query parameters that say where a reader came from, not what is read. */
const TRACKING = /^(utm_\w+|fbclid|gclid|mc_[ce]id|ref|ref_src|referrer|source|ncid|cmpid|amp|output)$/i;

/**
 * The address under which one article is the same article: https, lower-case host without `www.`, `m.` or `amp.`, no
 * fragment, no tracking parameters, the others in order, no closing slash. `undefined` for what is no http(s) address,
 * or one with a password in it.
 */
export function canonicalUrl(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return undefined;
  }
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  const host = url.host.replace(/^(www|m|amp|mobile)\.(?=[^.]+\.)/, '');
  const kept = [...url.searchParams].filter(([name]) => !TRACKING.test(name));
  const query = new URLSearchParams(kept.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))).toString();
  const path = url.pathname.replaceAll(/\/{2,}/g, '/').replace(/(\/amp|\/index\.html?)?\/?$/, '');
  return `https://${host}${path}${query === '' ? '' : `?${query}`}`;
}
