const SECRET_NAME = /(KEY|SECRET|PASSPHRASE|PASSWORD|PASSWD|TOKEN|MNEMONIC|CREDENTIAL)/i;
const MINIMUM_LENGTH = 6;
const MASK = '[redacted]';

/**
 * Replaces every secret of the environment, plain or escaped for JSON or a URL, wherever it stands in a
 * text; and the value of URL parameters and headers that carry keys or signatures.
 */
export function createRedactor(
  environment: Readonly<Record<string, string | undefined>>,
): (text: string) => string {
  const secrets = Object.entries(environment)
    .flatMap(([name, value]) =>
      SECRET_NAME.test(name) && value && value.length >= MINIMUM_LENGTH ? [value] : [],
    )
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]);
  // The longest first: a secret may contain another.
  const ordered = [...new Set(secrets)].sort((a, b) => b.length - a.length);
  return (text) => {
    let redacted = text;
    for (const secret of ordered) redacted = redacted.replaceAll(secret, MASK);
    return redacted.replace(
      /((?:signature|api[-_]?key|secret|passphrase|password|access[-_]?token|auth[-_]?token|x-mbx-apikey)["']?\s*[=:]\s*["']?)[^\s"'&,}\]]+/gi,
      `$1${MASK}`,
    );
  };
}
