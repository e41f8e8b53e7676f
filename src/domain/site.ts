// The name behind a host that somebody had to register: what strangers are counted by, because hosts below it cost nothing.

/** Below a country's two letters, what registries themselves give names under, as `co.uk`: the common ones. */
const SECOND_LEVEL = /^(ac|co|com|edu|gov|ne|net|or|org)$/

/**
 * About the name that somebody had to register. Wrong guesses cost fairness only, so that no list of all such names is needed;
 * and a list that takes platforms for registries would give whoever opens a hundred free accounts there a hundred sites.
 * All bare addresses are one site: honest shops have names. `host` may have a port.
 */
export function siteOf(host: string): string {
  const name = host.replace(/(?<!:.*):\d+$/, '')
  if (/^[\d.]+$|:/.test(name)) return 'addresses'
  const labels = name.split('.')
  const under = labels.at(-1)?.length === 2 && SECOND_LEVEL.test(labels.at(-2) ?? '')
  return labels.slice(under ? -3 : -2).join('.')
}
