// The Prefer header (RFC 7240), of which one preference means something here: how long the caller likes to wait.
import { MAX_WAIT_SECONDS } from './contract.ts'

/**
 * Seconds of `wait`, at most 60; undefined where it is absent or not a whole number, because a preference that is not
 * understood is ignored. The first of several counts (RFC 7240, section 2).
 */
export function preferredWait(header: string | readonly string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const text = typeof header === 'string' ? header : header.join(',')
  for (const preference of text.split(',')) {
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=')
    if (name.trim().toLowerCase() !== 'wait') continue
    const digits = value.trim().replace(/^"(.*)"$/, '$1')
    return /^\d{1,9}$/.test(digits) ? Math.min(Number(digits), MAX_WAIT_SECONDS) : undefined
  }
  return undefined
}
