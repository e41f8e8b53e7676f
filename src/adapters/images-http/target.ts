// From the text of a URL to where a request may go; every hop of every redirect comes through here, as the first did.
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { LISTING_LIMITS } from '../../domain/listing.ts'
import type { AddressRule } from './addresses.ts'
import { shown, unseen, type Unseen } from './outcome.ts'

export interface TargetRules {
  /** Exact names and `*.name` for all below a name; undefined: any. */
  readonly hosts: readonly string[] | undefined
  readonly ports: readonly number[]
  readonly address: AddressRule
}

export interface Target {
  readonly state: 'target'
  /** Without fragment, credentials and a trailing dot of the host. */
  readonly url: URL
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** Where the host is an address: checked. A name is checked when it is resolved. */
  readonly address: string | undefined
}

export type ReadTarget = (text: string, from?: Target) => Target | Unseen

/** `from` is the hop that redirected to `text`, which may then be relative. */
export function createTargets(rules: TargetRules): ReadTarget {
  const allowed = rules.hosts?.map((pattern) =>
    pattern.startsWith('*.') ? `*.${domainToASCII(pattern.slice(2))}` : domainToASCII(pattern),
  )
  const named = (host: string): boolean =>
    allowed === undefined ||
    allowed.some((pattern) => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern))

  return (text, from) => {
    const base = from === undefined ? undefined : from.url
    // URL knows all spellings that browsers know: decimal, hexadecimal, octal and short addresses, full-width digits, backslashes.
    const url = text.length > LISTING_LIMITS.url ? null : URL.parse(text, base?.href)
    if (url === null) return refused('the URL cannot be read, or is too long')
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return refused('only http and https are fetched')
    if (url.username !== '' || url.password !== '') return refused('a URL must not hold a user name or a password')
    url.hash = ''
    const plain = url.hostname.replace(/\.+$/, '')
    // A name of dots alone, and what the setter would read as something else.
    if (plain === '') return refused('the URL has no host')
    url.hostname = plain
    if (url.hostname !== plain) return refused('the host cannot be read')
    const host = plain.replace(/^\[(.*)\]$/, '$1')
    const secure = url.protocol === 'https:'
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
    const refuse = (why: string) => refused(`${shown(url)}: ${why}`)
    if (from?.secure === true && !secure) return refuse('a redirect from https to http is not followed')
    if (!rules.ports.includes(port)) return refuse(`port ${port} is not one of TOUCHSTONE_IMAGE_PORTS`)
    if (!named(host)) return refuse('the host is not one of TOUCHSTONE_IMAGE_HOSTS')
    if (isIP(host) === 0) return { state: 'target', url, host, port, secure, address: undefined }
    const address = rules.address(host)
    if (address === undefined) return refuse('the address is not public')
    return { state: 'target', url, host, port, secure, address }
  }
}

const refused = (message: string) => unseen('address-refused', message)
