// A certificate authority of a few milliseconds: what TLS tests need of X.509, with nothing but Node.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** PEM texts; `key` is PKCS #8. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly ca: string
  /** A certificate for a server at this IPv4 address or host name, or for a client of this name. */
  issue(name: string): Identity
}

const DAY_MS = 24 * 60 * 60 * 1000

/** On the curve P-256, valid from yesterday for a week: a test's clock may be off, a test does not last. */
export function makeAuthority(name: string): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certify = (subject: string, key: KeyObject, extensions: readonly Buffer[]) =>
    certificate({ issuer: name, subject, key, extensions, signer: root.privateKey })
  return {
    // Basic constraints, critical: an authority.
    ca: certify(name, root.publicKey, [extension('551d13', true, sequence(Buffer.of(0x01, 0x01, 0xff)))]),
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      // Subject alternative name: the only one that clients still look at.
      const alternative = isIPv4(subject)
        ? der(0x87, Buffer.from(subject.split('.').map(Number)))
        : der(0x82, Buffer.from(subject))
      return {
        cert: certify(subject, publicKey, [extension('551d11', false, sequence(alternative))]),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

interface Claims {
  readonly issuer: string
  readonly subject: string
  readonly key: KeyObject
  readonly extensions: readonly Buffer[]
  readonly signer: KeyObject
}

/** RFC 5280, section 4.1. */
function certificate({ issuer, subject, key, extensions, signer }: Claims): string {
  const now = Date.now()
  // ecdsa-with-SHA256
  const algorithm = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const serial = randomBytes(8)
  // Positive, and never with a zero in front.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    nameOf(issuer),
    sequence(time(now - DAY_MS), time(now + 7 * DAY_MS)),
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, signer)
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])))
  const text = whole.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [Buffer.of(0x01, 0x01, 0xff)] : []
  return sequence(der(0x06, Buffer.from(id, 'hex')), ...flag, der(0x04, value))
}

/** One common name. */
function nameOf(name: string): Buffer {
  return sequence(der(0x31, sequence(der(0x06, Buffer.from('550403', 'hex')), der(0x0c, Buffer.from(name)))))
}

/** UTCTime, which RFC 5280 demands until 2049: 261122023000Z. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '')
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...bytes), value])
}
