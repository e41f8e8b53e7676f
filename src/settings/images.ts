// The settings of getting pictures: from where, how many bytes, how long, how many at once.
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { isNetwork, listOf, positive, setting, whole } from './setting.ts'

/** A name of labels, or an IPv4 address; with `*.` before a name, all below it. */
function isHostPattern(text: string): boolean {
  const name = text.startsWith('*.') ? text.slice(2) : text
  // Which domainToASCII would take as the end of the name.
  if (/[\s/\\?#@:[\]%]/.test(name)) return false
  const ascii = domainToASCII(name)
  if (isIP(ascii) !== 0) return name === text
  return (
    ascii.length <= 253 &&
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(ascii)
  )
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

export const IMAGE_SETTINGS = {
  TOUCHSTONE_IMAGE_HOSTS: setting(
    listOf(isHostPattern, 'a host name, or one after `*.` for all below it').optional(),
    'unset',
    'Hosts that pictures are fetched from: names and `*.name` (all below it), with commas between; unset: any public one',
  ),
  TOUCHSTONE_IMAGE_PORTS: setting(
    listOf(isPort, 'a port from 1 to 65535')
      .transform((ports) => ports.map(Number))
      .prefault('80,443'),
    '80,443',
    'Ports that pictures are fetched from, with commas between',
  ),
  TOUCHSTONE_IMAGE_PRIVATE_NETWORKS: setting(
    listOf(isNetwork, 'an IP address or a network in CIDR notation').optional(),
    'unset',
    'Addresses and networks (such as `10.1.2.0/24`), with commas between, that pictures are fetched from although they are not public: whoever sends a listing can then make this machine ask there; unset: none',
  ),
  TOUCHSTONE_IMAGE_TIMEOUT_MS: setting(
    positive(60_000).default(3_000),
    '3000',
    'Milliseconds that one picture may take to come, with its redirects; a host that was silent three times so long, and at its root too, is left alone for a while',
  ),
  TOUCHSTONE_IMAGE_MAX_BYTES: setting(
    positive(256 << 20).default(16 << 20),
    '16777216',
    'Bytes that one picture may have as it comes; eight times as many may be on their way at once, and (or 128 MiB, if that is more) wait to be read',
  ),
  TOUCHSTONE_IMAGE_CACHE_BYTES: setting(
    whole(0, 2 ** 36).default(64 << 20),
    '67108864',
    'Bytes of memory for pictures that were fetched lately: an unchanged one is asked for, but not sent again; 0: none',
  ),
  TOUCHSTONE_IMAGE_CONNECTIONS: setting(
    positive(4_096).default(256),
    '256',
    'Pictures that one process fetches at once; all hosts take turns, those below one registered name have at most half, and a quarter is left to hosts that delivered lately',
  ),
  TOUCHSTONE_IMAGE_HOST_CONNECTIONS: setting(
    positive(1_024).default(16),
    '16',
    'Pictures that one process fetches from one host at once; a quarter is left to sellers whose pictures came from there lately',
  ),
  TOUCHSTONE_IMAGE_BUDGET_MS: setting(
    positive(60_000).default(3_000),
    '3000',
    'Milliseconds that getting all pictures of one listing may take; what did not come by then was not seen',
  ),
  TOUCHSTONE_IMAGE_LISTING_MS: setting(
    // Two cores read some six thousand photographs in that time: more than wait at once where nobody does harm.
    positive(3_600_000).default(60_000),
    '60000',
    'Milliseconds that all pictures of one listing may take together, with waiting for their turn with hosts and threads; what was not seen by then waits until the listing is tried again',
  ),
  TOUCHSTONE_IMAGE_THREADS: setting(
    positive(256).optional(),
    'unset',
    'Threads that decode and hash pictures; unset: one for each core',
  ),
  TOUCHSTONE_IMAGE_MAX_PIXELS: setting(
    positive(1_000_000_000).default(50_000_000),
    '50000000',
    'Pixels that one picture may have; one of AVIF counts as three and one of PNG as two, because they take longer to decode; beyond: not read, and nothing more of a listing whose pictures have twelve times as many together',
  ),
  TOUCHSTONE_IMAGE_READ_MS: setting(
    whole(100, 60_000).default(10_000),
    '10000',
    'Milliseconds that decoding and hashing one picture may take; a thread that takes longer is replaced, and as long may waiting for a thread take',
  ),
  TOUCHSTONE_PICTURE_DAYS: setting(
    positive(3_650).default(180),
    '180',
    'Days that pictures which were judged are kept after their case was closed; what a bank holds stays',
  ),
} as const
